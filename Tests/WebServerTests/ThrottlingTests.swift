import FormatAPI
import Testing

@testable import WebServer

@Suite("limits on who sends requests")
struct ThrottlingTests {
    private static let second: Int64 = 1_000_000_000

    @Test("a bucket gives ten seconds' worth at once, then one for each step, and no more after a long pause", arguments: [1, 3, 100])
    func bucket(rate: Int) {
        let rule = SenderLimits(requests: rate)
        var allowance = Allowance()
        func most(at now: Int64) -> Int {
            var count = 0
            while allowance.enter(rule, now: now) == .admitted { count += 1 }
            return count
        }
        #expect(most(at: 0) == rate * 10)
        #expect(most(at: Self.second / 2) == rate / 2)
        // A third of a second is no whole number of nanoseconds.
        #expect(most(at: Self.second + 10) == rate - rate / 2)
        #expect(most(at: 1000 * Self.second) == rate * 10)
    }

    @Test("who is refused is told how long until the next token, and being refused costs none")
    func wait() {
        let rule = SenderLimits(requests: 2)
        var allowance = Allowance()
        for _ in 0..<20 { Self.expect(.admitted, &allowance, rule, at: 0) }
        for now in [0, 100, Self.second / 4] { Self.expect(.tooFast(wait: Self.second / 2 - now), &allowance, rule, at: now) }
        Self.expect(.admitted, &allowance, rule, at: Self.second / 2)
    }

    @Test("as many run at once as may, and one that ends lets another in")
    func concurrent() {
        let rule = SenderLimits(concurrent: 2)
        var allowance = Allowance()
        for verdict in [Allowance.Verdict.admitted, .admitted, .tooManyAtOnce] { Self.expect(verdict, &allowance, rule, at: 0) }
        allowance.leave()
        Self.expect(.admitted, &allowance, rule, at: 0)
        Self.expect(.tooManyAtOnce, &allowance, rule, at: 0)
    }

    @Test("a clock that steps back a little neither gives nor takes")
    func clock() {
        let rule = SenderLimits(requests: 1)
        var allowance = Allowance()
        for _ in 0..<10 { Self.expect(.admitted, &allowance, rule, at: 100) }
        Self.expect(.tooFast(wait: Self.second + 100), &allowance, rule, at: 0)
    }

    private static func expect(
        _ verdict: Allowance.Verdict, _ allowance: inout Allowance, _ rule: SenderLimits, at now: Int64, sourceLocation: SourceLocation = #_sourceLocation
    ) {
        let found = allowance.enter(rule, now: now)
        #expect(found == verdict, sourceLocation: sourceLocation)
    }

    @Test("a table keeps to its room however many come, and forgets no request that runs")
    func bounded() {
        let table = AllowanceTable<Int>(SenderLimits(requests: 5, concurrent: 1), shards: 4, room: 400)
        for key in 0..<50 { #expect(table.enter(key, now: 0) == .admitted) }
        for key in 1000..<20_000 {
            #expect(table.enter(key, now: 1) == .admitted)
            table.leave(key)
        }
        #expect(table.count <= 400)
        for key in 0..<50 { #expect(table.enter(key, now: 2) == .tooManyAtOnce, "\(key) was forgotten") }
    }

    @Test("who has used most is remembered longest")
    func remembered() {
        let table = AllowanceTable<Int>(SenderLimits(requests: 1), shards: 1, room: 100)
        for _ in 0..<10 { #expect(table.enter(-1, now: 0) == .admitted) }
        for key in 0..<5000 { #expect(table.enter(key, now: 0) == .admitted) }
        // All of them still run: the room is passed, and nothing is lost.
        #expect(table.enter(-1, now: 0) != .admitted && table.count == 5001)
        for key in 0..<5000 { table.leave(key) }
        for _ in 0..<10 { table.leave(-1) }
        for key in 6000..<7000 {
            #expect(table.enter(key, now: 0) == .admitted)
            table.leave(key)
        }
        #expect(table.enter(-1, now: 0) != .admitted && table.count <= 101)
    }

    @Test(
        "an IPv6 network of 64 bits is one client, and so is an IPv4 address in whatever clothes",
        arguments: [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", true), ("2001:db8:1:2::1", "2001:db8:1:3::1", false), ("192.0.2.1", "::ffff:192.0.2.1", true),
            ("192.0.2.1", "192.0.2.2", false), ("unknown", "unknown", true), ("unknown", "unix", false), ("0.0.0.1", "::1", false),
        ])
    func keys(a: String, b: String, same: Bool) { #expect((ClientKey(a) == ClientKey(b)) == same) }

    @Test("a place is given back once, with all that was taken, and takes nothing after that")
    func places() throws {
        var limits = Limits()
        limits.address.concurrent = 1
        limits.principal.concurrent = 1
        let made = RequestLimits(limits, now: { 0 })
        let table = try #require(made)
        let first = table.place(for: "192.0.2.1")
        try first.enter()
        try first.admit(principal: "ann")
        try first.admit(principal: "ann")
        try first.admit(principal: "")
        let second = table.place(for: "192.0.2.1")
        let third = table.place(for: "192.0.2.2")
        #expect(throws: FormatError.self) { try second.enter() }
        #expect(throws: FormatError.self) { try second.enter(counts: false) }
        try third.enter()
        #expect(throws: FormatError.self) { try third.admit(principal: "ann") }
        second.release()
        third.release()
        #expect(throws: FormatError.self) { try second.enter() }
        first.release()
        first.release()
        try first.admit(principal: "ann")
        try second.enter()
        try second.admit(principal: "ann")
        #expect(table.samples.map(\.value) == [2, 1])
    }

    @Test("without a limit there is no table")
    func none() {
        let made = RequestLimits(Limits(), now: { 0 })
        #expect(made == nil)
    }
}

@Suite("limits over connections", .timeLimit(.minutes(2)))
struct ThrottledServerTests {
    @Test("too many requests are 429 with Retry-After, in the format's words, and health is answered all the same")
    func refused() async throws {
        try await TestServer.run(TestHandler(), { $0.limits.address.requests = 1 }) { server in
            for _ in 0..<10 { #expect(try await server.ask("GET /what").status == 200) }
            let refused = try await server.ask("PUT /worded/x", headers: ["Content-Length: 3"], body: "abc")
            #expect(refused.status == 429 && refused["Retry-After"] == "1" && refused.text.hasPrefix("<your address sends more requests"))
            #expect(refused["Connection"] == nil)
            let plain = try await server.ask("GET /what")
            #expect(plain.status == 429 && plain["Retry-After"] == "1" && plain["Content-Type"] == "text/plain; charset=utf-8")
            for _ in 0..<5 { #expect(try await server.ask("GET /health/live").status == 200) }
            let line = await server.log.line("/worded/x")
            #expect(line["status"] == "429" && line["operation"] == "throttled")
        }
    }

    @Test("a place is free again when the request ends, also where its client hangs up")
    func slots() async throws {
        let (hung, tell) = AsyncStream.makeStream(of: Void.self)
        let handler = TestHandler(hung: { tell.yield() })
        try await TestServer.run(handler, { $0.limits.address.concurrent = 1 }) { server in
            for _ in 0..<3 {
                let gate = Gate()
                async let hanging: Void = server.talk { client in
                    client.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
                    gate.pass()
                    client.reset()
                }
                _ = await hung.first { _ in true }
                #expect(try await server.ask("GET /what").status == 429)
                gate.open()
                try await hanging
                // The line is written before the place is given back, and the next request comes in after the line.
                _ = await server.log.line("/hang")
                var status = 429
                while status == 429 { status = try await server.ask("GET /what").status }
                #expect(status == 200)
            }
        }
    }

    @Test("behind a trusted proxy the limit is each client's own, and what a client says of itself is not believed without one")
    func forwarded() async throws {
        try await TestServer.run(TestHandler(), { $0.limits.address.requests = 1 }) { server in
            for number in 0..<11 {
                let status = try await server.ask("GET /what", headers: ["X-Forwarded-For: 192.0.2.\(number)"]).status
                #expect(status == (number < 10 ? 200 : 429))
            }
        }
        let trusting: @Sendable (inout WebServerConfiguration) -> Void = { configuration in
            configuration.limits.address.requests = 1
            // A literal that is a network.
            configuration.trustedProxies = [try? AddressBlock("127.0.0.1/32")].compactMap { $0 }
        }
        try await TestServer.run(TestHandler(), trusting) { server in
            for number in 0..<11 {
                #expect(try await server.ask("GET /what", headers: ["X-Forwarded-For: 192.0.2.\(number)"]).status == 200)
                let status = try await server.ask("GET /what", headers: ["X-Forwarded-For: 2001:db8::\(number)"]).status
                #expect(status == (number < 10 ? 200 : 429))
            }
        }
    }
}
