import Testing

@testable import NpmFormat

@Suite("Searching")
struct SearchTests {
    private static func package(_ name: String, _ latest: String = "{}", maintainers: String = "[]") throws -> SearchedPackage {
        SearchedPackage(try NpmName(name), PackageAttributes(#"{"latest":\#(latest),"maintainers":\#(maintainers)}"#.utf8))
    }

    private static func all() throws -> [SearchedPackage] {
        [
            try Self.package("express", #"{"description":"Fast web framework","keywords":["web","HTTP"],"author":{"name":"TJ","email":"tj@example.com"}}"#),
            try Self.package(
                "@acme/express", #"{"description":"Ours","keywords":"web, tool","author":"Ann Example <ann@example.com>"}"#, maintainers: #"[{"name":"bob"}]"#),
            try Self.package("express-session", #"{"keywords":["session"]}"#), try Self.package("my-express"),
            try Self.package("zoo", #"{"description":"An express train","keywords":[]}"#), try Self.package("JSONStream", #"{"description":7,"keywords":{}}"#),
        ]
    }

    @Test(
        "what is found, the best first",
        arguments: [
            ("express", "@acme/express express express-session my-express zoo"), ("", "@acme/express JSONStream express express-session my-express zoo"),
            ("  EXPRESS   web ", "@acme/express express"), ("scope:acme", "@acme/express"), ("scope:@acme express", "@acme/express"), ("scope:other", ""),
            ("@acme/express", "@acme/express"), ("acme/express", "@acme/express"), ("@acme", "@acme/express"), ("keywords:http", "express"),
            ("keywords:session,http", "express express-session"), ("keywords:web keywords:http", "express"), ("keywords:we", ""),
            ("author:ann", "@acme/express"),
            ("author:\"ann example\"", "@acme/express"), ("author:tj@example.com", "express"), ("maintainer:bob", "@acme/express"), ("maintainer:ann", ""),
            ("bob", "@acme/express"), ("\"web framework\"", "express"), ("\"framework web\"", ""), ("jsonstream", "JSONStream"), ("not:unstable zoo", "zoo"),
            ("a:b", ""), ("nothing", ""), ("\"", "@acme/express JSONStream express express-session my-express zoo"), ("scope:", ""), (":", ""), ("\u{0}", ""),
        ])
    func found(_ text: String, _ expected: String) throws {
        let names = SearchText(text).found(among: try Self.all()).map(\.package.package.text)
        #expect(names.joined(separator: " ") == expected)
        #expect(SearchText(text).found(among: try Self.all().reversed()).map(\.package.package.text) == names)
    }

    @Test("a long text is cut, and no word counts beyond the thirty-second")
    func bounds() throws {
        #expect(SearchText(String(repeating: "a ", count: 5000)).words.count == SearchText.most)
        #expect(SearchText(String(repeating: "é", count: 5000)).words.first?.utf8.count ?? 0 <= SearchText.longest + 3)
    }
}
