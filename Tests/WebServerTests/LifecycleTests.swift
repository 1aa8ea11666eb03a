import ArtifactModel
import BlockingWork
import Glibc
import NIOCore
import Synchronization
import Testing

@testable import WebServer

@Suite("time-outs and ends", .timeLimit(.minutes(2)))
struct LifecycleTests {
    private static func short(_ set: @escaping @Sendable (inout Timeouts, Duration) -> Void) -> @Sendable (inout WebServerConfiguration) -> Void {
        { set(&$0.timeouts, .milliseconds(200)) }
    }

    @Test("a head that is not finished in time is 408, and the connection ends")
    func slowHead() async throws {
        try await TestServer.run(TestHandler(), Self.short({ $0.head = $1 })) { server in
            try await server.talk { client in
                client.send("GET /letters HTTP/1.1\r\nHost:")
                let response = try client.response()
                #expect(response.status == 408 && client.isEnded())
            }
            try await server.talk { client in
                client.send("GET /letters HTTP/1.1\r\nHost: a\r\n\r\n")
                let first = try client.response()
                client.send("GET /l")
                let second = try client.response()
                #expect(first.status == 200 && second.status == 408)
            }
        }
    }

    @Test("a connection that idles is closed")
    func idle() async throws {
        try await TestServer.run(TestHandler(), Self.short({ $0.keepAlive = $1 })) { server in
            try await server.talk { client in
                client.send("GET /letters HTTP/1.1\r\nHost: a\r\n\r\n")
                let response = try client.response()
                #expect(response.status == 200 && client.isEnded())
            }
        }
    }

    @Test("a body that stops coming is an error")
    func stalledBody() async throws {
        try await TestServer.run(TestHandler(), Self.short({ $0.body = $1 })) { server in
            try await server.talk { client in
                client.send("PUT /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nabc")
                let response = try client.response()
                #expect(response.status == 400 && response["Connection"] == "close")
            }
        }
    }

    @Test("a reader that stops reading is cut, its file closed, and what it took is counted")
    func stalledReader() async throws {
        let file = try TestFile(size: 32 << 20)
        try await TestServer.run(TestHandler(file: file), Self.short({ $0.stall = $1 })) { server in
            let client = try await server.pool.run {
                let client = try RawClient(port: server.port, receiveBuffer: 65_536)
                client.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
                return Kept(client)
            }
            await file.waitForClose()
            let line = await server.log.line("/file")
            let sent = try #require(line["sent"].flatMap { Int64($0) })
            #expect(line["cancelled"] == "true" && sent > 0 && sent < 32 << 20)
            client.value.withLock { $0.close() }
        }
    }

    @Test("a client that goes away cancels what is done for it")
    func cancelled() async throws {
        let (hung, tell) = AsyncStream.makeStream(of: Void.self)
        let (ended, tellEnd) = AsyncStream.makeStream(of: Void.self)
        let handler = TestHandler(cancelled: { tellEnd.yield() }, hung: { tell.yield() })
        try await TestServer.run(handler) { server in
            let gate = Gate()
            async let talk: Void = server.talk { client in
                client.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
                gate.pass()
                client.reset()
            }
            _ = await hung.first { _ in true }
            gate.open()
            _ = await ended.first { _ in true }
            try await talk
            let line = await server.log.line("/hang")
            #expect(line["cancelled"] == "true")
        }
    }

    @Test("at the end idle connections close at once, and what runs is finished and told to close")
    func drain() async throws {
        let file = try TestFile(size: 32 << 20)
        let bytes = try file.bytes()
        try await TestServer.run(TestHandler(file: file)) { server in
            let (begun, tell) = AsyncStream.makeStream(of: Void.self)
            let wait = Gate()
            async let idle = server.talk { client in
                client.send("GET /letters HTTP/1.1\r\nHost: a\r\n\r\n")
                _ = try client.response()
                tell.yield()
                return client.isEnded()
            }
            async let running = server.talk { client in
                client.send("GET /file HTTP/1.1\r\nHost: a\r\n\r\n")
                let head = try client.head()
                tell.yield()
                wait.pass()
                return (head.status, try client.take(32 << 20) == bytes, client.isEnded())
            }
            var iterator = begun.makeAsyncIterator()
            await iterator.next()
            await iterator.next()
            await server.shutDown()
            let wasIdle = try await idle
            wait.open()
            let result = try await running
            #expect(wasIdle && result.0 == 200 && result.1 && result.2)
        }
    }

    @Test("what still runs when the drain time is over is cut")
    func drainDeadline() async throws {
        let (hung, tell) = AsyncStream.makeStream(of: Void.self)
        let (ended, tellEnd) = AsyncStream.makeStream(of: Void.self)
        try await TestServer.run(TestHandler(cancelled: { tellEnd.yield() }, hung: { tell.yield() }), Self.short({ $0.drain = $1 })) { server in
            async let talk = server.talk { client in
                client.send("GET /hang HTTP/1.1\r\nHost: a\r\n\r\n")
                return client.isEnded()
            }
            _ = await hung.first { _ in true }
            await server.shutDown()
            _ = await ended.first { _ in true }
            let cut = try await talk
            #expect(cut)
        }
    }
}

/// A gate that a thread waits at until another opens it.
final class Gate: Sendable {
    private let pipe: (read: CInt, write: CInt)

    init() {
        var ends: [CInt] = [-1, -1]
        Glibc.pipe(&ends)
        self.pipe = (ends[0], ends[1])
    }

    deinit {
        close(self.pipe.read)
        close(self.pipe.write)
    }

    func open() {
        var byte: UInt8 = 1
        write(self.pipe.write, &byte, 1)
    }

    func pass() {
        var byte: UInt8 = 0
        read(self.pipe.read, &byte, 1)
    }
}
