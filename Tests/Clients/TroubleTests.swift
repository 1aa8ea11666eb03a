import Foundation
import Testing

extension Clients {
    @Suite("upstreams in trouble", .timed) struct Trouble {
        /// Where the text differs and is right, the golden file is to be what `scripts/clients/trouble_table.py` prints.
        @Test("what each trouble comes to, of what is kept and what is not, is as the golden file says", .needs("python3"))
        func table() async throws {
            try await withTemporaryFolder { folder in
                let said = try await succeed(
                    ["python3", Surroundings.script("trouble_table.py"), Surroundings.binary, folder.path], environment: ["PYTHONDONTWRITEBYTECODE": "1"],
                    in: folder, deadline: .seconds(180))
                let wanted = try String(contentsOfFile: Surroundings.script("trouble_table.txt"), encoding: .utf8)
                #expect(said.split(separator: "\n") == wanted.split(separator: "\n"))
            }
        }
    }
}
