import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import Outbound
import RepositoryEngine
import Synchronization
import Testing

@testable import Upstream

@Suite("Signing in to an upstream", .timeLimit(.minutes(1)))
struct SignInTests {
    static let basic = "Basic dTpw"
    static let credentials = UpstreamCredentials.basic(username: "u", password: "p")

    @Test("Basic credentials are sent once they are asked for, and then at once")
    func asked() async throws {
        let script: ScriptedServer.Script = { heard in
            heard["Authorization"] == Self.basic ? .answer(200, [:], "in") : .answer(401, ["WWW-Authenticate": "Basic realm=\"x\""])
        }
        try await ScriptedServer.run(script) { server in
            try await Fixture.use(Fixture.settings(server, Self.credentials)) { upstream in
                #expect(await upstream.text() == "in")
                #expect(await upstream.text() == "in")
                #expect(server.heard.map { $0["Authorization"] } == [nil, Self.basic, Self.basic])
            }
            try await Fixture.use(Fixture.settings(server, .basic(username: "u", password: "wrong"))) { upstream in
                #expect(await upstream.code() == .trouble(.unauthorized))
            }
            try await Fixture.use(Fixture.settings(server)) { upstream in #expect(await upstream.code() == .trouble(.unauthorized)) }
        }
    }

    @Test("what is hidden from strangers is asked for with credentials")
    func hidden() async throws {
        let script: ScriptedServer.Script = { heard in heard["Authorization"] == Self.basic && heard.path == "/a" ? .answer(200, [:], "in") : .answer(404) }
        try await ScriptedServer.run(script) { server in
            try await Fixture.use(Fixture.settings(server, Self.credentials)) { upstream in
                #expect(await upstream.code(UpstreamResource(.below("none"))) == .absent)
                #expect(await upstream.text() == "in")
                #expect(await upstream.code(UpstreamResource(.below("none"))) == .absent)
                #expect(server.heard.map { $0["Authorization"] } == [nil, Self.basic, nil, Self.basic, Self.basic])
            }
        }
    }

    @Test("a static token goes with every request")
    func token() async throws {
        try await ScriptedServer.run({ heard in heard["Authorization"] == "Bearer t" ? .answer(200) : .answer(401) }) { server in
            try await Fixture.use(Fixture.settings(server, .token("t"))) { upstream in #expect(await upstream.code() == nil) }
            try await Fixture.use(Fixture.settings(server, .token("x"))) { upstream in #expect(await upstream.code() == .trouble(.unauthorized)) }
        }
    }

    /// A registry with its token service at `/token`, whose tokens are numbered.
    private final class Registry: Sendable {
        let issued = Mutex(0)
        let refused = Mutex<Set<String>>([])
        let port = Mutex(0)
        /// Where requests for tokens are sent on to.
        let moved = Mutex("")

        @Sendable func script(_ heard: Heard) -> Reply {
            if heard.path.hasPrefix("/token") {
                let place = self.moved.withLock { $0 }
                if !place.isEmpty, heard.path != place || place == "/token" { return .answer(307, ["Location": place]) }
                guard heard["Authorization"] != "Basic dTp3cm9uZw==" else { return .answer(401) }
                let number = self.issued.withLock { number in
                    number += 1
                    return number
                }
                return .answer(200, [:], "{\"token\":\"t\(number)\",\"expires_in\":300}")
            }
            let isIn = heard["Authorization"].map { token in token.hasPrefix("Bearer t") && self.refused.withLock { !$0.contains(token) } } ?? false
            if isIn { return heard.path.hasSuffix("denied/blobs/x") ? .answer(401) : .answer(200, [:], "layer") }
            let realm = "http://127.0.0.1:\(self.port.withLock { $0 })/token"
            return .answer(401, ["WWW-Authenticate": "Bearer realm=\"\(realm)\",service=\"s\",scope=\"repository:a/b:pull\""], "{}")
        }
    }

    private static func withRegistry(_ body: (ScriptedServer, Registry) async throws -> Void) async throws {
        let registry = Registry()
        try await ScriptedServer.run(registry.script) { server in
            registry.port.withLock { $0 = server.port }
            try await body(server, registry)
        }
    }

    @Test("one token serves until it expires, for many requests at once")
    func shared() async throws {
        try await Self.withRegistry { server, registry in
            let clock = HandClock()
            try await Fixture.use(Fixture.settings(server, Self.credentials), clock: clock) { upstream in
                try await withThrowingTaskGroup(of: String.self) { group in
                    for _ in 0..<16 { group.addTask { try await upstream.read(Fixture.named) } }
                    for try await text in group { #expect(text == "layer") }
                }
                #expect(registry.issued.withLock { $0 } == 1)
                let asked = try #require(server.heard.first { $0.path.hasPrefix("/token") })
                #expect(asked.path == "/token?service=s&scope=repository:a/b:pull")
                #expect(asked["Authorization"] == Self.basic)
                let before = server.heard.count
                #expect(await upstream.text(Fixture.named) == "layer")
                #expect(server.heard.count == before + 1)
                clock.advance(.seconds(295))
                #expect(await upstream.text(Fixture.named) == "layer")
                #expect(registry.issued.withLock { $0 } == 2 && server.heard.count == before + 3)
            }
        }
    }

    @Test("a token that is refused before its time is replaced once")
    func replaced() async throws {
        try await Self.withRegistry { server, registry in
            try await Fixture.use(Fixture.settings(server)) { upstream in
                #expect(await upstream.text(Fixture.named) == "layer")
                registry.refused.withLock { _ = $0.insert("Bearer t1") }
                #expect(await upstream.text(Fixture.named) == "layer")
                registry.refused.withLock { $0.formUnion(["Bearer t2", "Bearer t3"]) }
                #expect(await upstream.code(Fixture.named) == .absent)
                #expect(registry.issued.withLock { $0 } == 3)
            }
        }
    }

    @Test("a refusal in spite of a token is a miss; a token service's refusal is trouble")
    func refusals() async throws {
        try await Self.withRegistry { server, _ in
            let denied = UpstreamResource(.named(root: "v2", name: "denied", rest: "blobs/x"))
            try await Fixture.use(Fixture.settings(server)) { upstream in #expect(await upstream.code(denied) == .absent) }
            try await Fixture.use(Fixture.settings(server, .basic(username: "u", password: "wrong"))) { upstream in
                #expect(await upstream.code(denied) == .trouble(.unauthorized))
            }
        }
    }

    @Test("with one connection to the upstream a token is got all the same")
    func narrow() async throws {
        try await Self.withRegistry { server, _ in
            var settings = Fixture.settings(server)
            settings.limits.connections = 1
            try await Fixture.use(settings) { upstream in
                let text = await upstream.text(Fixture.named)
                #expect(text == "layer")
            }
        }
    }

    @Test("a token service of another host gets no credentials, unless it is trusted", arguments: [false, true])
    func strangers(_ isTrusted: Bool) async throws {
        try await ScriptedServer.run({ _ in .answer(200, [:], "{\"token\":\"t\"}") }) { service in
            let realm = "http://localhost:\(service.port)/token"
            let script: ScriptedServer.Script = { heard in
                heard["Authorization"] == "Bearer t" ? .answer(200) : .answer(401, ["WWW-Authenticate": "Bearer realm=\"\(realm)\""])
            }
            try await ScriptedServer.run(script) { server in
                var settings = Fixture.settings(server, Self.credentials)
                settings.trustedHosts = isTrusted ? ["LOCALHOST"] : []
                let local = OutboundSettings(allowPrivate: [try CIDR("127.0.0.0/8"), try CIDR("::1")])
                try await Fixture.use(settings, local) { upstream in #expect(await upstream.code() == nil) }
                #expect(service.heard.map { $0["Authorization"] } == [isTrusted ? Self.basic : nil])
            }
        }
    }

    /// Ask for one token, which comes when `open` says so.
    private final class Askers: Sendable {
        let flights = TokenFlights()
        let asked = Mutex(0)
        let scope: TokenScope
        let open: AsyncStream<Void>.Continuation
        private let gate: AsyncStream<Void>

        init(scope: TokenScope) {
            self.scope = scope
            (self.gate, self.open) = AsyncStream.makeStream(of: Void.self)
        }

        func outcome() async -> String {
            do throws(UpstreamError) {
                return try await self.flights.token(for: self.scope) { () async throws(UpstreamError) in
                    self.asked.withLock { $0 += 1 }
                    for await _ in self.gate { break }
                    return "t"
                }
            } catch {
                return "\(error.code)"
            }
        }
    }

    @Test("a waiting asker that is cancelled goes alone: the one that asks and the others have their token")
    func waiterGone() async throws {
        let scope = try #require(TokenScope(Challenge(scheme: "bearer", parameters: ["realm": "r"])))
        let askers = Askers(scope: scope)
        await withTaskGroup(of: String.self) { group in
            group.addTask { await askers.outcome() }
            while askers.asked.withLock({ $0 }) == 0 { await Task.yield() }
            group.addTask { await askers.outcome() }
            while askers.flights.waiting(for: scope) < 1 { await Task.yield() }
            await withTaskGroup(of: String.self) { inner in
                inner.addTask { await askers.outcome() }
                while askers.flights.waiting(for: scope) < 2 { await Task.yield() }
                inner.cancelAll()
                for await text in inner { #expect(text == "cancelled") }
            }
            #expect(askers.flights.waiting(for: scope) == 1)
            askers.open.yield()
            for await text in group { #expect(text == "t") }
        }
        #expect(askers.asked.withLock { $0 } == 1)
    }

    @Test("a token service's redirect is followed; another host than the remote's is not given the credentials, and TLS is not left")
    func movedService() async throws {
        try await ScriptedServer.run({ _ in .answer(200, [:], "{\"token\":\"far\"}") }) { other in
            try await Self.withRegistry { server, registry in
                registry.moved.withLock { $0 = "/token?moved" }
                try await Fixture.use(Fixture.settings(server, Self.credentials)) { upstream in #expect(await upstream.text(Fixture.named) == "layer") }
                let asked = server.heard.filter { $0.path.hasPrefix("/token") }
                #expect(asked.map(\.path) == ["/token?service=s&scope=repository:a/b:pull", "/token?moved"])
                #expect(asked.map { $0["Authorization"] } == [Self.basic, Self.basic])
                registry.moved.withLock { $0 = "http://localhost:\(other.port)/x" }
                let local = OutboundSettings(allowPrivate: [try CIDR("127.0.0.0/8"), try CIDR("::1")])
                try await Fixture.use(Fixture.settings(server, Self.credentials), local) { upstream in _ = await upstream.text(Fixture.named) }
                #expect(other.heard.map { $0["Authorization"] } == [nil])
                try await Fixture.use(Fixture.settings(server, Self.credentials)) { upstream in
                    #expect(await upstream.code(Fixture.named) == .trouble(.forbidden), "a private address")
                }
                registry.moved.withLock { $0 = "/token" }
                try await Fixture.use(Fixture.settings(server)) { upstream in #expect(await upstream.code(Fixture.named) == .trouble(.badAnswer), "in a circle")
                }
                #expect(other.heard.count == 1)
            }
        }
    }

    @Test("an asker that is cancelled hands the turn to the next, and breaks nothing")
    func handedOn() async throws {
        let scope = try #require(TokenScope(Challenge(scheme: "bearer", parameters: ["realm": "r"])))
        let flights = TokenFlights()
        let (begun, begin) = AsyncStream.makeStream(of: Void.self)
        try await withThrowingTaskGroup(of: Void.self) { group in
            group.addTask {
                await withTaskGroup(of: Void.self) { inner in
                    inner.addTask {
                        // Cancelled as soon as it waits.
                        _ = try? await flights.token(for: scope) { () async throws(UpstreamError) in
                            begin.yield()
                            do { try await Task.sleep(for: .seconds(600)) } catch { throw UpstreamError(.cancelled, "") }
                            return "never"
                        }
                    }
                    for await _ in begun { break }
                    inner.cancelAll()
                }
            }
            try await group.waitForAll()
        }
        let second = try await flights.token(for: scope) { () async throws(UpstreamError) in "second" }
        #expect(second == "second")
    }
}
