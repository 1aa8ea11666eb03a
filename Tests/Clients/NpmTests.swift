import Foundation
import Testing

extension Clients {
    @Suite("npm, yarn, bun and deno", .timeLimit(.minutes(8)), .timed) struct Npm {
        /// What the packages of Debian are packed from, and what npm says, differs between versions: the golden file is of npm 10.
        private static let isNpm10: Bool = {
            guard let npm = Surroundings.program("npm") else { return Surroundings.isCI }
            let manifest = URL(filePath: npm).resolvingSymlinksInPath().deletingLastPathComponent().deletingLastPathComponent().appending(path: "package.json")
            // Not where npm's own file is elsewhere: a test that cannot know is run in CI and nowhere else.
            guard let text = try? String(contentsOf: manifest, encoding: .utf8) else { return Surroundings.isCI }
            return Surroundings.isCI || text.contains(#""version": "10."#)
        }()

        /// Where the text differs and is right, the golden file is to be what `scripts/clients/npm_table.py` prints.
        @Test(
            "what each client prints, of a group over a hosted repository and a proxy of another server, is as the golden file says",
            .enabled(if: isNpm10, "the golden file is of npm 10"), .needs("npm", "node", "yarnpkg", "bun", "deno", "python3"))
        func golden() async throws {
            let said = try await Self.run("npm_table.py", deadline: .seconds(400))
            let wanted = try String(contentsOfFile: Surroundings.script("npm_table.txt"), encoding: .utf8).split(separator: "\n")
            let found = said.split(separator: "\n")
            #expect(found.count == wanted.count)
            for (one, other) in zip(found, wanted) { #expect(one == other) }
        }

        /// A machine that is shared makes an `npm ci` slower by chance: the bound there is twice what was promised.
        @Test(
            "npm ci of what is kept works with the upstream killed and hanging; no private name goes upstream, and none of its versions comes from there",
            .needs("npm", "node", "openssl", "python3"))
        func offline() async throws {
            print(try await Self.run("npm_offline.py", Surroundings.isCI ? "5" : "2.5", deadline: .seconds(400)))
        }

        @Test(
            "of publishes at once none is lost, fifty installs cause one download of each tarball, and what is stale, wrong, cut or huge is refused in npm's form",
            .needs("npm", "node", "python3"))
        func writes() async throws {
            print(try await Self.run("npm_writes.py", "50", deadline: .seconds(420)))
        }

        private static func run(_ script: String, _ arguments: String..., deadline: Duration) async throws -> String {
            try await withTemporaryFolder { folder in
                try await succeed(
                    ["python3", Surroundings.script(script), Surroundings.binary, folder.path] + arguments, environment: ["PYTHONDONTWRITEBYTECODE": "1"],
                    in: folder, deadline: deadline)
            }
        }
    }
}
