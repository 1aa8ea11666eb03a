import ArtifactModel
import FormatAPI
import Testing

@testable import NpmFormat

/// Two versions, all that packuments have, and what only some do.
let upstreamText = #"""
    {
      "_id": "hello", "_rev": "3-x", "name": "hello", "dist-tags": {"latest": "1.1.0", "next": "2.0.0-rc.1"},
      "versions": {
        "1.1.0": {"name":"hello","version":"1.1.0","dist":{"tarball":"https:\/\/o.example/any/where.tgz?x=1","shasum":"aa"}, "odd":[{"dist":{"tarball":"mine"}}]},
        "1.0.0": {"dist" : { "attestations":{"url":"https://o.example/-/a","provenance":{"url":"p"}}, "tarball" : "https://o.example/hello-1.0.0.tgz" },"é":"日本"},
        "2.0.0-rc.1": {"dist":{}}, "1.2.3beta": {"dist":{"tarball":"https://o.example/old.tgz"}}
      },
      "time": {"modified":"2020-02-02T00:00:00.000Z","created":"2019-01-01T00:00:00.000Z","1.0.0":"2019-01-01T00:00:00.000Z","1.1.0":"2020-02-02T00:00:00.000Z"},
      "users": {"a":true,"versions":{"9.9.9":{"dist":{"tarball":"no"}}}}, "readme":"tarball \"dist\"", "x" : 1.50
    } 
    """#

@Suite("Packuments of an upstream")
struct PackumentTests {
    @Test("an upstream's document is passed on byte for byte but for the addresses of tarballs and attestations", arguments: Packument.Key.Form.allCases)
    func copied(_ form: Packument.Key.Form) throws {
        let expected =
            upstreamText.replacing(#"https:\/\/o.example/any/where.tgz?x=1"#, with: "http://us/npm/hello/-/hello-1.1.0.tgz")
            .replacing("https://o.example/hello-1.0.0.tgz", with: "http://us/npm/hello/-/hello-1.0.0.tgz")
            .replacing("https://o.example/-/a", with: "http://us/npm/-/npm/v1/attestations/hello@1.0.0")
        #expect(try composed([TestSource(upstream: upstreamText)], form) == expected)
    }

    @Test("a document that is cut anywhere gives the same outline")
    func cuts() throws {
        func told(_ outline: Outline) -> [String] { outline.entries.map { "\($0.section) \($0.name) \($0.sortKey) \($0.bytes) \($0.slots)" } }
        let bytes = Array(upstreamText.utf8)
        let whole = told(try TestSource(upstream: bytes).outline)
        for cut in bytes.indices { #expect(told(try TestSource(upstream: bytes, cuts: [cut]).outline) == whole, "cut at \(cut)") }
        #expect(told(try TestSource(upstream: bytes, cuts: Array(bytes.indices)).outline) == whole)
    }

    @Test("an outline has versions, times, dist-tags and the other members, each with its bytes")
    func outline() throws {
        let source = try TestSource(upstream: upstreamText)
        func names(_ section: String) -> [String] { source.outline.entries.filter { $0.section == section }.map(\.name) }
        #expect(names("versions") == ["1.1.0", "1.0.0", "2.0.0-rc.1", "1.2.3beta"])
        #expect(names("time") == ["modified", "created", "1.0.0", "1.1.0"])
        #expect(names(Outline.pointers) == ["latest", "next"])
        #expect(names("top") == ["_id", "_rev", "name", "users", "readme", "x"])
        let tag = try #require(source.outline.entry(Outline.pointers, "next"))
        #expect(tag.sortKey == Array("2.0.0-rc.1".utf8) && source.slice(tag) == "\"2.0.0-rc.1\"")
        let time = try #require(source.outline.entry("time", "1.1.0"))
        #expect(time.sortKey == Array("2020-02-02T00:00:00.000Z".utf8) && source.slice(time) == "\"2020-02-02T00:00:00.000Z\"")
        let version = try #require(source.outline.entry("versions", "1.0.0"))
        #expect(source.slice(version).hasPrefix(#"{"dist" : "#) && source.slice(version).hasSuffix(#""日本"}"#))
        #expect(version.slots.map { source.slice($0.bytes) } == ["https://o.example/-/a", "https://o.example/hello-1.0.0.tgz"])
        #expect(version.sortKey == (try NpmVersion("1.0.0")).sortKey)
        #expect(source.outline.entry("versions", "1.2.3beta").map { $0.slots.isEmpty && $0.sortKey.isEmpty } == true)
        #expect(source.slice(try #require(source.outline.entry("top", "x"))) == "1.50")
    }

    @Test(
        "what is no packument of this package is refused",
        arguments: [
            "", "[]", "null", "\"x\"", "{}", #"{"error":"not_found"}"#, #"{"name":"other","versions":{}}"#, #"{"name":null,"versions":{}}"#,
            #"{"name":"hello","versions":{}"#, #"{"name":"hello","versions":{}}}"#, #"{"name":"hello","name":"other"}"#, #"{"versions":[]}"#, "<html></html>",
            #"{"name":"hello","versions":{"1.0.0":{"dist":{"tarball":"\#u{1}"}}}}"#, #"{"name":"hello","x":\#(String(repeating: "[", count: 600))"#,
            #"{"name":"hello","versions":{"1.0.0":{"dist":{\#(String(repeating: #""tarball":"x","#, count: 9))"a":1}}}}"#,
        ])
    func refused(_ text: String) {
        let error = #expect(throws: FormatError.self) { try TestSource(upstream: text) }
        #expect(error?.code == .upstreamFailed)
    }

    @Test("keys may be written with escapes, and scopes are read")
    func escapes() throws {
        let text =
            #"{"na\u006de":"@acme\/hello","v\u0065rsions":{"1.0.\u0030":{"di\u0073t":{"t\u0061rball":"x"}}},"dist-t\u0061gs":{"l\u0061test":"1.\u0030.0"}}"#
        let source = try TestSource(upstream: text, of: "@acme/hello")
        #expect(source.outline.entry("versions", "1.0.0")?.slots.first?.path == "@acme/hello/-/hello-1.0.0.tgz")
        #expect(source.outline.entry(Outline.pointers, "latest")?.sortKey == Array("1.0.0".utf8))
    }

    @Test(
        "of a key that comes twice the last one is meant, and nothing is written twice",
        arguments: [
            (
                #"{"name":"hello","versions":{"1.0.0":{"a":1},"2.0.0":{"b":1},"1.0.0":{"a":2}}}"#,
                #"{"_id":"hello","name":"hello","dist-tags":{"latest":"2.0.0"},"versions":{"2.0.0":{"b":1},"1.0.0":{"a":2}},"time":{}}"#
            ),
            (
                #"{"name":"hello","versions":{"1.0.0":{"a":1}},"x":1,"versions":{"2.0.0":{"b":1}},"x":2}"#,
                #"{"_id":"hello","name":"hello","x":2,"dist-tags":{"latest":"2.0.0"},"versions":{"2.0.0":{"b":1}},"time":{}}"#
            ),
            (
                #"{"name":"hello","dist-tags":{"a":"1.0.0"},"versions":{"1.0.0":{}},"dist-tags":{"latest":"1.0.0","latest":"1.0.0"},"time":{"1.0.0":"x"},"time":1}"#,
                #"{"_id":"hello","name":"hello","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{}},"time":{}}"#
            ),
            (
                #"{"name":"hello","versions":{"1.0.0":{},"2.0.0":null},"dist-tags":{"latest":null}}"#,
                #"{"_id":"hello","name":"hello","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{}},"time":{}}"#
            ),
        ])
    func doubles(_ text: String, _ expected: String) throws {
        #expect(try composed([TestSource(upstream: text)]) == expected)
    }

    @Test("a package that was withdrawn says so, and has no versions")
    func unpublished() throws {
        let text = #"{"_id":"hello","name":"hello","time":{"created":"2020-01-01T00:00:00.000Z","unpublished":{"versions":["1.0.0"]}}}"#
        #expect(try composed([TestSource(upstream: text)]) == text)
    }

    @Test("both forms are documents of one package, asked for in their own words")
    func keys() throws {
        let (full, short) = (Packument.Key(package: try NpmName("@s/p"), form: .full), Packument.Key(package: try NpmName("@s/p"), form: .abbreviated))
        #expect(Packument.identifier(full).text == "npm.full:@s/p" && Packument.identifier(short).text == "npm.abbreviated:@s/p")
        #expect(try Packument.path(full).text == ".packuments/full/@s/p" && Packument.forms(full) == [short] && Packument.forms(short) == [full])
        #expect(Packument.upstream(full).location == .below("@s%2fp") && Packument.upstream(full).accept == ["application/json"])
        #expect(Packument.upstream(short).accept.first == "application/vnd.npm.install-v1+json; q=1.0" && Packument.upstream(short).mayBeCompressed)
        #expect(Packument.name(full) == "@s/p" && Packument.pointers(full)?.kind == "tag" && Packument.package(full)?.namespace == "@s")
    }
}
