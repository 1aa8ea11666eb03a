import ArtifactModel
import StorageAPI

extension MetadataConformance {
    static let accounts: [Case] = [
        Case("an account's name is taken once, and what is changed of it is all that changes") { f in
            let ann = f.account("ann", roles: ["a", "b"])
            try demandEqual(try await f.metadata.add(ann), true)
            try demandEqual(try await f.metadata.add(f.account("ann", roles: [])), false)
            try demandEqual(try await f.metadata.account("ann"), ann)
            var changed = ann
            (changed.passwordHash, changed.epoch, changed.roles) = ("other", [9], [])
            try demandEqual(try await f.metadata.change(changed), true)
            try demandEqual(try await f.metadata.account("ann"), changed)
            try demandEqual(try await f.metadata.change(f.account("nobody")), false)
            try demandEqual(try await f.metadata.account("nobody"), nil)
        },
        Case("accounts are listed in byte-wise order, in pages") { f in
            for name in ["b", "a", "Z", "é"] { _ = try await f.metadata.add(f.account(name)) }
            try demandEqual(try await f.metadata.accounts(after: "", limit: 9).map(\.name), ["Z", "a", "b", "é"])
            try demandEqual(try await f.metadata.accounts(after: "a", limit: 1).map(\.name), ["b"])
        },
        Case("an account's tokens go with it, and those of others stay") { f in
            _ = try await f.metadata.add(f.account("ann"))
            let own = try demandValue(try await f.metadata.add(f.token("ann", "ci", hash: 1)))
            let other = try demandValue(try await f.metadata.add(f.token("bob", "ci", hash: 2)))
            try demandEqual(try await f.metadata.removeAccount("ann"), true)
            try demandEqual(try await f.metadata.removeAccount("ann"), false)
            try demandEqual(try await f.metadata.token(id: own.id), nil)
            try demandEqual(try await f.metadata.token(hash: other.hash), other)
        },
        Case("a token's name is taken until it is revoked, and it is found by its hash for good") { f in
            let first = try demandValue(try await f.metadata.add(f.token("ann", "ci", hash: 1, grants: ["read:*", "write:a:b/**"], expires: 5)))
            try demandEqual(try await f.metadata.add(f.token("ann", "ci", hash: 2)), nil)
            try demandEqual(try await f.metadata.revoke(token: first.id, at: f.now), true)
            try demandEqual(try await f.metadata.revoke(token: first.id, at: f.now), false)
            let second = try demandValue(try await f.metadata.add(f.token("ann", "ci", hash: 2)))
            try demand(second.id != first.id, "a number was given again")
            var revoked = first
            revoked.revoked = f.now
            try demandEqual(try await f.metadata.token(hash: first.hash), revoked)
            try demandEqual(try await f.metadata.tokens(of: "ann", after: 0, limit: 9), [revoked, second])
            try demandEqual(try await f.metadata.tokens(of: nil, after: first.id, limit: 9), [second])
            try demandEqual(try await f.metadata.tokens(of: "bob", after: 0, limit: 9), [])
        },
        Case("the latest use of a token counts") { f in
            let token = try demandValue(try await f.metadata.add(f.token("ann", "ci", hash: 1)))
            let use = TokenUse(token: token.id, at: f.now, address: "10.0.0.1")
            try await f.metadata.note([use, TokenUse(token: 99_999, at: f.now, address: "x")])
            try await f.metadata.note([TokenUse(token: token.id, at: f.now - .seconds(1), address: "late")])
            try demandEqual(try await f.metadata.token(id: token.id)?.lastUsed, f.now)
            try demandEqual(try await f.metadata.token(id: token.id)?.lastAddress, "10.0.0.1")
        },
        Case("a key is added after the newest that the writer knew, and old ones are dropped") { f in
            func key(_ id: String, _ at: Int64) -> KeyRecord { KeyRecord(id: id, purpose: "p", secret: [1, 2], created: Timestamp(milliseconds: at)) }
            try demandEqual(try await f.metadata.add(key("a", 1), after: nil, dropping: Timestamp(milliseconds: 0)), true)
            try demandEqual(try await f.metadata.add(key("b", 2), after: nil, dropping: Timestamp(milliseconds: 0)), false)
            try demandEqual(try await f.metadata.add(key("b", 2), after: "a", dropping: Timestamp(milliseconds: 0)), true)
            try demandEqual(try await f.metadata.add(key("c", 3), after: "a", dropping: Timestamp(milliseconds: 0)), false)
            try demandEqual(try await f.metadata.keys(for: "p"), [key("b", 2), key("a", 1)])
            try demandEqual(try await f.metadata.add(key("c", 3), after: "b", dropping: Timestamp(milliseconds: 2)), true)
            try demandEqual(try await f.metadata.keys(for: "p").map(\.id), ["c", "b"])
            try demandEqual(try await f.metadata.keys(for: "q"), [])
        },
        Case("a marker says what was written last") { f in
            try demandEqual(try await f.metadata.marker("m"), nil)
            try await f.metadata.setMarker("m", "1")
            try await f.metadata.setMarker("m", "2")
            try demandEqual(try await f.metadata.marker("m"), "2")
        },
    ]
}

extension MetadataFixture {
    fileprivate func account(_ name: String, roles: [String] = []) -> AccountRecord {
        AccountRecord(name: name, kind: .user, passwordHash: "hash", epoch: [1, 2], roles: roles, created: self.now, createdBy: "test")
    }

    fileprivate func token(_ owner: String, _ name: String, hash: UInt8, grants: [String] = [], expires: Int64? = nil) -> TokenRecord {
        TokenRecord(
            owner: owner, name: name, hash: [hash], grants: grants, created: self.now, createdBy: "test",
            expires: expires.map { Timestamp(milliseconds: $0) })
    }
}
