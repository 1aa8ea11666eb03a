import ArtifactModel
import FormatAPI
import Testing

@testable import NpmFormat

@Suite("Moments as packuments write them")
struct MomentTests {
    @Test(
        "a moment is written in UTC with milliseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (1_764_267_600_123, "2025-11-27T18:20:00.123Z"), (951_782_399_999, "2000-02-28T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"), (951_868_800_000, "2000-03-01T00:00:00.000Z"), (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"), (-2_208_988_800_000, "1900-01-01T00:00:00.000Z"), (.max, "9999-12-31T23:59:59.999Z"),
            (.min, "0000-01-01T00:00:00.000Z"),
        ] as [(Int64, String)])
    func written(_ milliseconds: Int64, _ text: String) { #expect(Timestamp(milliseconds: milliseconds).isoText == text) }
}

@Suite("Fragments of a version")
struct ManifestTests {
    private static let manifest = #"""
        {"name":"@acme/hello","version":"1.0.0","_id":"x","description":"d","readme":"long","readmeFilename":"README.md","keywords":["k"],"author":{"name":"ann"},
        "deprecated":"old","dist":{"tarball":"http://evil/x.tgz","shasum":"no","integrity":"no","fileCount":3,"unpackedSize":-4,"signatures":[1]},
        "scripts":{"postinstall":"x"},"dependencies":{"a":"1"},"bin":"x.js","odd":[1.0],"os":["linux"]}
        """#

    private static func made(_ text: String = manifest) throws -> ManifestFragments {
        try ManifestFragments(
            JSONValue(text.utf8), NpmName("@acme/hello"), NpmVersion("1.0.0"), .init(sha1: "aa", sha512: "bb=="), published: Timestamp(milliseconds: 0))
    }

    private static func text(_ made: ManifestFragments, _ document: String, _ section: String) -> String? {
        made.fragments.first { $0.document.text == document && $0.section == section }.map { String(decoding: $0.bytes, as: UTF8.self) }
    }

    @Test("the full manifest is what was sent, but for the README, the deprecation, and what was found out of the tarball")
    func full() throws {
        let made = try Self.made()
        #expect(
            Self.text(made, "npm.full:@acme/hello", "versions")
                == #"{"name":"@acme/hello","version":"1.0.0","description":"d","readmeFilename":"README.md","keywords":["k"],"author":{"name":"ann"},"#
                + #""scripts":{"postinstall":"x"},"dependencies":{"a":"1"},"bin":"x.js","odd":[1.0],"os":["linux"],"_id":"@acme/hello@1.0.0","#
                + #""dist":{"integrity":"sha512-bb==","shasum":"aa","fileCount":3,"tarball":""}}"#)
        #expect(
            Self.text(made, "npm.full:@acme/hello", "head")
                == #""description":"d","readme":"long","readmeFilename":"README.md","keywords":["k"],"author":{"name":"ann"}"#)
        #expect(made.deprecated == "old")
        #expect(made.summary.text == #"{"description":"d","keywords":["k"],"author":{"name":"ann"},"version":"1.0.0","date":"1970-01-01T00:00:00.000Z"}"#)
    }

    @Test("the abbreviated manifest has what clients install by")
    func abbreviated() throws {
        #expect(
            Self.text(try Self.made(), "npm.abbreviated:@acme/hello", "versions")
                == #"{"name":"@acme/hello","version":"1.0.0","dependencies":{"a":"1"},"bin":"x.js","os":["linux"],"hasInstallScript":true,"#
                + #""dist":{"integrity":"sha512-bb==","shasum":"aa","fileCount":3,"tarball":""}}"#)
        let plain = try Self.made(#"{"name":"@acme/hello","version":"1.0.0","scripts":{"test":"x"}}"#)
        #expect(Self.text(plain, "npm.abbreviated:@acme/hello", "versions")?.contains("hasInstallScript") == false)
        #expect(plain.fragments.count == 4 && plain.deprecated == nil)
    }

    @Test("both documents are composed of the fragments, each with our address")
    func composedOf() throws {
        let made = try Self.made()
        for form in Packument.Key.Form.allCases {
            let source = TestSource(made.fragments, of: form, tags: ["latest": "1.0.0"], attributes: #"{"deprecated":{"1.0.0":"old"}}"#)
            let value = try JSONValue(try composed([source], form, of: "@acme/hello").utf8)
            let version = try #require(value["versions"]?["1.0.0"])
            #expect(version["dist"]?["tarball"]?.string == "http://us/npm/@acme/hello/-/hello-1.0.0.tgz" && version["deprecated"]?.string == "old")
            #expect(value["name"]?.string == "@acme/hello" && value["dist-tags"]?["latest"]?.string == "1.0.0")
            #expect(value["readme"]?.string == (form == .full ? "long" : nil) && (value["time"] != nil) == (form == .full))
        }
    }

    @Test(
        "a manifest that is another one's, or none, is refused",
        arguments: [
            "[]", "{}", #"{"name":"hello","version":"1.0.0"}"#, #"{"name":"@acme/hello","version":"1.0.1"}"#, #"{"name":"@acme/hello","version":1}"#,
            #"{"name":"@ACME/hello","version":"1.0.0"}"#,
        ])
    func refused(_ text: String) {
        let error = #expect(throws: FormatError.self) { try Self.made(text) }
        #expect(error?.code == .invalidRequest)
    }
}

@Suite("Packuments that are sent back")
struct PackumentChangeTests {
    private static func difference(_ text: String) throws -> PackumentChange {
        try PackumentChange.difference(
            of: JSONValue(text.utf8),
            against: .init(
                versions: ["1.0.0", "2.0.0"], tags: ["latest": "2.0.0", "old": "1.0.0", "gone": "0.1.0"], deprecated: ["1.0.0": "why"],
                maintainers: JSONValue(#"[{"name":"ann"}]"#.utf8)))
    }

    @Test("what is sent back as it is changes nothing")
    func same() throws {
        let text =
            #"{"versions":{"1.0.0":{"deprecated":"why","x":1},"2.0.0":{"deprecated":false}},"dist-tags":{"latest":"2.0.0","old":"1.0.0","gone":"0.1.0"},"maintainers":[{"name":"ann"}]}"#
        #expect(try Self.difference(text).isEmpty)
        #expect(try Self.difference(#"{"versions":{"2.0.0":{},"1.0.0":{"deprecated":"why"}}}"#).isEmpty)
    }

    @Test("a version that is missing is removed, and tags are as they are said to be")
    func removed() throws {
        let change = try Self.difference(#"{"versions":{"1.0.0":{"deprecated":"why"}},"dist-tags":{"latest":"1.0.0","new":"1.0.0","gone":"0.1.0"}}"#)
        #expect(change.removedVersions == ["2.0.0"] && change.deprecations.isEmpty && change.maintainers == nil)
        #expect(change.tags == ["latest": "1.0.0", "new": "1.0.0", "old": nil])
        #expect(try Self.difference(#"{"versions":{}}"#).removedVersions == ["1.0.0", "2.0.0"])
    }

    @Test("deprecations are set, changed and taken back")
    func deprecated() throws {
        #expect(
            try Self.difference(#"{"versions":{"1.0.0":{"deprecated":"other"},"2.0.0":{"deprecated":"bad"}}}"#).deprecations == [
                "1.0.0": "other", "2.0.0": "bad",
            ])
        for text in [#""deprecated":"""#, #""x":1"#, #""deprecated":null"#] {
            #expect(try Self.difference(#"{"versions":{"1.0.0":{\#(text)},"2.0.0":{}}}"#).deprecations == ["1.0.0": nil], "\(text)")
        }
    }

    @Test("owners are changed, and one is left")
    func owners() throws {
        let change = try Self.difference(#"{"versions":{"1.0.0":{"deprecated":"why"},"2.0.0":{}},"maintainers":[{"name":"bob","email":"b"}]}"#)
        #expect(change.maintainers?.text == #"[{"name":"bob","email":"b"}]"# && change.removedVersions.isEmpty && change.tags.isEmpty)
    }

    @Test(
        "what nobody can have meant is refused",
        arguments: [
            "{}", "[]", #"{"versions":[]}"#, #"{"versions":{"3.0.0":{}}}"#, #"{"versions":{"1.0.0":{}},"dist-tags":{"latest":"2.0.0","x":"2.0.0"}}"#,
            #"{"versions":{"1.0.0":{}},"dist-tags":{"x":"3.0.0"}}"#, #"{"versions":{"1.0.0":{}},"dist-tags":{"x":1}}"#,
            #"{"versions":{"1.0.0":{}},"dist-tags":[]}"#,
            #"{"versions":{"1.0.0":{}},"maintainers":[]}"#, #"{"versions":{"1.0.0":{}},"maintainers":[{"email":"x"}]}"#,
            #"{"versions":{"1.0.0":{}},"maintainers":"ann"}"#,
        ])
    func refused(_ text: String) {
        let error = #expect(throws: FormatError.self) { try Self.difference(text) }
        #expect(error?.code == .invalidRequest)
    }
}
