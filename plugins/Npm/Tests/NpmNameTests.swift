import ArtifactModel
import FormatAPI
import Testing

@testable import NpmFormat

@Suite("Names of packages")
struct NpmNameTests {
    @Test(
        "a name is read with its scope, and written in every spelling",
        arguments: [
            ("hello", "", "hello", "hello"), ("@acme/hello", "@acme", "hello", "@acme%2fhello"),
            ("JSONStream", "", "JSONStream", "JSONStream"),
            ("a~b'!()*", "", "a~b'!()*", "a~b'!()*"), ("@s/_x", "@s", "_x", "@s%2f_x"),
            ("0", "", "0", "0"), ("@a.b/c.d", "@a.b", "c.d", "@a.b%2fc.d"),
            ("--hi", "", "--hi", "--hi"), ("http", "", "http", "http"),
        ])
    func read(_ text: String, _ scope: String, _ base: String, _ encoded: String) throws {
        let name = try NpmName(text)
        #expect(
            name.scope == scope && name.base == base && name.text == text && name.encoded == encoded)
        #expect(name.package.namespace == scope && name.package.name == base)
    }

    @Test(
        "what could not be an address's segment or a folder is no name",
        arguments: [
            "", "@", "@/", "@a", "@a/", "@/b", "@a/b/c", "a/b", ".a", "_a", "@a/.b", "@a/..", "..", ".",
            "a b", " a", "é", "a%2fb", "a\u{0}", "a\\b", "a:b",
            "a@b",
            "node_modules", "Node_Modules", "favicon.ico", "@a/node_modules", "-", "@a/-", "a?b", "a#b",
            "a\"b", String(repeating: "a", count: 215),
            "@a/" + String(repeating: "b", count: 212),
        ])
    func refused(_ text: String) {
        #expect(throws: FormatError.self) { try NpmName(text) }
    }

    @Test("214 bytes are a name")
    func longest() throws {
        #expect(try NpmName("@a/" + String(repeating: "b", count: 211)).text.utf8.count == 214)
    }

    @Test(
        "only small letters, digits and three marks may be published anew",
        arguments: [
            ("hello", true), ("@acme/hello.js", true), ("a-b_c.d", true), ("Hello", false),
            ("@Acme/hello", false), ("a~b", false), ("it's", false),
            ("@a/_b", false), ("-a", false), ("events", true),
        ])
    func publishable(_ text: String, _ isPublishable: Bool) throws {
        #expect(try NpmName(text).isPublishable == isPublishable)
    }

    @Test("paths keep the scope's slash, and attestations have the name as one segment")
    func paths() throws {
        let (name, version) = (try NpmName("@acme/hello"), try NpmVersion("1.0.0-rc.1+b"))
        #expect(name.tarballPath(version) == "@acme/hello/-/hello-1.0.0-rc.1+b.tgz")
        #expect(name.attestationsPath(version) == "-/npm/v1/attestations/@acme%2fhello@1.0.0-rc.1+b")
    }
}
