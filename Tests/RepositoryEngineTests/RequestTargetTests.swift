import FormatAPI
import Testing

@testable import RepositoryEngine

@Suite struct RequestTargetTests {
    @Test(
        "a target is split at slashes first and decoded after",
        arguments: [
            ("/", []), ("/a", ["a"]), ("/a/b", ["a", "b"]), ("/a/", ["a", ""]), ("/@s%2fp", ["@s/p"]), ("/a%20b/c", ["a b", "c"]), ("/a+b", ["a+b"]),
            ("/%C3%A9", ["é"]), ("/a/...", ["a", "..."]), ("/%2e%2ehidden", ["..hidden"]), ("/a?b=/../c", ["a"]),
        ] as [(String, [String])])
    func split(_ target: String, _ path: [String]) throws {
        #expect(try RequestTarget(target).path == path)
    }

    @Test(
        "a target that is no safe path is refused",
        arguments: [
            "", "a", "//", "//a", "/a//b", "/..", "/a/../b", "/%2e%2e/etc", "/%2E%2e", "/a/.", "/a%00b", "/%zz", "/%4", "/%", "/%ff",
            "/" + String(repeating: "a", count: 8192),
        ])
    func refused(_ target: String) {
        #expect(throws: FormatError.self) { try RequestTarget(target) }
    }

    @Test("a query keeps order and repeated names, and plus is a space there")
    func query() throws {
        let query = try RequestTarget("/v2/x?from=t%2Fapp&mount=sha256:ab&from=b+c&flag").query
        #expect(query.map(\.name) == ["from", "mount", "from", "flag"])
        #expect(query.map(\.value) == ["t/app", "sha256:ab", "b c", ""])
    }

    @Test("the client's spelling of a segment is kept beside the decoded one")
    func spelling() throws {
        let target = try RequestTarget("/repository/f%69les/x")
        #expect(target.path[1] == "files")
        #expect(target.encoded[1] == "f%69les")
    }
}
