import Foundation
import Testing

extension ServerProcess {
    /// As if an hour had passed since the bytes came.
    func endHolds() async throws {
        let script =
            "import sqlite3; c = sqlite3.connect('\(self.data.path)/entrepot.sqlite'); c.execute('UPDATE blobs SET held_until = 0'); c.commit(); c.close()"
        try await succeed(["python3", "-c", script], in: self.folder)
    }

    /// `entrepot blobs …` on this folder, whether or not the server runs.
    fileprivate func blobs(_ words: String...) async throws -> Ended {
        try await run([Surroundings.binary, "blobs"] + words + ["--config", self.configurationFile.path, "--data", self.data.path], in: self.folder)
    }

    fileprivate func file(of digest: String) -> URL {
        let hex = digest.dropFirst("sha256:".count)
        return self.data.appending(path: "blobs/sha256/\(hex.prefix(2))/\(hex.dropFirst(2).prefix(2))/\(hex)")
    }
}

extension Clients {
    @Suite("blobs verify and gc", .timeLimit(.minutes(3))) struct Blobs {
        private static let layer = Array(String(repeating: "a layer of some length ", count: 20_000).utf8)

        private static func json(_ ended: Ended) throws -> [String: Any] {
            try #require(try JSONSerialization.jsonObject(with: Data(ended.output.utf8)) as? [String: Any])
        }

        private static func damage(_ file: URL) throws {
            var bytes = try Data(contentsOf: file)
            bytes[bytes.count / 2] ^= 1
            try FileManager.default.removeItem(at: file)
            try bytes.write(to: file)
        }

        /// An image of `layer`, its manifest's bytes and its layer's digest.
        private static func push(to server: ServerProcess) async throws -> (manifest: [UInt8], layer: String) {
            let manifest = try await server.pushImage("docker-local/app", tag: "1", content: String(decoding: Self.layer, as: UTF8.self))
            return (manifest, try await digest(of: Self.layer, in: server.folder))
        }

        @Test("beside a running server a damaged layer is told, given up by a repair, and healed by a push; tag and manifest stay", arguments: [true, false])
        func damaged(isRunning: Bool) async throws {
            try await withTemporaryFolder { folder in
                var server = try await ServerProcess.start(in: folder)
                let (manifest, layer) = try await Self.push(to: server)
                let sound = try await server.blobs("verify")
                #expect(sound.status == 0 && sound.output.contains("all is well") && sound.errors.isEmpty, "\(sound.errors)")
                if !isRunning { #expect(await server.stop() == 0) }
                try Self.damage(server.file(of: layer))
                let found = try await server.blobs("verify")
                #expect(found.status == 1 && found.output.contains("corrupt\t\(layer)") && found.output.contains("docker-local\t"), "\(found.output)")
                let quick = try await server.blobs("verify", "--quick")
                #expect(quick.status == 0, "\(quick.output)")
                let report = try Self.json(try await server.blobs("verify", "--json"))
                let fault = try #require((report["faults"] as? [[String: Any]])?.first)
                #expect(fault["kind"] as? String == "corrupt" && fault["digest"] as? String == layer && fault["outcome"] as? String == "reported")
                let repaired = try await server.blobs("verify", "--repair", "--store", "default")
                #expect(repaired.status == 1 && repaired.output.contains("markedLost") && repaired.output.contains("in quarantine: 1"), "\(repaired.output)")
                if !isRunning { server = try await server.restarted() }
                #expect(try await server.send("HEAD", "/v2/docker-local/app/blobs/\(layer)").status == 404)
                #expect(try await server.send("GET", "/v2/docker-local/app/manifests/1").body == manifest)
                _ = try await server.pushBlob(Self.layer, to: "docker-local/app")
                #expect(try await server.send("GET", "/v2/docker-local/app/blobs/\(layer)").body == Self.layer)
                #expect(try await server.send("GET", "/v2/docker-local/app/manifests/1").body == manifest)
                #expect(try await server.blobs("verify").status == 0)
                #expect(await server.stop() == 0)
            }
        }

        @Test("a store that is not configured is an error, beside a server and without one")
        func unknownStore() async throws {
            try await withTemporaryFolder { folder in
                let server = try await ServerProcess.start(in: folder)
                for isRunning in [true, false] {
                    if !isRunning { #expect(await server.stop() == 0) }
                    let ended = try await server.blobs("verify", "--store", "nowhere")
                    #expect(ended.status == 1 && ended.output.isEmpty && ended.errors.contains("nowhere"), "\(ended.errors)")
                }
            }
        }

        @Test("gc frees what a delete left, once, and says how much, beside a server and without one", .needs("python3"), arguments: [true, false])
        func collect(isRunning: Bool) async throws {
            try await withTemporaryFolder { folder in
                let server = try await ServerProcess.start(in: folder)
                let file = Array("a file".utf8)
                for path in ["a", "b"] { #expect(try await server.send("PUT", "/repository/files/\(path)", body: file).status < 300) }
                #expect(try await server.send("PUT", "/repository/files/kept", body: Self.layer).status < 300)
                #expect(try await server.send("DELETE", "/repository/files/a").status == 204)
                try await server.endHolds()
                #expect(try await server.blobs("gc").output.contains("freed 0 blobs"))
                #expect(try await server.send("DELETE", "/repository/files/b").status == 204)
                if !isRunning { #expect(await server.stop() == 0) }
                try await server.endHolds()
                let freed = try Self.json(try await server.blobs("gc", "--json"))
                #expect(freed["blobs"] as? Int == 1 && freed["bytes"] as? Int == file.count && freed["unusedParts"] as? Int == 0, "\(freed)")
                let again = try await server.blobs("gc")
                #expect(again.status == 0 && again.output == "freed 0 blobs, 0 B\n" && again.errors.isEmpty)
                #expect(try await server.blobs("verify").output.contains("verified 1 blobs"))
                if isRunning { #expect(await server.stop() == 0) }
            }
        }
    }
}
