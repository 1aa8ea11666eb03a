import ArtifactModel
import Compression
import FormatAPI
import NIOCore
import TestDice
import Testing

@testable import HelmFormat

@Suite("Names, versions and archives of charts")
struct ChartTests {
    @Test(
        "one version is before the other",
        arguments: [
            ("1.0.0", "1.0.1"), ("1.9.0", "1.10.0"), ("1.0.0-rc.1", "1.0.0"), ("1.0.0-alpha", "1.0.0-alpha.1"), ("1.0.0-1", "1.0.0-a"), ("1.0.0-2", "1.0.0-10"),
            ("v1.0.0", "1.0.1"), ("1", "1.0.1"), ("1.2", "1.2.1"), ("0.9", "1"), ("1.0.0-a.b", "1.0.0-a.c"),
            ("99999999999999999999.0.0", "100000000000000000000.0.0"),
        ])
    func order(less: String, more: String) throws {
        let (a, b) = (try ChartVersion(less).sortKey, try ChartVersion(more).sortKey)
        #expect(a.lexicographicallyPrecedes(b) && !b.lexicographicallyPrecedes(a))
    }

    @Test(
        "what is built alone, a v and zeros that say nothing do not count",
        arguments: [("1.0.0+a", "1.0.0+b"), ("v1.2.3", "1.2.3"), ("1", "1.0.0"), ("01.2", "1.2.0")])
    func equal(one: String, other: String) throws { #expect(try ChartVersion(one).sortKey == ChartVersion(other).sortKey) }

    @Test(
        "what is no version",
        arguments: ["", "a", "1.", "1.2.3.4", "1.0.0-", "1.0.0+", "1.0.0-a..b", "1.0.0 ", "1/2", "-1", "1.0.0-é", String(repeating: "1", count: 129)])
    func noVersion(text: String) { #expect(ChartVersion(reading: text) == nil) }

    @Test(
        "a file's name means one chart: the one whose version has three numbers, else the one whose version is longest",
        arguments: [
            ("nginx-1.0.0.tgz", "nginx 1.0.0", false), ("my-app-1.0.0-rc.1.tgz", "my-app 1.0.0-rc.1", false), ("a-1-2.tgz", "a 1-2", false),
            ("a-1.0.0+b.tgz.prov", "a 1.0.0+b", true), ("a-v1.tgz", "a v1", false), ("mysql-8-1.0.0.tgz", "mysql-8 1.0.0", false),
            ("a-1.0.0-1.tgz", "a 1.0.0-1", false),
            ("a-1.0.0-2.0.0.tgz", "a 1.0.0-2.0.0", false),
        ])
    func files(text: String, meant: String, isProvenance: Bool) throws {
        let file = try #require(ChartFile(text))
        #expect(file.id.description == meant && file.isProvenance == isProvenance && file.id.isPlain)
    }

    @Test("what its file's name does not mean is not taken", arguments: [("foo-1", "2"), ("foo-1.0.0", "2.0.0"), ("foo-1.0.0", "1")])
    func meantOtherwise(name: String, version: String) throws {
        #expect(throws: FormatError.self) { try ChartMetadata(Array(Chart(name: name, version: version).yaml.utf8)).check() }
    }

    @Test(
        "a field that Helm reads otherwise than it is written is refused",
        arguments: ["Version: 9.9.9", "ver\u{17F}ion: 9.9.9", "NAME: x", "version: 1.0.0", "description: a\ndescription: b"])
    func folded(line: String) {
        #expect(throws: FormatError.self) { try ChartMetadata(Array("apiVersion: v2\nname: a\nversion: 1.0.0\n\(line)\n".utf8)) }
    }

    @Test("what is referred to counts each time, in bytes too; merged mappings are read; a mark of byte order is none")
    func references() throws {
        let long =
            "name: a\nversion: 1.0.0\nx: &x \(String(repeating: "y", count: 100_000))\nsources: [\(Array(repeating: "*x", count: 20).joined(separator: ","))]\n"
        #expect(throws: FormatError.self) { try ChartMetadata(Array(long.utf8)) }
        let merged = try ChartMetadata(
            Array("\u{FEFF}apiVersion: v2\nname: a\nversion: 1.0.0\nmaintainers:\n- &m {name: Ann, email: a@b}\n- {<<: *m, name: Bob}\n".utf8))
        var json = JSONText()
        merged.write(to: &json)
        #expect(String(decoding: json.bytes, as: UTF8.self).hasSuffix(#""maintainers":[{"name":"Ann","email":"a@b"},{"name":"Bob","email":"a@b"}]"#))
    }

    @Test("what is no chart's file", arguments: ["nginx.tgz", "nginx-.tgz", "-1.0.0.tgz", "nginx-1.0.0.zip", "index.yaml", "a-1.tgz.asc", ".tgz", "é-1.tgz"])
    func noFile(text: String) { #expect(ChartFile(text) == nil) }

    // MARK: Metadata

    @Test("what Chart.yaml says is written as JSON that is YAML, and nothing that Helm does not know")
    func metadata() throws {
        let yaml = """
            apiVersion: v2
            name: app
            version: 1.10
            appVersion: 1.20
            description: "several\\nlines: \\"quoted\\" \\x7F\\n"
            type: application
            deprecated: yes
            keywords: [a, 'b', 1]
            home: ~
            maintainers:
            - &m {name: Ann, email: a@b, unknown: x}
            - *m
            annotations:
              1: true
              "k/v": "[1]"
            dependencies:
            - name: db
              version: ">= 1"
              repository: "@alias"
              enabled: false
              tags: [x]
              import-values: [a, {child: c, parent: p}]
            unknown: field
            """
        let metadata = try ChartMetadata(Array(yaml.utf8))
        try metadata.check()
        var json = JSONText()
        metadata.write(to: &json)
        #expect(
            String(decoding: json.bytes, as: UTF8.self) == """
                {"apiVersion":"v2","name":"app","version":"1.10","appVersion":"1.20","type":"application","description":"several\\nlines: \\"quoted\\" \\u007f\\n",\
                "deprecated":true,"keywords":["a","b","1"],"maintainers":[{"name":"Ann","email":"a@b"},{"name":"Ann","email":"a@b"}],\
                "annotations":{"k/v":"[1]","1":"true"},"dependencies":[{"name":"db","version":">= 1","repository":"@alias","tags":["x"],"enabled":false,\
                "import-values":["a",{"child":"c","parent":"p"}]}]
                """)
    }

    @Test(
        "a Chart.yaml that Helm would not load is refused",
        arguments: [
            "", "- a", "name: a", "name: a\nversion: b\napiVersion: v2", "name: a/b\nversion: 1.0.0", "name: a\nversion: 1.0.0",
            "name: a\nversion: 1.0.0\napiVersion: v3",
            "name: a\nversion: 1.0.0\napiVersion: v2\ntype: other", "a: [", "name: a\nversion: *b", "? [a]\n: b", "\u{0}",
            "name: a\nversion: 1.0.0\nx: " + String(repeating: "[", count: 100),
        ])
    func badMetadata(yaml: String) {
        #expect(throws: FormatError.self) { try ChartMetadata(Array(yaml.utf8)).check() }
    }

    @Test("a few lines that stand for billions of values are refused at once")
    func laughs() {
        var yaml = "name: a\nversion: 1.0.0\na0: &a0 [x]\n"
        for level in 1...20 { yaml += "a\(level): &a\(level) [\(Array(repeating: "*a\(level - 1)", count: 10).joined(separator: ","))]\n" }
        #expect(throws: FormatError.self) { try ChartMetadata(Array(yaml.utf8)) }
    }

    // MARK: Archives

    private static func read(_ bytes: ByteBuffer, pieces: Int = 1 << 20) throws -> ChartArchive {
        var (archive, rest) = (ChartArchive(wanting: ["Chart.yaml": 1 << 20, "values.yaml": 100]), bytes)
        while let piece = rest.readSlice(length: min(pieces, rest.readableBytes)), piece.readableBytes > 0 { try archive.feed(piece) }
        try archive.finish()
        return archive
    }

    @Test("of an archive what is wanted is kept, in whichever pieces it comes", arguments: [1, 7, 513, 1 << 20])
    func archive(pieces: Int) throws {
        let chart = Chart(
            name: "app", version: "1.0.0",
            files: [("values.yaml", "a: 1"), ("templates/a.yaml", "x"), ("templates/b/c.tpl", "y"), ("charts/sub/Chart.yaml", "no")])
        let archive = try Self.read(chart.archive, pieces: pieces)
        #expect(archive.name == "app" && archive.found.mapValues { String(buffer: $0) } == ["Chart.yaml": chart.yaml, "values.yaml": "a: 1"])
        #expect(archive.templates == ["templates/a.yaml", "templates/b/c.tpl"])
    }

    @Test("long names, as GNU and POSIX write them")
    func longNames() throws {
        let long = "app/" + String(repeating: "d/", count: 80) + "values.yaml"
        let record = { (text: String) -> String in
            var length = text.utf8.count + 3
            while "\(length) \(text)\n".utf8.count != length { length += 1 }
            return "\(length) \(text)\n"
        }
        let entries = [
            TarEntry(path: "pax_global_header", kind: "g", content: Array(record("comment=x").utf8)),
            TarEntry(path: "app/Chart.yaml", content: Array("x".utf8)),
            TarEntry(path: "././@LongLink", kind: "L", content: Array((long + "\0").utf8)), TarEntry(path: "cut", content: Array("1".utf8)),
            TarEntry(path: "pax", kind: "x", content: Array((record("mtime=1") + record("path=app/values.yaml")).utf8)),
            TarEntry(path: "cut", content: Array("2".utf8)),
        ]
        let archive = try Self.read(TarEntry.archive(entries).gzipped(level: 1))
        #expect(archive.found["values.yaml"].map { String(buffer: $0) } == "2")
    }

    @Test(
        "what no chart has is refused",
        arguments: [
            [TarEntry(path: "app/../../etc/passwd", content: [1])], [TarEntry(path: "/etc/passwd", content: [1])], [TarEntry(path: "app\\x", content: [1])],
            [TarEntry(path: "c:/x", content: [1])], [TarEntry(path: "app/link", kind: "2")], [TarEntry(path: "app/link", kind: "1")],
            [TarEntry(path: "app/pipe", kind: "6")],
            [TarEntry(path: "Chart.yaml", content: [1])], [], [TarEntry(path: "app/values.yaml", content: Array(repeating: 0x61, count: 101))],
            [TarEntry(path: "app/Chart.yaml", content: [1]), TarEntry(path: "other/Chart.yaml", content: [2])],
            [TarEntry(path: "app/Chart.yaml", content: [1]), TarEntry(path: "app/./Chart.yaml", content: [2])],
            [TarEntry(path: "app/cut", content: [1], size: 5000)],
        ])
    func refused(entries: [TarEntry]) {
        #expect(throws: FormatError.self) { _ = try Self.read(TarEntry.archive(entries).gzipped(level: 1)) }
    }

    @Test("a file and names that are too long are refused")
    func tooLong() {
        let large = [TarEntry(path: "app/big", content: Array(repeating: 0, count: 6 << 20))]
        let names = (0..<2000).flatMap { [TarEntry(path: "l", kind: "L", content: Array(repeating: 0x61, count: 10_000)), TarEntry(path: "app/\($0)")] }
        for entries in [large, names] {
            let bytes = TarEntry.archive(entries).gzipped(level: 1)
            #expect(throws: FormatError.self) { _ = try Self.read(bytes) }
        }
    }

    @Test("more than Helm would unpack is refused before it is unpacked")
    func bomb() {
        let megabyte = [UInt8](repeating: 0, count: 1 << 20)
        let entries = (0..<120).map { TarEntry(path: "app/\($0)", content: megabyte) }
        #expect(throws: FormatError.self) { _ = try Self.read(TarEntry.archive(entries).gzipped(level: 1)) }
    }

    @Test("whatever bytes come, it ends", arguments: 0..<40)
    func damaged(seed: Int) {
        var dice = Dice(state: UInt64(seed))
        let chart = Chart(name: "app", version: "1.0.0", files: [("values.yaml", "a: 1")])
        var tar = Array(
            TarEntry.archive([TarEntry(path: "app/Chart.yaml", content: Array(chart.yaml.utf8)), TarEntry(path: "app/values.yaml", content: [1])])
                .readableBytesView)
        for _ in 0..<Int.random(in: 1...20, using: &dice) { tar[Int.random(in: tar.indices, using: &dice)] = UInt8.random(in: 0...255, using: &dice) }
        var packed = Array(ByteBuffer(bytes: tar).gzipped(level: 1).readableBytesView)
        if seed % 2 == 0 { packed[Int.random(in: packed.indices, using: &dice)] ^= 0x10 }
        do { _ = try Self.read(ByteBuffer(bytes: packed), pieces: 100) } catch { #expect(error is FormatError) }
    }
}
