import Foundation
import Testing

/// A server with access control: ann may do all in `docker-local`, bob may read it.
private let guarded = """
    configVersion: 1
    docker: { defaultRepository: docker-local }
    repositories:
      docker-local: { format: docker, type: hosted }
      files: { format: raw, type: hosted }
    security:
      roles: { all: ["read:*", "write:*", "delete:*"], reader: ["read:*"] }

    """

private struct Guarded {
    let server: ServerProcess

    @discardableResult
    func command(_ line: [String], input: String? = nil) async throws -> String {
        let options = ["--config", self.server.configurationFile.path, "--data", self.server.data.path]
        let file = self.server.folder.appending(path: "input")
        if let input { try Data(input.utf8).write(to: file) }
        let ended = try await run([Surroundings.binary] + line + options, in: self.server.folder, input: input == nil ? nil : file)
        try #require(ended.status == 0, "\(line): \(ended.errors)")
        return ended.output.trimmingCharacters(in: .newlines)
    }

    static func with(_ body: (Guarded) async throws -> Void) async throws {
        try await withServer(guarded) { server in
            let it = Guarded(server: server)
            try await it.command(["user", "add", "ann", "--role", "all", "--password-stdin"], input: "ann's password\n")
            try await it.command(["user", "add", "bob", "--role", "reader", "--password-stdin"], input: "bob's password\n")
            try await body(it)
        }
    }
}

extension Clients {
    @Suite("signing in", .timeLimit(.minutes(5)), .timed) struct SignIn {
        @Test(
            "docker logs in with a password and with a token, pushes and pulls what it may, and is told what it may not",
            .needs("dockerd", "docker", "busybox"), .needsRoot)
        func docker() async throws {
            try await Guarded.with { it in
                let host = it.server.host
                try await withDocker(in: it.server.folder) { docker in
                    let name = "\(host)/acme/app:1"
                    let context = try Image.context(in: it.server.folder)
                    try await docker.succeed(["build", "--network", "none", "--tag", name, context.path], environment: ["DOCKER_BUILDKIT": "0"])
                    let nobody = try await docker.run(["push", name])
                    #expect(
                        nobody.status != 0 && (nobody.output + nobody.errors).contains("requested access to the resource is denied"),
                        "\(nobody.output)\(nobody.errors)")
                    let wrong = try await docker.run(["login", "--username", "ann", "--password", "wrong password", host])
                    #expect(wrong.status != 0 && wrong.errors.contains("unauthorized"), "\(wrong.errors)")
                    try await docker.succeed(["login", "--username", "ann", "--password", "ann's password", host])
                    try await docker.succeed(["push", name])
                    try await docker.succeed(["logout", host])
                    let token = try await it.command(["token", "create", "ci", "--user", "ann", "--grant", "read:docker-local"])
                    try await docker.succeed(["login", "--username", "ann", "--password", token, host])
                    try await docker.succeed(["rmi", "--force", name])
                    try await docker.succeed(["pull", name])
                    try await docker.succeed(["tag", name, "\(host)/acme/app:2"])
                    let insufficient = try await docker.run(["push", "\(host)/acme/app:2"])
                    #expect(insufficient.status != 0 && (insufficient.output + insufficient.errors).contains("denied"), "\(insufficient.errors)")
                    let id = try #require(try await it.command(["token", "list", "--user", "ann"]).split(separator: "\t").first.map(String.init))
                    try await it.command(["token", "revoke", id])
                    let revoked = try await docker.run(["pull", name])
                    #expect(revoked.status != 0, "\(revoked.output)")
                }
            }
        }

        @Test(
            "skopeo and podman are let in by password and token, and say why where they are not", .needs("skopeo", "podman", "buildah", "busybox"), .needsRoot)
        func tools() async throws {
            try await Guarded.with { it in
                let host = it.server.host
                let tools = try ContainerStore(in: it.server.folder)
                let layout = try await tools.layout()
                let image = "docker://\(host)/acme/app:1"
                func copy(_ credentials: String?) async throws -> Ended {
                    try await tools.run(
                        ["skopeo", "copy", "--dest-tls-verify=false"] + (credentials.map { ["--dest-creds", $0] } ?? []) + ["oci:\(layout):one", image])
                }
                func inspect(_ credentials: String?) async throws -> Ended {
                    try await tools.run(["skopeo", "inspect", "--tls-verify=false"] + (credentials.map { ["--creds", $0] } ?? ["--no-creds"]) + [image])
                }
                #expect(try await copy(nil).status != 0)
                #expect(try await copy("bob:bob's password").status != 0)
                #expect(try await copy("ann:ann's password").status == 0)
                #expect(try await inspect(nil).status != 0)
                let wrong = try await inspect("bob:wrong password")
                #expect(wrong.status != 0 && wrong.errors.contains("unauthorized"), "\(wrong.errors)")
                #expect(try await inspect("bob:bob's password").status == 0)
                let brief = try await it.command(["token", "create", "brief", "--user", "bob", "--expires", "1s"])
                let good = try await it.command(["token", "create", "good", "--user", "bob"])
                #expect(try await inspect("bob:\(good)").status == 0)
                // Each try takes a moment, and the token lives for one second.
                var expired = try await inspect("bob:\(brief)")
                for _ in 0..<50 where expired.status == 0 { expired = try await inspect("bob:\(brief)") }
                #expect(expired.status != 0)
                #expect(try await tools.run(["podman", "login", "--tls-verify=false", "-u", "bob", "-p", "wrong password", host]).status != 0)
                try await tools.succeed(["podman", "login", "--tls-verify=false", "-u", "bob", "-p", "bob's password", host])
                try await tools.succeed(["podman", "pull", "--tls-verify=false", "\(host)/acme/app:1"])
            }
        }

        /// Where the text differs and is right, the golden file is to be what `scripts/clients/signing_in.py` prints.
        @Test(
            "what each client prints with good, wrong, insufficient, expired and revoked credentials is as the golden file says",
            .needs("python3", "dockerd", "docker", "containerd", "podman", "buildah", "skopeo", "curl"), .needsRoot)
        func golden() async throws {
            try await withTemporaryFolder { folder in
                let said = try await succeed(
                    ["python3", Surroundings.script("signing_in.py"), Surroundings.binary, folder.path], environment: ["PYTHONDONTWRITEBYTECODE": "1"],
                    in: folder, deadline: .seconds(180))
                let wanted = try String(contentsOfFile: Surroundings.script("signing_in.txt"), encoding: .utf8).split(separator: "\n")
                let found = said.split(separator: "\n")
                #expect(found.count == wanted.count)
                for (one, other) in zip(found, wanted) { #expect(one == other) }
            }
        }

        @Test("who pulled what is found by digest and by name, and the trail is whole", .needs("curl"))
        func audit() async throws {
            try await Guarded.with { it in
                let file = it.server.folder.appending(path: "x")
                try Data("hello".utf8).write(to: file)
                let url = "\(it.server.url)/repository/files/team/x"
                try await succeed(["curl", "-sf", "-u", "ann:ann's password", "-T", file.path, url], in: it.server.folder)
                try await succeed(["curl", "-sf", "-u", "bob:bob's password", "-o", "/dev/null", url], in: it.server.folder)
                #expect(try await run(["curl", "-sf", "-u", "bob:wrong password", url], in: it.server.folder).status == 22)
                let digest = "sha256:2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
                for wanted in [digest, "files/team/x"] {
                    let found = try await it.command(["audit", "who-pulled", wanted])
                    #expect(found.contains("\tbob\t") && !found.contains("\tann\t"), "\(found)")
                }
                #expect(try await it.command(["audit", "verify"]).contains("all is well"))
            }
        }
    }
}
