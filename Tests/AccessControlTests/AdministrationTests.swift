import ArtifactModel
import Foundation
import StorageAPI
import Testing

@testable import AccessControl

@Suite("Users and tokens are changed")
struct AdministrationTests {
    private func code(_ work: () async throws -> Void) async -> AdministrationFailure.Code? {
        do {
            try await work()
            return nil
        } catch {
            return (error as? AdministrationFailure)?.code
        }
    }

    @Test("a user is added with a password that is given or made, a robot with none; and is told who made it")
    func add() async throws {
        try await withAccess { f in
            let made = try await f.administration.add("ann", password: .random, roles: ["reader"], by: "bob")
            #expect(try await f.basic("ann", try #require(made.password)).name == "ann")
            #expect(made.record.kind == .user && made.record.createdBy == "bob" && made.record.created == f.time.now)
            #expect(try await f.administration.add("bob", password: .given(AccessFixture.password), roles: [], by: "x").password == nil)
            #expect(try await f.administration.add("ci", password: .none, roles: ["deployer"], by: "x").record.kind == .robot)
            #expect(try await f.administration.users().map(\.name) == ["eve", "ann", "bob", "ci"])
            #expect(try await f.administration.users().map(\.origin) == [.configuration, .user, .user, .robot])
            #expect(try await f.administration.users()[1].effectiveRoles == ["reader", "deployer"])
        }
    }

    @Test("what is no name, no role, no password, or the configuration's, is refused and changes nothing")
    func refused() async throws {
        try await withAccess { f in
            let a = f.administration
            for name in ["", "a b", "a:b", String(repeating: "a", count: 129)] {
                #expect(await self.code { _ = try await a.add(name, password: .random, roles: [], by: "x") } == .invalid)
            }
            #expect(await self.code { _ = try await a.add("eve", password: .random, roles: [], by: "x") } == .taken)
            #expect(await self.code { _ = try await a.add("ann", password: .random, roles: ["redaer"], by: "x") } == .invalid)
            #expect(await self.code { _ = try await a.add("ann", password: .given("short"), roles: [], by: "x") } == .invalid)
            #expect(await self.code { _ = try await a.setPassword(.random, of: "ann") } == .absent)
            #expect(await self.code { _ = try await a.setPassword(.random, of: "eve") } == .taken)
            #expect(await self.code { _ = try await a.setRoles([], of: "ann") } == .absent)
            #expect(await self.code { _ = try await a.remove("ann") } == .absent)
            try await f.addAnn()
            #expect(await self.code { try await f.addAnn() } == .taken)
            _ = try await a.add("ci", password: .none, roles: [], by: "x")
            #expect(await self.code { _ = try await a.setPassword(.random, of: "ci") } == .invalid)
            #expect(await self.code { _ = try await a.setPassword(.none, of: "ann") } == .invalid)
            #expect(try await f.basic("ann").name == "ann")
            let error = await #expect(throws: AdministrationFailure.self) { try await a.setPassword(.given("secret\u{1}secret"), of: "ann") }
            #expect(error?.description.contains("secret") == false)
        }
    }

    @Test("what was is told with the change: roles before, tokens that went")
    func told() async throws {
        try await withAccess { f in
            try await f.addAnn()
            let change = try await f.administration.setRoles(["reader"], of: "ann")
            #expect(change.before == ["deployer"] && change.after == ["reader"])
            let first = try await f.token("one").token
            _ = try await f.token("two", lifetime: .seconds(1))
            _ = try await f.administration.revoke(token: try await f.token("three").token.id)
            f.time.advance(by: .seconds(2))
            let removal = try await f.administration.remove("ann")
            #expect(removal.record.roles == ["reader"] && removal.tokens.map(\.id) == [first.id])
        }
    }

    @Test("the last user with the role admin is neither removed nor loses it, while one of the configuration, a group's or another account counts")
    func lastAdministrator() async throws {
        var policy = try AccessFixture.policy()
        try await withAccess(policy) { f in
            let a = f.administration
            _ = try await a.add("root", password: .random, roles: ["admin", "reader"], by: "x")
            _ = try await a.add("robot", password: .none, roles: ["admin"], by: "x")
            #expect(await self.code { _ = try await a.remove("root") } == .last)
            #expect(await self.code { _ = try await a.setRoles(["reader"], of: "root") } == .last)
            _ = try await a.setRoles(["admin"], of: "root")
            _ = try await a.remove("robot")
            _ = try await a.add("other", password: .random, roles: ["admin"], by: "x")
            let codes = await withTaskGroup(of: AdministrationFailure.Code?.self) { group in
                for name in ["root", "other"] { group.addTask { await self.code { _ = try await a.remove(name) } } }
                return await group.reduce(into: [AdministrationFailure.Code?]()) { $0.append($1) }
            }
            #expect(codes.count { $0 == nil } == 1 && codes.count { $0 == .last } == 1)
        }
        policy.groups[0].roles = ["admin"]
        try await withAccess(policy) { f in
            _ = try await f.administration.add("root", password: .random, roles: ["admin"], by: "x")
            _ = try await f.administration.remove("root")
        }
    }

    @Test("tokens are made for users of either kind, listed, and revoked once by whom they belong to")
    func tokens() async throws {
        try await withAccess { f in
            try await f.addAnn()
            let a = f.administration
            let first = try await f.token(grants: ["read:*"], lifetime: .seconds(60)).token
            let second = try await f.token("cd", of: "eve").token
            #expect(first.expires == f.time.now + .seconds(60) && first.grants == ["read:*"])
            #expect(try await a.tokens().map(\.id) == [first.id, second.id])
            #expect(try await a.tokens(of: "eve").map(\.name) == ["cd"])
            #expect(await self.code { _ = try await f.token() } == .taken)
            #expect(await self.code { _ = try await f.token("x", of: "nobody") } == .absent)
            #expect(await self.code { _ = try await f.token("", of: "ann") } == .invalid)
            #expect(await self.code { _ = try await f.token("x", grants: ["fly:*"]) } == .invalid)
            #expect(await self.code { _ = try await f.token("x", grants: Array(repeating: "read:*", count: 101)) } == .invalid)
            #expect(await self.code { _ = try await f.token("x", lifetime: .zero) } == .invalid)
            #expect(await self.code { _ = try await a.revoke(token: first.id, of: "eve") } == .absent)
            #expect(try await a.revoke(token: first.id, of: "ann").revoked == f.time.now)
            #expect(await self.code { _ = try await a.revoke(token: first.id) } == .absent)
            _ = try await f.token()
        }
    }

    // MARK: The first start

    private func password(_ f: AccessFixture) -> String? {
        FileManager.default.contents(atPath: f.file).map { String(decoding: $0, as: UTF8.self).trimmingCharacters(in: .newlines) }
    }

    @Test("the first start makes admin with the password that its file has, for its owner alone; a second one makes nothing")
    func firstStart() async throws {
        try await withAccess { f in
            #expect(try await f.administration.provideAdministrator() == .made(file: f.file))
            let password = try #require(self.password(f))
            #expect(try FileManager.default.attributesOfItem(atPath: f.file)[.posixPermissions] as? Int == 0o600)
            #expect(try await f.basic("admin", password).roles == ["admin"])
            #expect(try await f.administration.provideAdministrator() == .present)
            #expect(self.password(f) == password)
            _ = try await f.administration.setPassword(.given("another horse"), of: "admin")
            #expect(self.password(f) == nil)
            #expect(try await f.administration.provideAdministrator() == .present)
        }
    }

    @Test("a first start that fails at its n-th write leaves nobody with a password that is nowhere, and the next one makes admin", arguments: 1...3)
    func firstStartFails(write: Int) async throws {
        try await withAccess { f in
            f.ledger.fail(write: write)
            let failed = await self.code { _ = try await f.administration.provideAdministrator() } != nil
            #expect(failed == (write == 1))
            let account = try await f.ledger.account("admin")
            #expect(failed == (account == nil))
            _ = try await f.administration.provideAdministrator()
            #expect(try await f.basic("admin", try #require(self.password(f))).name == "admin")
        }
    }

    @Test("where the password cannot be written there is no account either")
    func unwritable() async throws {
        try await withAccess { f in
            try FileManager.default.createDirectory(atPath: f.file, withIntermediateDirectories: false)
            #expect(await self.code { _ = try await f.administration.provideAdministrator() } == .unavailable)
            #expect(try await f.ledger.account("admin") == nil)
        }
    }

    @Test("an administrator of the configuration is enough, and a user admin without the role is told of")
    func otherAdministrators() async throws {
        var policy = try AccessFixture.policy()
        policy.users[0].roles = ["admin"]
        try await withAccess(policy) { f in
            let outcome = try await f.administration.provideAdministrator()
            #expect(outcome == .present)
            #expect(self.password(f) == nil)
        }
        policy.users[0] = .init(name: try AccountName("admin"), passwordHash: CountingScheme.hash("x"), roles: [])
        try await withAccess(policy) { f in
            guard case .nobody(let text) = try await f.administration.provideAdministrator() else { return #expect(Bool(false), "somebody is there") }
            #expect(text.contains("security.users") && self.password(f) == nil)
        }
        try await withAccess { f in
            _ = try await f.administration.add("admin", password: .random, roles: [], by: "x")
            guard case .nobody(let text) = try await f.administration.provideAdministrator() else { return #expect(Bool(false), "somebody is there") }
            #expect(text.contains("entrepot user roles admin admin"))
        }
    }
}
