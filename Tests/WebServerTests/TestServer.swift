import ArtifactModel
import Audit
import BlockingWork
import Foundation
import Logging
import NIOCore
import NIOPosix
import RepositoryEngine
import ServiceLifecycle
import Synchronization
import Testing
import WebServer

/// A server on a free port of the loopback, for the time of a test.
struct TestServer: Sendable {
    let port: Int
    let web: WebServer
    let service: ServiceGroup
    let log: LogLines
    let pool: ThreadPool

    /// Talks to the server on a thread where waiting is allowed.
    func talk<T: Sendable>(_ work: @escaping @Sendable (RawClient) throws -> T) async throws -> T {
        let port = self.port
        return try await self.pool.run { try work(RawClient(port: port)) }
    }

    /// Sends one request, with the `Host` that it needs, and reads the response.
    func ask(_ request: String, headers: [String] = [], body: String = "") async throws -> RawClient.Response {
        let text = ([request + " HTTP/1.1", "Host: localhost"] + headers).joined(separator: "\r\n") + "\r\n\r\n" + body
        return try await self.talk { client in
            client.send(text)
            return try client.response(toHead: request.hasPrefix("HEAD"))
        }
    }

    func shutDown() async { await self.service.triggerGracefulShutdown() }

    static func run(
        _ handler: any ArtifactHandler, probes: ServerProbes = ServerProbes(), control: [ControlRoute] = [], pages: any PageHandler = NoPages(),
        audit: any AuditSink = NoAudit(),
        _ change: (inout WebServerConfiguration) -> Void = { _ in }, _ work: @escaping @Sendable (TestServer) async throws -> Void
    ) async throws {
        var configuration = WebServerConfiguration(listeners: [Listener(.internet(host: "127.0.0.1", port: 0))])
        change(&configuration)
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 2)
        let pool = ThreadPool(threads: 12)
        let log = LogLines()
        let (ports, told) = AsyncStream.makeStream(of: Int.self)
        let web = try WebServer(
            configuration, handler: handler, probes: probes, pool: pool, group: group, control: control, pages: pages, audit: audit,
            now: { Timestamp(milliseconds: 784_111_777_000) }, logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }, accessLog: log.accessLog,
            steady: { 0 }
        ) { told.yield($0.compactMap(\.port).first ?? 0) }
        let service = ServiceGroup(configuration: .init(services: [.init(service: web)], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }))
        try await withThrowingTaskGroup(of: Void.self) { tasks in
            tasks.addTask { try await service.run() }
            let port = try #require(await ports.first { _ in true })
            try await work(TestServer(port: port, web: web, service: service, log: log, pool: pool))
            await service.triggerGracefulShutdown()
            try await tasks.waitForAll()
        }
        try await pool.shutdown()
        try await group.shutdownGracefully()
    }
}

/// Keeps the lines of the access log, for who waits for them.
struct LogLines: Sendable {
    private let lines: AsyncStream<[UInt8]>
    private let told: AsyncStream<[UInt8]>.Continuation

    init() { (self.lines, self.told) = AsyncStream.makeStream() }

    var accessLog: AccessLog {
        let told = self.told
        return AccessLog(now: { Timestamp(milliseconds: 784_111_777_042) }) { told.yield($0) }
    }

    /// The next line whose path is this, as it was written.
    func text(_ path: String) async -> String {
        for await bytes in self.lines where Self.members(bytes)["path"] == path { return String(decoding: bytes, as: UTF8.self) }
        return ""
    }

    /// The members of the next line whose path is this; numbers as they stand there.
    func line(_ path: String) async -> [String: String] { Self.members(Array(await self.text(path).utf8)) }

    private static func members(_ bytes: [UInt8]) -> [String: String] {
        // What is no JSON has no members, and the test that waits for one of them fails.
        let object = try? JSONSerialization.jsonObject(with: Data(bytes))
        return (object as? [String: Any])?.mapValues { "\($0)" } ?? [:]
    }
}
