import Foundation
import Testing

extension Clients {
    @Suite("an upstream that misbehaves", .timed) struct BadUpstream {
        /// Where the text differs and is right, the golden file is to be what `scripts/clients/bad_upstream.py` prints.
        @Test("what reaches it, what the client gets, and what is kept is as the golden file says", .needs("python3"))
        func golden() async throws {
            try await withTemporaryFolder { folder in
                let said = try await succeed(
                    ["python3", Surroundings.script("bad_upstream.py"), Surroundings.binary, folder.path], environment: ["PYTHONDONTWRITEBYTECODE": "1"],
                    in: folder, deadline: .seconds(180))
                let file = Surroundings.script("bad_upstream.txt")
                let wanted = try String(contentsOfFile: file, encoding: .utf8).components(separatedBy: "\n\n")
                let found = said.components(separatedBy: "\n\n")
                #expect(found.count == wanted.count)
                for (one, other) in zip(found, wanted) {
                    #expect(one.trimmingCharacters(in: .newlines) == other.trimmingCharacters(in: .newlines))
                }
            }
        }
    }
}
