import ArtifactModel
import StorageAPI

extension MetadataConformance {
    static let accounts: [Case] = [
        Case("an account is given back as it was added, and one of the same name is not added") { f in
            let ann = f.account("ann", roles: ["deployer", "é\"]"])
            try demandEqual(try await f.metadata.add(ann), true)
            var other = f.account("ann", kind: .robot)
            other.passwordHash = ""
            try demandEqual(try await f.metadata.add(other), false)
            try demandEqual(try await f.metadata.account("ann"), ann)
            try demandEqual(try await f.metadata.account("Ann"), nil)
        },
        Case("names are other names in another spelling of é, and are listed page by page in the order of their bytes") { f in
            let names = ["Zoe", "ann", "ann-2", "cafe\u{301}", "caf\u{E9}", "zed"]
            for name in names.reversed() { try demandEqual(try await f.metadata.add(f.account(name)), true) }
            var listed: [String] = []
            while true {
                let page = try await f.metadata.accounts(after: listed.last ?? "", limit: 4)
                listed += page.map(\.name)
                if page.count < 4 { break }
            }
            try demandEqual(listed.map { Array($0.utf8) }, names.map { Array($0.utf8) })
        },
        Case("a password is changed without the roles, and roles without the password; of nobody nothing is changed") { f in
            _ = try await f.metadata.add(f.account("ann", roles: ["a"]))
            _ = try await f.metadata.add(f.account("bob", roles: ["b"]))
            let epoch = [UInt8](repeating: 9, count: 16)
            try demandEqual(try await f.metadata.change("ann", .password(hash: "new", epoch: epoch)), true)
            try demandEqual(try await f.metadata.change("ann", .roles(["c", "a"])), true)
            let ann = try demandValue(try await f.metadata.account("ann"))
            try demandEqual(ann.passwordHash, "new")
            try demandEqual(ann.epoch, epoch)
            try demandEqual(ann.roles, ["c", "a"])
            try demandEqual(try await f.metadata.account("bob"), f.account("bob", roles: ["b"]))
            try demandEqual(try await f.metadata.change("eve", .roles([])), false)
            try demandEqual(try await f.metadata.change("eve", .password(hash: "", epoch: epoch)), false)
        },
        Case("with an account its tokens go, and no others; a new account gets none that bear its name") { f in
            for name in ["ann", "bob"] {
                _ = try await f.metadata.add(f.account(name))
                _ = try await f.addToken("ci", of: name)
            }
            try demandEqual(try await f.metadata.removeAccount("ann"), true)
            try demandEqual(try await f.metadata.account("ann"), nil)
            try demandEqual(try await f.metadata.tokens(of: nil, after: 0, limit: 9).map(\.owner), ["bob"])
            try demandEqual(try await f.metadata.removeAccount("ann"), false)
            let orphan = try await f.addToken("ci", of: "ann")
            try demandEqual(try await f.metadata.add(f.account("ann")), true)
            try demandEqual(try await f.metadata.token(hash: orphan.hash), nil)
        },
    ]

    static let tokens: [Case] = [
        Case("a token is found by its hash and by its id, as it was added") { f in
            var token = try f.token("ci", of: "ann")
            token.grants = ["read:*", "write:docker-local:é/**"]
            token.expires = f.now + .seconds(9)
            let added = try demandValue(try await f.metadata.add(token))
            token.id = added.id
            try demandEqual(added, token)
            try demandEqual(try await f.metadata.token(hash: token.hash), token)
            try demandEqual(try await f.metadata.token(id: token.id), token)
            try demandEqual(try await f.metadata.token(hash: [UInt8](repeating: 0, count: 32)), nil)
            try demandEqual(try await f.metadata.token(id: token.id + 1), nil)
        },
        Case("a name is an owner's once, until its token is revoked; a revoked one is still found, and is not revoked again") { f in
            let first = try await f.addToken("ci", of: "ann")
            try demandEqual(try await f.metadata.add(try f.token("ci", of: "ann", "2")), nil)
            let other = try await f.addToken("ci", of: "bob")
            try demand(other.id != first.id, "two tokens have one id")
            try demandEqual(try await f.metadata.revoke(token: first.id, at: f.now + .seconds(5)), true)
            try demandEqual(try await f.metadata.revoke(token: first.id, at: f.now + .seconds(9)), false)
            try demandEqual(try await f.metadata.revoke(token: first.id + other.id, at: f.now), false)
            try demandEqual(try await f.metadata.token(hash: first.hash)?.revoked, f.now + .seconds(5))
            let again = try demandValue(try await f.metadata.add(try f.token("ci", of: "ann", "2")))
            try demand(again.id > other.id, "an id was given again")
        },
        Case("tokens are listed by id, page by page, of all or of one owner") { f in
            for number in 0..<7 { _ = try await f.addToken("t\(number)", of: number % 2 == 0 ? "ann" : "bob") }
            for owner in [nil, "ann", "bob", "eve"] {
                var listed: [TokenRecord] = []
                while true {
                    let page = try await f.metadata.tokens(of: owner, after: listed.last?.id ?? 0, limit: 2)
                    listed += page
                    if page.count < 2 { break }
                }
                let expected = (0..<7).filter { owner == nil || owner == ($0 % 2 == 0 ? "ann" : "bob") }.map { "t\($0)" }
                try demandEqual(listed.map(\.name), expected)
            }
        },
        Case("uses are noted, an older one does not undo a younger one, and of a token that is gone nothing is written") { f in
            let token = try await f.addToken("ci", of: "ann")
            func use(_ seconds: Int, _ address: String, _ id: Int64) -> TokenUse { TokenUse(token: id, at: f.now + .seconds(seconds), address: address) }
            try await f.metadata.note([use(5, "192.0.2.1", token.id), use(6, "192.0.2.9", token.id + 1)])
            try await f.metadata.note([use(3, "192.0.2.2", token.id)])
            try await f.metadata.note([TokenUse]())
            let noted = try demandValue(try await f.metadata.token(id: token.id))
            try demandEqual(noted.lastUsed, f.now + .seconds(5))
            try demandEqual(noted.lastAddress, "192.0.2.1")
            try demandEqual(try await f.metadata.tokens(of: nil, after: 0, limit: 9).count, 1)
        },
    ]

    static let keys: [Case] = [
        Case("keys are given newest first, by purpose, and one that is not added after the newest is not added") { f in
            try demandEqual(try await f.metadata.add(f.key("a", 1), after: nil, dropping: f.now), true)
            try demandEqual(try await f.metadata.add(f.key("b", 2), after: nil, dropping: f.now), false)
            try demandEqual(try await f.metadata.add(f.key("b", 2), after: "x", dropping: f.now), false)
            try demandEqual(try await f.metadata.add(f.key("b", 2), after: "a", dropping: f.now), true)
            try demandEqual(try await f.metadata.add(f.key("r", 9, for: "renewal"), after: nil, dropping: f.now), true)
            try demandEqual(try await f.metadata.keys(for: "ticket"), [f.key("b", 2), f.key("a", 1)])
            try demandEqual(try await f.metadata.keys(for: "none"), [])
        },
        Case("keys made before a moment are dropped with a new one, of its purpose alone") { f in
            _ = try await f.metadata.add(f.key("r", 1, for: "renewal"), after: nil, dropping: f.now)
            _ = try await f.metadata.add(f.key("a", 1), after: nil, dropping: f.now)
            _ = try await f.metadata.add(f.key("b", 2), after: "a", dropping: f.now)
            _ = try await f.metadata.add(f.key("c", 3), after: "b", dropping: f.now + .seconds(2))
            try demandEqual(try await f.metadata.keys(for: "ticket").map(\.id), ["c", "b"])
            try demandEqual(try await f.metadata.keys(for: "renewal").map(\.id), ["r"])
        },
        Case("a marker is what it was set to last") { f in
            try demandEqual(try await f.metadata.marker("audit"), nil)
            for text in ["one", "two"] { try await f.metadata.setMarker("audit", text) }
            try await f.metadata.setMarker("other", "")
            try demandEqual(try await f.metadata.marker("audit"), "two")
            try demandEqual(try await f.metadata.marker("other"), "")
        },
    ]
}

extension MetadataFixture {
    fileprivate func account(_ name: String, kind: AccountRecord.Kind = .user, roles: [String] = []) -> AccountRecord {
        AccountRecord(
            name: name, kind: kind, passwordHash: "hash of \(name)", epoch: [UInt8](repeating: 7, count: 16), roles: roles, created: self.now,
            createdBy: "tester")
    }

    fileprivate func token(_ name: String, of owner: String, _ secret: String = "") throws -> TokenRecord {
        TokenRecord(
            owner: owner, name: name, hash: try Bytes.digest(of: owner + name + secret).bytes, grants: [], created: self.now, createdBy: "tester", expires: nil)
    }

    fileprivate func addToken(_ name: String, of owner: String) async throws -> TokenRecord {
        try demandValue(try await self.metadata.add(try self.token(name, of: owner)))
    }

    fileprivate func key(_ id: String, _ seconds: Int, for purpose: String = "ticket") -> KeyRecord {
        KeyRecord(id: id, purpose: purpose, secret: [1, 2, 3], created: self.now + .seconds(seconds))
    }
}
