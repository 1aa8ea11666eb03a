import ArtifactModel
import FormatAPI
import Testing

@testable import NpmFormat

@Suite("Packuments of several repositories in one, and of hosted ones")
struct MergeTests {
    private static func fragment(_ form: Packument.Key.Form, _ section: String, _ name: String, _ text: String, slot: String? = nil) throws -> Fragment {
        let slots = slot.map { path in
            let at = Int64(text.utf8.count - 3)
            return [DocumentSlot(at..<at, path: path)]
        }
        return Fragment(
            of: DocumentID("npm.\(form.rawValue)", "hello"), section: section, name: name,
            sortKey: section == "time" ? Array(text.utf8.dropFirst().dropLast()) : section == "versions" ? try NpmVersion(name).sortKey : [],
            bytes: Array(text.utf8),
            slots: slots ?? [])
    }

    /// In the order in which they were published.
    private static func hosted(_ versions: [String], _ form: Packument.Key.Form = .full, tags: [String: String], attributes: String? = nil) throws -> TestSource
    {
        var fragments: [Fragment] = []
        for (day, version) in versions.enumerated() {
            let manifest = #"{"version":"\#(version)","dist":{"tarball":""}}"#
            fragments.append(try Self.fragment(form, "versions", version, manifest, slot: "hello/-/hello-\(version).tgz"))
            fragments.append(try Self.fragment(form, "time", version, "\"2026-01-0\(day + 1)T00:00:00.000Z\""))
            if form == .full { fragments.append(try Self.fragment(form, "head", version, #""readme":"of \#(version)""#)) }
        }
        return TestSource(fragments, of: form, tags: tags, attributes: attributes)
    }

    private static let attributes =
        #"{"maintainers":[{"name":"ann"}],"deprecated":{"1.9.0":"say \"no\""},"created":"2026-01-01T00:00:00.000Z","modified":"2026-03-01T00:00:00.000Z"}"#

    @Test("a hosted package in full: versions by precedence, members of latest at the top, deprecations in their versions")
    func hostedFull() throws {
        let source = try Self.hosted(
            ["1.10.0", "1.9.0", "2.0.0-rc.1"], tags: ["latest": "1.9.0", "next": "2.0.0-rc.1", "gone": "3.0.0"], attributes: Self.attributes)
        #expect(
            try composed([source])
                == #"{"_id":"hello","name":"hello","readme":"of 1.9.0","maintainers":[{"name":"ann"}],"dist-tags":{"latest":"1.9.0","next":"2.0.0-rc.1"},"#
                + #""versions":{"1.9.0":{"version":"1.9.0","dist":{"tarball":"http://us/npm/hello/-/hello-1.9.0.tgz"},"deprecated":"say \"no\""},"#
                + #""1.10.0":{"version":"1.10.0","dist":{"tarball":"http://us/npm/hello/-/hello-1.10.0.tgz"}},"#
                + #""2.0.0-rc.1":{"version":"2.0.0-rc.1","dist":{"tarball":"http://us/npm/hello/-/hello-2.0.0-rc.1.tgz"}}},"#
                + #""time":{"created":"2026-01-01T00:00:00.000Z","modified":"2026-03-01T00:00:00.000Z","1.10.0":"2026-01-01T00:00:00.000Z","#
                + #""1.9.0":"2026-01-02T00:00:00.000Z","2.0.0-rc.1":"2026-01-03T00:00:00.000Z"}}"#)
    }

    @Test("a hosted package, abbreviated: when it was modified, dist-tags and versions")
    func hostedAbbreviated() throws {
        let source = try Self.hosted(["1.9.0"], .abbreviated, tags: ["latest": "1.9.0"], attributes: Self.attributes)
        #expect(
            try composed([source], .abbreviated)
                == #"{"name":"hello","modified":"2026-03-01T00:00:00.000Z","dist-tags":{"latest":"1.9.0"},"versions":{"1.9.0":{"version":"1.9.0","#
                + #""dist":{"tarball":"http://us/npm/hello/-/hello-1.9.0.tgz"},"deprecated":"say \"no\""}}}"#)
    }

    @Test("without attributes, created and modified are of the first and the last version")
    func withoutAttributes() throws {
        let text = try composed([Self.hosted(["1.0.0", "1.1.0"], tags: ["latest": "1.1.0"])])
        #expect(text.contains(#""time":{"created":"2026-01-01T00:00:00.000Z","modified":"2026-01-02T00:00:00.000Z","1.0.0""#))
    }

    @Test(
        "latest is there where versions are: as set, else the highest release, else the highest",
        arguments: [
            (["1.0.0", "2.0.0"], ["latest": "1.0.0"], "1.0.0"), (["1.0.0", "2.0.0", "3.0.0-a"], ["latest": "9.9.9"], "2.0.0"),
            (["1.0.0-a", "1.0.0-b"], [:], "1.0.0-b"),
        ] as [([String], [String: String], String)])
    func latest(_ versions: [String], _ tags: [String: String], _ expected: String) throws {
        let value = try JSONValue(try composed([Self.hosted(versions, tags: tags)]).utf8)
        #expect(value["dist-tags"]?["latest"]?.string == expected)
    }

    @Test("of two members, each version, dist-tag and time is the first one's that has it")
    func merged() throws {
        let first = try TestSource(
            upstream: #"{"name":"hello","dist-tags":{"latest":"2.0.0","gone":"7.0.0"},"versions":{"2.0.0":{"a":2},"1.0.0":{"a":1}},"#
                + #""time":{"created":"2020-01-01T00:00:00.000Z","modified":"2021-01-01T00:00:00.000Z","2.0.0":"a","1.0.0":"b"},"x":1}"#)
        let second = try TestSource(
            upstream: #"{"name":"hello","dist-tags":{"old":"0.9.0","latest":"0.9.0","gone":"0.9.0"},"versions":{"0.9.0":{"b":0},"1.0.0":{"b":1}},"#
                + #""time":{"created":"2019-01-01T00:00:00.000Z","modified":"2022-01-01T00:00:00.000Z","0.9.0":"c","1.0.0":"d","unpublished":{}},"y":2}"#)
        #expect(
            try composed([first, second])
                == #"{"_id":"hello","name":"hello","x":1,"dist-tags":{"latest":"2.0.0","old":"0.9.0","gone":"0.9.0"},"#
                + #""versions":{"0.9.0":{"b":0},"1.0.0":{"a":1},"2.0.0":{"a":2}},"#
                + #""time":{"created":"2019-01-01T00:00:00.000Z","modified":"2022-01-01T00:00:00.000Z","2.0.0":"a","1.0.0":"b","0.9.0":"c"}}"#)
        #expect(
            try composed([second, first], .abbreviated)
                == #"{"name":"hello","y":2,"modified":"2022-01-01T00:00:00.000Z","dist-tags":{"old":"0.9.0","latest":"0.9.0","gone":"0.9.0"},"#
                + #""versions":{"0.9.0":{"b":0},"1.0.0":{"b":1},"2.0.0":{"a":2}}}"#)
    }

    @Test("a hosted member and an upstream's: deprecations of the one are none of the other")
    func mixed() throws {
        let upstream = try TestSource(
            upstream: #"{"name":"hello","modified":"2026-04-01T00:00:00.000Z","versions":{"1.9.0":{"u":1},"1.8.0":{}},"description":"u"}"#)
        let hosted = try Self.hosted(["1.9.0"], tags: ["latest": "1.9.0"], attributes: Self.attributes)
        let text = try composed([upstream, hosted])
        #expect(text.contains(#""versions":{"1.8.0":{},"1.9.0":{"u":1}}"#) && text.contains(#""description":"u""#) && !text.contains("maintainers"))
        #expect(text.contains(#""modified":"2026-04-01T00:00:00.000Z""#))
        #expect(try composed([hosted, upstream]).contains(#""deprecated":"say \"no\""},"#) == false)
        #expect(try composed([hosted, upstream]).contains(#""deprecated":"say \"no\""}},"#))
    }

    @Test("what is no moment is no candidate for created and modified")
    func moments() throws {
        let sources = try [#"{"created":"0","modified":"zzz"}"#, #"{"created":"2020-01-01T00:00:00Z","modified":"2020-01-02T00:00:00Z"}"#].map {
            try TestSource(upstream: #"{"name":"hello","time":\#($0)}"#)
        }
        #expect(try composed(sources).hasSuffix(#""time":{"created":"2020-01-01T00:00:00Z","modified":"2020-01-02T00:00:00Z"}}"#))
    }

    @Test("a member that has nothing takes no part")
    func empty() throws {
        #expect(try composed([TestSource([], of: .full, tags: [:], attributes: nil), TestSource(upstream: upstreamText)]).hasPrefix("{\n  \"_id\""))
    }
}
