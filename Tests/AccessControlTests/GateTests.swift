import ArtifactModel
import StorageAPI
import Synchronization
import Testing

@testable import AccessControl

@Suite("Who somebody is")
struct GateTests {
    @Test("an account and a user of the configuration are known by their passwords, with the roles of their groups and everybody's")
    func passwords() async throws {
        var policy = try AccessFixture.policy()
        policy.anonymousRoles = ["public"]
        try await withAccess(policy) { f in
            try await f.addAnn()
            let ann = try await f.basic("ann")
            #expect(ann.name == "ann" && ann.roles == ["deployer", "reader", "public"] && ann.means == .password && ann.limits == .none)
            let eve = try await f.basic("eve")
            #expect(eve.roles == ["deployer", "reader", "public"] && eve.basis != .nothing && eve.basis != ann.basis)
            #expect(try await f.principal(.none) == .anonymous(roles: ["public"]))
            #expect(f.gate.anonymous.roles == ["public"] && !f.gate.isOpen)
        }
    }

    @Test("what nobody has is wrong, all of it in the same words")
    func wrong() async throws {
        try await withAccess { f in
            try await f.addAnn()
            _ = try await f.administration.add("robot", password: .none, roles: [], by: "test")
            let token = try await f.token()
            let others: [Credentials] = [
                .basic(name: "ann", secret: "wrong horse"), .basic(name: "nobody", secret: AccessFixture.password), .basic(name: "ann", secret: ""),
                .basic(name: "robot", secret: AccessFixture.password), .basic(name: "", secret: AccessFixture.password),
                .basic(name: "a b", secret: AccessFixture.password), .basic(name: "eve", secret: "wrong horse"),
                .basic(name: "ann", secret: String(repeating: "a", count: 257)), .basic(name: "eve", secret: token.text),
                .basic(name: "ann", secret: "entrepot_" + String(repeating: "a", count: 42)), .basic(name: "ann", secret: "entrepot_"),
                .bearer("entrepot_" + String(repeating: "a", count: 42)), .bearer("entrepotr_AAAA"), .bearer("a.b.c"), .bearer(""), .unreadable,
            ]
            for (index, credentials) in others.enumerated() {
                do {
                    _ = try await f.principal(credentials, from: "192.0.2.\(index)")
                    Issue.record("\(credentials) counted")
                } catch let failure as AccessFailure {
                    #expect(failure.code == .wrong && failure.message == AccessFailure.wrong.message && failure.cause == nil, "\(credentials)")
                }
            }
        }
    }

    @Test("an unknown name, a robot and a known name cost one hash each")
    func sameCost() async throws {
        try await withAccess { f in
            try await f.addAnn()
            _ = try await f.administration.add("robot", password: .none, roles: [], by: "test")
            for (index, name) in ["ann", "eve", "nobody", "robot"].enumerated() {
                #expect(await f.failure { _ = try await f.basic(name, "wrong horse") } == .wrong)
                #expect(f.hashes.compared.count == index + 1, "\(name)")
            }
        }
    }

    @Test("a password is hashed once a minute, whoever sends it how often, and a right name with another password is hashed again")
    func cache() async throws {
        try await withAccess { f in
            try await f.addAnn()
            for index in 0..<50 { _ = try await f.basic("ann", from: "192.0.2.\(index)") }
            #expect(f.hashes.compared.count == 1)
            f.time.advance(by: .seconds(59))
            _ = try await f.basic("ann")
            #expect(f.hashes.compared.count == 1)
            f.time.advance(by: .seconds(1))
            _ = try await f.basic("ann")
            #expect(f.hashes.compared.count == 2)
            #expect(await f.failure { _ = try await f.basic("ann", "correct horsf") } == .wrong)
            #expect(f.hashes.compared.count == 3)
        }
    }

    @Test("what was verified is forgotten at once where it is changed here: password, roles, account")
    func drop() async throws {
        try await withAccess { f in
            try await f.addAnn()
            _ = try await f.basic("ann")
            _ = try await f.administration.setRoles(["reader"], of: "ann")
            #expect(try await f.basic("ann").roles == ["reader", "deployer"])
            _ = try await f.administration.setPassword(.given("another horse"), of: "ann")
            #expect(await f.failure { _ = try await f.basic("ann") } == .wrong)
            _ = try await f.basic("ann", "another horse")
            _ = try await f.administration.remove("ann")
            #expect(await f.failure { _ = try await f.basic("ann", "another horse") } == .wrong)
        }
    }

    @Test("a password that is changed while it is verified is not remembered")
    func changedMeanwhile() async throws {
        try await withAccess { f in
            try await f.addAnn()
            f.hashes.hold()
            async let verified = f.basic("ann")
            while f.hashes.compared.isEmpty { await Task.yield() }
            _ = try await f.administration.setPassword(.given("another horse"), of: "ann")
            f.hashes.unhold()
            _ = try await verified
            #expect(await f.failure { _ = try await f.basic("ann") } == .wrong)
        }
    }

    @Test("a hundred requests that bring one password at the same time have it hashed once")
    func shared() async throws {
        try await withAccess { f in
            try await f.addAnn()
            f.hashes.hold()
            let count = try await withThrowingTaskGroup(of: Principal.self) { group in
                for _ in 0..<100 { group.addTask { try await f.basic("ann") } }
                while f.hashes.compared.isEmpty { await Task.yield() }
                f.hashes.unhold()
                return try await group.reduce(0) { $0 + ($1.name == "ann" ? 1 : 0) }
            }
            #expect(count == 100)
            #expect(f.hashes.compared.count == 1)
        }
    }

    @Test("where the one who verifies for others is cancelled while it waits, one of them goes on")
    func handedOver() async throws {
        let shared = SharedVerification<Int, Int>()
        let line = WaitingLine(atOnce: 1, waiting: 9)
        let order = Events()
        try await withThrowingTaskGroup(of: Void.self) { group in
            let held = AsyncStream.makeStream(of: Void.self)
            group.addTask {
                try await line.run { () throws(AccessFailure) in
                    await order.note("held")
                    for await _ in held.stream { break }
                }
            }
            await order.wait(for: "held")
            // Each stands in line for as long as the first one holds it.
            let first = Task {
                await order.note("first")
                return try await shared.value(1) { () throws(AccessFailure) in try await line.run { () throws(AccessFailure) in 1 } }
            }
            await order.wait(for: "first")
            let second = Task {
                await order.note("second")
                return try await shared.value(1) { () throws(AccessFailure) in try await line.run { () throws(AccessFailure) in 2 } }
            }
            await order.wait(for: "second")
            first.cancel()
            #expect(await first.result.isCancelled)
            held.continuation.finish()
            #expect(try await second.value == 2)
            try await group.waitForAll()
        }
    }

    @Test("of passwords that are hashed at once more than may wait are refused as busy, and no failure is held against anyone")
    func busy() async throws {
        try await withAccess(waiting: 3) { f in
            try await f.addAnn()
            f.hashes.hold()
            let codes = await withTaskGroup(of: AccessFailure.Code?.self) { group in
                for number in 0..<20 {
                    group.addTask { await f.failure { _ = try await f.basic("user\(number)", from: "192.0.2.\(number)") } }
                }
                var codes: [AccessFailure.Code?] = []
                // Two are hashed and three wait: all others come back.
                while codes.count < 15, let code = await group.next() { codes.append(code) }
                f.hashes.unhold()
                for await code in group { codes.append(code) }
                return codes
            }
            #expect(codes.count { $0 == .busy } == 15 && codes.count { $0 == .wrong } == 5)
            let pairs = f.gate.backOff.withLock { $0.count }
            #expect(pairs == 5)
        }
    }

    @Test("who guesses waits, and neither another address nor what is remembered nor a token waits with it; a wait is no hash")
    func throttled() async throws {
        try await withAccess { f in
            try await f.addAnn()
            let token = try await f.token()
            _ = try await f.basic("ann")
            for _ in 0..<6 { #expect(await f.failure { _ = try await f.basic("ann", "wrong horse") } == .wrong) }
            let hashed = f.hashes.compared.count
            for name in ["ann"] {
                do {
                    _ = try await f.basic(name, "wrong horse")
                    Issue.record("it was let through")
                } catch let failure as AccessFailure {
                    #expect(failure.code == .throttled && failure.retryAfter == .seconds(1))
                }
            }
            #expect(f.hashes.compared.count == hashed)
            _ = try await f.basic("ann")
            #expect(try await f.basic("ann", token.text).name == "ann")
            #expect(await f.failure { _ = try await f.basic("ann", "entrepot_" + String(repeating: "a", count: 42)) } == .throttled)
            #expect(try await f.basic("ann", from: "192.0.2.2").name == "ann")
            f.time.advance(by: .seconds(61))
            #expect(try await f.basic("ann").name == "ann")
            #expect(await f.failure { _ = try await f.basic("ann", "wrong horse") } == .wrong)
        }
    }

    @Test("unknown bearer tokens are counted under their address, and hold up no token that is right")
    func unknownTokens() async throws {
        try await withAccess { f in
            try await f.addAnn()
            for _ in 0..<6 { #expect(await f.failure { _ = try await f.principal(.bearer("x.y.z")) } == .wrong) }
            #expect(await f.failure { _ = try await f.principal(.bearer("x.y.z")) } == .throttled)
            #expect(try await f.principal(.bearer(try await f.token().text)).name == "ann")
            #expect(try await f.basic("ann").name == "ann")
        }
    }

    @Test("a database that cannot be asked makes nobody wrong, and is no failure of who asks")
    func unavailable() async throws {
        try await withAccess { f in
            try await f.ledger.breakReads {
                for _ in 0..<9 { #expect(await f.failure { _ = try await f.basic("ann") } == .unavailable) }
            }
            try await f.addAnn()
            #expect(try await f.basic("ann").name == "ann")
        }
    }
}

/// Notes what happened, and lets others wait for it.
actor Events {
    private var seen: Set<String> = []
    private var waiters: [String: [CheckedContinuation<Void, Never>]] = [:]

    func note(_ event: String) {
        self.seen.insert(event)
        for waiter in self.waiters.removeValue(forKey: event) ?? [] { waiter.resume() }
    }

    func wait(for event: String) async {
        if self.seen.contains(event) { return }
        await withCheckedContinuation { self.waiters[event, default: []].append($0) }
    }
}

extension Result where Failure == any Error {
    fileprivate var isCancelled: Bool {
        if case .failure(let error) = self { (error as? AccessFailure)?.code == .cancelled } else { false }
    }
}
