import AccessControl
import ArtifactModel
import Testing

@Suite("Patterns over names and paths")
struct GlobTests {
    @Test(
        "a pattern matches exactly these texts",
        arguments: [
            ("*", "docker-hub", true), ("*", "", true), ("*", "a/b", false), ("**", "a/b/c", true), ("**", "", true),
            ("acme/**", "acme/app/web", true), ("acme/**", "acme/", true), ("acme/**", "acme", false), ("acme/**", "acmex/app", false),
            ("acme/*", "acme/app", true), ("acme/*", "acme/app/web", false), ("*/web", "acme/web", true), ("*/web", "a/b/web", false),
            ("**/web", "a/b/web", true), ("@acme/*", "@acme/tool", true), ("*cache*", "buildcache", true), ("*cache*", "cache/x", false),
            ("a*b*c", "aXbYbZc", true), ("a*b*c", "aXbYbZ", false), ("files", "files", true), ("files", "files2", false), ("a?c", "abc", false),
            ("a?c", "a?c", true), ("***", "a/b", true), ("é*", "éa", true),
        ])
    func matching(pattern: String, text: String, expected: Bool) throws {
        #expect(try Glob(pattern).matches(text) == expected)
    }

    @Test("a pattern of many stars ends on a long text that it does not match")
    func manyStars() throws {
        let pattern = try Glob(String(repeating: "a*", count: 100) + "b")
        #expect(!pattern.matches(String(repeating: "a", count: 2000)))
    }

    @Test("an empty, an overlong and a pattern with a control character are refused", arguments: ["", "a\u{0}b", String(repeating: "a", count: 513)])
    func refused(pattern: String) { #expect(throws: InvalidName.self) { try Glob(pattern) } }

    @Test("only a pattern without a star is literal")
    func literal() throws {
        #expect(try Glob("docker-hub").isLiteral)
        #expect(try !Glob("docker-*").isLiteral)
    }
}

@Suite("Patterns and the beginnings of texts")
struct GlobPrefixTests {
    @Test(
        "a pattern may match what begins so, or cannot",
        arguments: [
            ("acme/**", "acme/", true), ("acme/**", "ac", true), ("acme/**", "acme/app/x", true), ("acme/**", "other", false), ("acme/*", "acme/app/", false),
            ("*", "a", true), ("*", "a/", false), ("**", "a/b", true), ("files", "fil", true), ("files", "files", true), ("files", "files2", false),
            ("a*z", "abc", true), ("a*z", "a/", false), ("*/web", "acme/w", true), ("*/web", "acme/x", false), ("x", "", true),
        ])
    func prefixes(pattern: String, prefix: String, expected: Bool) throws {
        #expect(try Glob(pattern).mayMatch(beginningWith: prefix) == expected)
    }
}
