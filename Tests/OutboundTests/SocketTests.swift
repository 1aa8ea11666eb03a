import ArtifactModel
import BlockingWork
import HTTPTypes
import NIOCore
import NIOPosix
import Synchronization
import Testing

@testable import Outbound

@Suite("Over sockets", .timeLimit(.minutes(1)))
struct SocketTests {
    /// Time that passes by sleeping alone.
    private final class SleepClock: Sendable {
        let slept = Mutex(Duration.zero)
        var time: Pace.Time {
            Pace.Time(
                now: { self.slept.withLock { $0 } },
                sleep: { duration in self.slept.withLock { $0 += duration } })
        }
    }

    private static func use<T>(
        _ limits: OutboundLimits = OutboundLimits(), allowed: [CIDR] = [], time: Pace.Time = .real, lookUp: @escaping OutboundClient.LookUp = { _ in [] },
        _ body: (OutboundClient) async throws -> T
    ) async throws -> T {
        let pool = ThreadPool(threads: 1)
        let client = try OutboundClient(
            OutboundSettings(allowPrivate: allowed), limits, group: NIOSingletons.posixEventLoopGroup, names: pool, time: time, lookUp: lookUp)
        let result: Result<T, any Error>
        do { result = .success(try await body(client)) } catch { result = .failure(error) }
        try await client.shutdown()
        try await pool.shutdown()
        return try result.get()
    }

    private static func answer(_ bytes: Int) -> ByteBuffer {
        var answer = ByteBuffer(string: "HTTP/1.1 200 OK\r\nContent-Length: \(bytes)\r\n\r\n")
        answer.writeRepeatingByte(7, count: bytes)
        return answer
    }

    private static func code(_ client: OutboundClient, _ url: String, _ reach: OutboundClient.Reach = .elsewhere) async throws -> OutboundError.Code? {
        let destination = try Destination(url)
        do throws(OutboundError) {
            let answer = try await client.send(.get, destination, [:], reach: reach)
            answer.hangUp()
            return nil
        } catch {
            return error.code
        }
    }

    private static func expect(
        _ code: OutboundError.Code?, _ client: OutboundClient, _ url: String, _ comment: String = "", reach: OutboundClient.Reach = .elsewhere
    ) async throws {
        let found = try await Self.code(client, url, reach)
        #expect(found == code, "\(comment)")
    }

    @Test("a name that is public when it is looked up, and leads to a private address when it is connected to, is sent nothing")
    func rebinding() async throws {
        try await LoopbackServer.run(Self.answer(1)) { server in
            let url = "http://localhost:\(server.port)/"
            let asked = Mutex(0)
            let publicFirst: OutboundClient.LookUp = { _ in
                asked.withLock { $0 += 1 }
                return [IPAddress("93.184.216.34")].compactMap { $0 }
            }
            try await Self.use(lookUp: publicFirst) { client in
                try await Self.expect(.forbidden, client, url)
                // A second one does not find a connection that the first has left.
                try await Self.expect(.forbidden, client, url)
                #expect(asked.withLock { $0 } == 2 && server.heard == 0)
                try await Self.expect(nil, client, url, reach: .configured)
                let heard = server.heard
                #expect(heard > 0)
                // Nor one that was made for the operator's own address.
                try await Self.expect(.forbidden, client, url)
                #expect(server.heard == heard)
            }
        }
    }

    @Test("of a name's addresses each must do, and a name without any is unreachable")
    func mixed() async throws {
        try await LoopbackServer.run(Self.answer(1)) { server in
            let url = "http://localhost:\(server.port)/"
            for inner in ["10.0.0.1", "::ffff:10.0.0.1", "100.64.3.4", "169.254.169.254", "fe80::1", "fd00:ec2::254", "64:ff9b::a9fe:a9fe"] {
                try await Self.use(lookUp: { _ in ["93.184.216.34", inner].compactMap { IPAddress($0) } }) { client in
                    try await Self.expect(.forbidden, client, url, inner)
                }
            }
            try await Self.use { client in try await Self.expect(.unreachable, client, url) }
            #expect(server.heard == 0)
        }
    }

    @Test("numbers that a system takes for addresses are looked up, and what they mean is refused", arguments: ["2130706433", "0177.0.0.1", "0x7f.1"])
    func numbers(_ host: String) async throws {
        try await LoopbackServer.run(Self.answer(1)) { server in
            try await Self.use(lookUp: { Resolver.addresses(of: $0) }) { client in
                let code = try await Self.code(client, "http://\(host):\(server.port)/")
                #expect(code == .forbidden || code == .unreachable)
            }
            #expect(server.heard == 0)
        }
    }

    @Test("answers of one upstream share its bandwidth: the time they take is their bytes by the rate, less one burst")
    func bandwidth() async throws {
        let (rate, size) = (1 << 20, 3 << 20)
        try await LoopbackServer.run(Self.answer(size)) { server in
            let clock = SleepClock()
            var limits = OutboundLimits()
            limits.bandwidth = Int64(rate)
            try await Self.use(limits, time: clock.time) { client in
                let destination = try Destination("http://127.0.0.1:\(server.port)/")
                var received = 0
                for _ in 0..<2 {
                    let answer = try await client.send(.get, destination, [:], reach: .configured)
                    while let chunk = try await answer.body.next() { received += chunk.readableBytes }
                }
                #expect(received == 2 * size)
                let slept = clock.slept.withLock { $0 } / .seconds(1)
                let due = Double(2 * size - (256 << 10)) / Double(rate)
                #expect(abs(slept - due) < 0.001, "\(slept) s for \(due) s")
            }
        }
    }

    @Test("a reader that takes its time is not taken for a silent upstream")
    func slowReader() async throws {
        let size = 64 << 20
        try await LoopbackServer.run(Self.answer(size)) { server in
            var limits = OutboundLimits()
            limits.idleTimeout = .milliseconds(50)
            try await Self.use(limits) { client in
                let answer = try await client.send(.get, try Destination("http://127.0.0.1:\(server.port)/"), [:], reach: .configured)
                var received = try await answer.body.next()?.readableBytes ?? 0
                // Longer than the upstream may be silent: the rest waits in its socket.
                try await Task.sleep(for: .milliseconds(300))
                while let chunk = try await answer.body.next() { received += chunk.readableBytes }
                #expect(received == size)
            }
        }
    }
}
