import ArtifactModel
import Testing

@Suite("Names from outside")
struct NameTests {
    @Test("a repository's name may be", arguments: ["a", "0", "docker-hub", "a.b_c-D", String(repeating: "x", count: 128)])
    func repositoryName(_ text: String) throws { #expect(try RepositoryName(text).text == text) }

    @Test(
        "a repository's name may not be",
        arguments: ["", "-a", ".a", "_a", "a b", "a/b", "é", "a\u{301}", "a\n", "a\u{0}", String(repeating: "x", count: 129)])
    func noRepositoryName(_ text: String) { #expect(throws: InvalidName.self) { try RepositoryName(text) } }

    @Test("a path may be made of", arguments: [["a"], ["a", "b.c"], ["...", ".a"], ["é", "a b"], ["%2F"], [String(repeating: "x", count: 2048)]])
    func path(_ segments: [String]) throws { #expect(try AssetPath(segments).text == segments.joined(separator: "/")) }

    @Test(
        "a path may not be made of",
        arguments: [
            [], [""], ["a", ""], ["", "a"], ["."], ["a", ".."], ["a/b"], ["a\u{0}"], ["a\n"], ["\u{7F}"], [String(repeating: "x", count: 2049)],
            [String(repeating: "x", count: 2000), String(repeating: "x", count: 48)], ["/\u{301}"],
        ] as [[String]])
    func noPath(_ segments: [String]) { #expect(throws: InvalidName.self) { try AssetPath(segments) } }

    @Test("paths are ordered byte by byte")
    func order() {
        let paths = ["B", "a", "a-b", "a/b", "a0", "é"].map { AssetPath(checked: $0) }
        #expect(paths.shuffled().sorted() == paths)
    }

    @Test("a digest is read and written in one spelling", arguments: ContentDigest.Algorithm.allCases)
    func digest(_ algorithm: ContentDigest.Algorithm) throws {
        let text = "\(algorithm.rawValue):" + String(repeating: "0f", count: algorithm.length)
        #expect(try ContentDigest(text).description == text)
    }

    @Test(
        "a digest is not",
        arguments: [
            "", "sha256", "sha256:", ":00", "sha256:00", "sha999:00", "SHA256:" + String(repeating: "00", count: 32),
            "sha256:" + String(repeating: "0F", count: 32), "sha256:" + String(repeating: "0", count: 63), "sha256:" + String(repeating: "0g", count: 32),
            "sha256:" + String(repeating: "00", count: 33), "md5:" + String(repeating: "00", count: 15) + ":0", " md5:" + String(repeating: "00", count: 16),
        ])
    func noDigest(_ text: String) { #expect(throws: InvalidName.self) { try ContentDigest(text) } }

    @Test("a digest of bytes has the algorithm's length")
    func digestBytes() {
        #expect(ContentDigest(.sha1, Array(repeating: 0, count: 20)) != nil)
        #expect(ContentDigest(.sha1, Array(repeating: 0, count: 21)) == nil)
    }
}
