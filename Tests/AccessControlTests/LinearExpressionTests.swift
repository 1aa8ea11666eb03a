import AccessControl
import ArtifactModel
import Testing

@Suite("Expressions of routing rules") struct LinearExpressionTests {
    @Test(
        "are found in a text or not",
        arguments: [
            ("^/.*\\.key$", "/a/b.key", true), ("^/.*\\.key$", "/a/b.keys", false), ("secret", "/my/secrets/x", true), ("^secret", "/secret", false),
            ("^/com/(acme|example)/.*", "/com/example/x", true), ("^/com/(acme|example)/.*", "/com/other/x", false), ("a|", "", true),
            ("^[a-z0-9._-]+$", "a.b_c-9", true), ("^[^/]+$", "a/b", false), ("[]x]", "]", true), ("[a-]", "-", true), ("[\\d_]{3}", "a12_", true),
            ("^a{2,3}$", "a", false), ("^a{2,3}$", "aaa", true), ("^a{2,3}$", "aaaa", false), ("^a{2,}$", "aaaaa", true), ("^a{0}b$", "b", true),
            ("(?i)\\.EXE$", "/x.exe", true), ("a(?i:B)c", "abc", true), ("a(?i:B)c", "abC", false), ("(?i)[a-c]", "B", true), ("^a.c$", "a\nc", false),
            ("^(?<n>a)(?:b)$", "ab", true), ("a*?b", "aab", true), ("\\w\\s\\S\\D\\W", "a bc.", true), ("\\Aab\\z", "ab", true), ("^é$", "é", true),
            ("^$", "", true), ("^$", "a", false), ("(a*)*$", "aaa", true), ("\\/x\\-y", "/x-y", true), ("^(a|b)*c$", "abbac", true),
            ("x?y{0,1}z", "z", true), ("^/(?!a)b", "", nil),
        ] as [(String, String, Bool?)])
    func found(_ pattern: String, _ text: String, _ expected: Bool?) throws {
        guard let expected else {
            #expect(throws: InvalidName.self) { try LinearExpression(pattern) }
            return
        }
        #expect(try LinearExpression(pattern).isFound(in: text) == expected)
    }

    @Test(
        "are refused where a linear search cannot do what they say, or they say nothing",
        arguments: [
            "", "(", ")", "a)", "[", "[a", "[z-a]", "*", "a**", "a*+", "a{2}{3}", "a{", "a{3,2}", "a{99999}", "(a)\\1", "\\k<x>", "(?=a)", "(?<=a)", "(?<!a)",
            "(?>a)", "\\b", "\\p{L}", "\\", "[[:alpha:]]", "[a&&b]", "(?x)a", "(?m)a", String(repeating: "a", count: 1025),
            "(((a{100}){100}){100}){100}", String(repeating: "(", count: 400) + String(repeating: ")", count: 400),
        ])
    func refused(_ pattern: String) { #expect(throws: InvalidName.self) { try LinearExpression(pattern) } }

    @Test("take time in proportion to the text, where others take forever", arguments: ["(a*)*b", "(a|a)*b", "(a|aa)+$b", "a*a*a*a*a*a*a*a*b"])
    func linear(_ pattern: String) throws { #expect(try !LinearExpression(pattern).isFound(in: String(repeating: "a", count: 8000))) }

    @Test("make rules that allow what one of them is found in, or all else")
    func rules() throws {
        let matchers = try ["^/public/", "^/shared/"].map { try LinearExpression($0) }
        let allow = RoutingRule(name: "r", mode: .allow, matchers: matchers)
        let block = RoutingRule(name: "r", mode: .block, matchers: matchers)
        for (path, isFound) in [("/public/x", true), ("/shared/x", true), ("/x/public/", false)] {
            #expect(allow.allows(path) == isFound && block.allows(path) == !isFound)
        }
    }
}
