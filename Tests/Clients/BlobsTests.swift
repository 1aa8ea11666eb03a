import Foundation
import Testing

extension Clients {
    @Suite("blobs verify and gc", .timeLimit(.minutes(5))) struct Blobs {
        private static let image = "docker-local/acme/blobs"

        @Test("planted faults are named and repaired, and one push of the same bytes heals what was lost", arguments: [true, false])
        func faults(_ beside: Bool) async throws {
            try await withTemporaryFolder { folder in
                var server = try await ServerProcess.start(in: folder)
                let content = "a layer that goes bad"
                try await server.pushImage(Self.image, tag: "1", content: content)
                let layer = try await digest(of: Array(content.utf8), in: folder)
                let stored = try await server.send("PUT", "/repository/files/gone", body: Array("a file that goes".utf8))
                #expect(stored.status == 201)
                if !beside { #expect(await server.stop() == 0) }
                try server.replace(layer, Array("A layer that goes bad".utf8))
                try server.replace(try await digest(of: Array("a file that goes".utf8), in: folder), nil)
                try server.replace(try await digest(of: Array("stray".utf8), in: folder), Array("stray".utf8))

                let found = try await server.blobs("verify", "--json")
                #expect(found.status == 1)
                let faults = try JSONDecoder().decode(Found.self, from: Data(found.output.utf8)).faults
                #expect(faults.map(\.kind).sorted() == ["corrupt", "missing", "orphaned"], "\(found.output)")
                #expect(faults.first { $0.kind == "missing" }?.referrers.map(\.path) == ["gone"])
                #expect(found.errors.isEmpty, "nothing but the report where no terminal is: \(found.errors)")

                let repaired = try await server.blobs("verify", "--repair")
                #expect(repaired.status == 1 && repaired.output.contains("markedLost") && repaired.output.contains("leftToCollector"), "\(repaired.output)")
                let freed = try await server.blobs("gc")
                #expect(freed.status == 0 && freed.output.contains("freed 1 blobs, 5 B"), "\(freed.output)")
                if !beside { server = try await server.restarted() }

                do {
                    let answer = try await server.send("HEAD", "/v2/\(Self.image)/blobs/\(layer)")
                    #expect(answer.status == 404)
                }
                do {
                    let answer = try await server.send("GET", "/repository/files/gone")
                    #expect(answer.status == 404)
                }
                let pushed = try await server.pushBlob(Array(content.utf8), to: Self.image)
                #expect(pushed == layer)
                do {
                    let answer = try await server.send("PUT", "/repository/files/gone", body: Array("a file that goes".utf8))
                    #expect(answer.status < 300)
                }
                do {
                    let answer = try await server.send("GET", "/v2/\(Self.image)/blobs/\(layer)")
                    #expect(answer.text == content)
                }
                do {
                    let answer = try await server.send("GET", "/v2/\(Self.image)/manifests/1")
                    #expect(answer.status == 200)
                }
                let sound = try await server.blobs("verify")
                #expect(sound.status == 0, "\(sound.output)\(sound.errors)")
                #expect(await server.stop() == 0)
            }
        }

        @Test("verify --repair beside pushes and deletes reports nothing and loses nothing")
        func busy() async throws {
            try await withServer { server in
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for writer in 0..<3 {
                        group.addTask {
                            for round in 0..<15 {
                                let path = "/repository/files/\(writer)/\(round)"
                                do {
                                    let answer = try await server.send("PUT", path, body: Array("\(writer) \(round % 4)".utf8))
                                    #expect(answer.status < 300)
                                }
                                guard round.isMultiple(of: 3) else { continue }
                                let deleted = try await server.send("DELETE", path)
                                #expect(deleted.status < 300)
                            }
                        }
                    }
                    group.addTask {
                        for _ in 0..<6 {
                            let ended = try await server.blobs("verify", "--repair")
                            #expect(ended.status == 0 && ended.output.contains("all is well"), "\(ended.output)\(ended.errors)")
                        }
                    }
                    try await group.waitForAll()
                }
                for writer in 0..<3 {
                    for round in 0..<15 where !round.isMultiple(of: 3) {
                        do {
                            let answer = try await server.send("GET", "/repository/files/\(writer)/\(round)")
                            #expect(answer.text == "\(writer) \(round % 4)")
                        }
                    }
                }
            }
        }

        @Test("a store that is not configured is refused with its name, with 1")
        func noStore() async throws {
            try await withServer { server in
                let ended = try await server.blobs("verify", "--store", "nowhere")
                #expect(ended.status == 1 && ended.errors.contains("nowhere"), "\(ended.errors)")
            }
        }
    }
}

/// Of a report, what is looked at here.
private struct Found: Decodable {
    struct Fault: Decodable {
        struct Referrer: Decodable { var path: String }
        var kind: String
        var referrers: [Referrer]
    }
    var faults: [Fault]
}

extension ServerProcess {
    fileprivate func blobs(_ words: String...) async throws -> Ended {
        try await run([Surroundings.binary, "blobs"] + words + ["--config", self.configurationFile.path, "--data", self.data.path], in: self.folder)
    }

    /// Puts other bytes, or none, where a blob is.
    fileprivate func replace(_ digest: String, _ bytes: [UInt8]?) throws {
        let hex = digest.dropFirst("sha256:".count)
        let folder = self.data.appending(path: "blobs/sha256/\(hex.prefix(2))/\(hex.dropFirst(2).prefix(2))")
        let file = folder.appending(path: String(hex))
        if FileManager.default.fileExists(atPath: file.path) { try FileManager.default.removeItem(at: file) }
        guard let bytes else { return }
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        try Data(bytes).write(to: file)
    }
}
