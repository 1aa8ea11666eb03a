import Foundation
import Testing

/// A server with access control, and the commands that say who may come in.
private let guarded = """
    configVersion: 1
    repositories:
      files: { format: raw, type: hosted }
    security:
      roles: { reader: ["read:files"], writer: ["read:files", "write:files:ann/**"] }
      groups: { writers: { members: [ann], roles: [writer] } }

    """

private struct Operator {
    let server: ServerProcess

    func run(_ command: [String], input: String? = nil) async throws -> Ended {
        let options = ["--config", self.server.configurationFile.path, "--data", self.server.data.path]
        let file = self.server.folder.appending(path: "input")
        if let input { try Data(input.utf8).write(to: file) }
        return try await ended([Surroundings.binary] + command + options, in: self.server.folder, input: input == nil ? nil : file)
    }

    func succeed(_ command: [String], input: String? = nil) async throws -> String {
        let ended = try await self.run(command, input: input)
        try #require(ended.status == 0, "\(command): \(ended.errors)")
        return ended.output.trimmingCharacters(in: .newlines)
    }

    /// What a GET of a file is answered, with these as Basic.
    func status(_ name: String, _ secret: String, method: String = "GET", path: String = "ann/x") async throws -> Int {
        let credentials = Data("\(name):\(secret)".utf8).base64EncodedString()
        let body: [UInt8]? = method == "PUT" ? [1] : nil
        return try await self.server.send(method, "/repository/files/\(path)", headers: ["Authorization: Basic \(credentials)"], body: body).status
    }
}

/// `run`, for where a method has its name.
private func ended(_ line: [String], in folder: URL, input: URL?) async throws -> Ended { try await run(line, in: folder, input: input) }

extension Clients {
    @Suite("users and tokens", .timeLimit(.minutes(3))) struct Accounts {
        @Test("the first start says where admin's password is, it works, and the file goes when it is changed")
        func firstStart() async throws {
            try await withServer(guarded) { server in
                let file = server.data.appending(path: "admin-password")
                #expect(server.child.errorText.contains(file.path))
                let password = try String(contentsOf: file, encoding: .utf8).trimmingCharacters(in: .newlines)
                #expect(try FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int == 0o600)
                let it = Operator(server: server)
                #expect(try await server.send("GET", "/repository/files/ann/x").status == 401)
                #expect(try await it.status("admin", password, method: "PUT") == 201)
                #expect(try await it.succeed(["user", "passwd", "admin", "--password-stdin"], input: "another horse\n") == "")
                #expect(!FileManager.default.fileExists(atPath: file.path))
                #expect(try await it.status("admin", password) == 401)
                #expect(try await it.status("admin", "another horse") == 200)
                let refused = try await it.run(["user", "delete", "admin"])
                #expect(refused.status == 1 && refused.errors.contains("last user with the role admin"))
            }
        }

        @Test("users and tokens are made, listed, changed and ended beside a server, at once, and without one")
        func life() async throws {
            try await withTemporaryFolder { folder in
                let server = try await ServerProcess.start(in: folder, configuration: guarded)
                let it = Operator(server: server)
                let password = try await it.succeed(["user", "add", "ann"])
                #expect(password.wholeMatch(of: /[0-9A-Za-z]{24}/) != nil)
                #expect(try await it.status("ann", password, method: "PUT") == 201)
                #expect(try await it.status("ann", password, method: "PUT", path: "bob/x") == 403)
                #expect(try await it.succeed(["user", "roles", "ann", "reader"]) == "ann: reader (before: none)")
                let token = try await it.succeed(["token", "create", "ci", "--user", "ann", "--grant", "read:files", "--expires", "90d"])
                #expect(token.wholeMatch(of: /entrepot_[0-9A-Za-z]{42}/) != nil)
                #expect(try await it.status("token", token) == 200)
                #expect(try await it.status("ann", token, method: "PUT") == 403)
                let list = try await it.succeed(["token", "list", "--user", "ann"])
                let id = try #require(list.split(separator: "\t").first.map(String.init))
                #expect(list.contains("\tann\tci\tvalid\tread:files\t") && !list.contains(token))
                #expect(try await it.succeed(["token", "revoke", id]) == "revoked token \(id) «ci» of ann")
                #expect(try await it.status("token", token) == 401)
                #expect(try await it.run(["token", "revoke", id]).status == 1)
                #expect(await server.stop() == 0)

                #expect(try await it.succeed(["user", "list"]).split(separator: "\n").map { $0.prefix { $0 != "\t" } } == ["admin", "ann"])
                let robot = try await it.run(["user", "add", "robot", "--robot", "--role", "reader"])
                #expect(robot.status == 0 && robot.output.isEmpty)
                let json = try await it.succeed(["token", "create", "cd", "--user", "robot", "--json"])
                let made = try #require(json.firstMatch(of: /"token":"(entrepot_\w+)"/).map { String($0.output.1) })
                #expect(try await it.succeed(["user", "delete", "ann"]) == "removed user ann and 0 tokens")
                let wrong = try await it.run(["user", "add", "x", "--role", "redaer"])
                #expect(wrong.status == 1 && wrong.errors.contains("there is no role «redaer»"))
                let again = Operator(server: try await ServerProcess.start(in: folder, configuration: guarded))
                #expect(try await again.status("ann", password) == 401)
                #expect(try await again.status("robot", made) == 200)
                #expect(await again.server.stop() == 0)
                let trail = try await it.succeed(["audit", "verify"])
                #expect(trail.contains("all is well"))
            }
        }

        @Test("a hash that the command prints is one that the configuration takes")
        func hash() async throws {
            try await withTemporaryFolder { folder in
                let input = folder.appending(path: "input")
                try Data("correct horse".utf8).write(to: input)
                let ended = try await run([Surroundings.binary, "user", "hash", "--password-stdin"], in: folder, input: input)
                #expect(ended.status == 0 && ended.errors.isEmpty)
                let hash = ended.output.trimmingCharacters(in: .newlines)
                let users = "  users: { bob: { passwordHash: \"\(hash)\", roles: [admin] } }\n"
                let server = try await ServerProcess.start(in: folder, configuration: guarded + users)
                #expect(!FileManager.default.fileExists(atPath: server.data.appending(path: "admin-password").path))
                #expect(try await Operator(server: server).status("bob", "correct horse", method: "PUT") == 201)
                #expect(await server.stop() == 0)
            }
        }
    }
}
