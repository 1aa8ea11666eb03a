import Foundation
import Testing

extension Clients {
    @Suite("who may look into the data folder", .timeLimit(.minutes(3))) struct FolderModes {
        private static let configuration = "repositories:\n  files: { format: raw, type: hosted }\nsecurity: { openAccess: true }\n"

        @Test("what the server makes is its own user's alone, whatever the mask it was started with")
        func mask() async throws {
            try await withTemporaryFolder { folder in
                let data = folder.appending(path: "data")
                let line = try Self.line(in: folder)
                let server = try ChildProcess(["sh", "-c", "umask 0 && exec \"$@\"", "sh"] + line, in: folder)
                #expect(await eventually(within: .seconds(30)) { server.outputText.contains("listening on ") || !server.isRunning })
                var open: [String] = []
                for name in try FileManager.default.subpathsOfDirectory(atPath: data.path) + [""] where try Self.mode(data.appending(path: name)) & 0o077 != 0 {
                    open.append(name)
                }
                #expect(open.isEmpty, "\(open)")
                server.signal(SIGTERM)
                #expect(await server.wait(atMost: .seconds(40)) == 0)
            }
        }

        @Test("a folder that others may write to is refused, with the command that mends it", arguments: [0o770, 0o707, 0o722])
        func writable(_ mode: Int) async throws {
            try await withTemporaryFolder { folder in
                let data = try Self.data(in: folder, mode: mode)
                let ended = try await run(try Self.line(in: folder), in: folder, deadline: .seconds(20))
                #expect(ended.status == 1 && ended.errors.contains("chmod go-w \(data.path)"), "\(ended.errors)")
                #expect(try FileManager.default.contentsOfDirectory(atPath: data.path).isEmpty)
            }
        }

        @Test("another user's folder is refused, with what to do", .needsRoot)
        func foreign() async throws {
            try await withTemporaryFolder { folder in
                let data = try Self.data(in: folder, mode: 0o700)
                try #require(chown(data.path, 4242, 4242) == 0)
                let ended = try await run(try Self.line(in: folder), in: folder, deadline: .seconds(20))
                #expect(ended.status == 1 && ended.errors.contains("belongs to user 4242") && ended.errors.contains("chown -R"), "\(ended.errors)")
            }
        }

        @Test("secrets that others may read are closed, and a folder that they may look into is told about once")
        func readable() async throws {
            try await withTemporaryFolder { folder in
                let first = try ChildProcess(try Self.line(in: folder), in: folder)
                #expect(await Self.listens(first))
                first.signal(SIGTERM)
                #expect(await first.wait(atMost: .seconds(40)) == 0 && !first.outputText.contains("modes of the data folder"))
                let data = folder.appending(path: "data")
                let secrets = ["entrepot.sqlite", "admin-password"].map { data.appending(path: $0) }
                try Data("x".utf8).write(to: secrets[1])
                for file in secrets + [data] { try #require(chmod(file.path, 0o755) == 0) }
                let second = try ChildProcess(try Self.line(in: folder), in: folder)
                #expect(await Self.listens(second))
                for file in secrets { #expect(try Self.mode(file) == 0o600) }
                second.signal(SIGTERM)
                #expect(await second.wait(atMost: .seconds(40)) == 0)
                for words in ["chmod o= \(data.path)", "entrepot.sqlite was open", "admin-password was open"] {
                    #expect(second.outputText.components(separatedBy: words).count == 2, "\(words): \(second.outputText)")
                }
            }
        }

        private static func listens(_ server: ChildProcess) async -> Bool {
            await eventually(within: .seconds(30)) { server.outputText.contains("listening on ") || !server.isRunning } && server.isRunning
        }

        private static func line(in folder: URL) throws -> [String] {
            let file = folder.appending(path: "entrepot.yaml")
            try Data(Self.configuration.utf8).write(to: file)
            return [Surroundings.binary, "serve", "--config", file.path, "--data", folder.appending(path: "data").path, "--listen", "127.0.0.1:0"]
        }

        private static func data(in folder: URL, mode: Int) throws -> URL {
            let data = folder.appending(path: "data")
            try FileManager.default.createDirectory(at: data, withIntermediateDirectories: true)
            try #require(chmod(data.path, mode_t(mode)) == 0)
            return data
        }

        private static func mode(_ file: URL) throws -> Int {
            try #require(FileManager.default.attributesOfItem(atPath: file.path)[.posixPermissions] as? Int)
        }
    }

    @Suite("the examples that are shipped", .timeLimit(.minutes(2))) struct Examples {
        @Test("config check finds nothing wrong with any configuration in config/")
        func configurations() async throws {
            try await withTemporaryFolder { folder in
                let shipped = Surroundings.root.appending(path: "config").resolvingSymlinksInPath()
                let files = try FileManager.default.subpathsOfDirectory(atPath: shipped.path).map { shipped.appending(path: $0) }
                let own = try files.filter { $0.pathExtension == "yaml" }.filter { try String(contentsOf: $0, encoding: .utf8).contains("\nconfigVersion:") }
                #expect(own.count >= 3)
                for file in own {
                    let ended = try await run([Surroundings.binary, "config", "check", "--config", file.path], in: folder)
                    #expect(ended.status == 0 && ended.errors.isEmpty, "\(file.lastPathComponent): \(ended.errors)")
                }
            }
        }
    }
}
