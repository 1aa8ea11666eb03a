import ArtifactModel
import Compression
import Crypto
import FormatAPI
import FormatTestKit
import Foundation
import HTTPTypes
import NIOCore
import RepositoryEngine
import Testing

@testable import HelmFormat

/// A hosted repository of each kind, a proxy of an upstream that follows a script, and a group of them.
struct Ground {
    let upstream = ScriptedUpstream()
    let site: TestSite

    init(policy: WritePolicy = .allowOnce, oci: Bool = false) async throws {
        self.site = try await TestSite.make(
            HelmRepository(), site: NoSettings(),
            [
                TestSite.Plan("hosted", policy: policy, settings: HelmSettings(oci: oci)),
                try TestSite.Plan("own", policy: .allowOnce, settings: HelmSettings()).owning("acme-*"),
                .proxy("proxy", of: self.upstream, settings: HelmSettings()),
                try .group("group", of: ["hosted", "own", "proxy"], writeTo: "hosted", settings: HelmSettings(oci: oci)),
                try .group("patient", of: ["hosted", "proxy"], onMemberError: .skip, settings: HelmSettings(oci: oci)),
            ])
    }

    func ask(_ method: HTTPRequest.Method, _ path: String, _ body: ByteBuffer = ByteBuffer(), headers: HTTPFields = [:]) async throws -> TestResponse {
        var request = TestRequest(method, "/repository/\(path)", body: body.readableBytes == 0 ? [] : [body])
        for field in headers { request.headers[field.name] = field.value }
        return try await self.site.send(request)
    }

    func text(_ path: String) async throws -> String { try await self.ask(.get, path).text }

    func put(_ chart: Chart, in repository: String = "hosted", _ status: HTTPResponse.Status = .created, line: Int = #line) async throws {
        let answer = try await self.ask(.put, "\(repository)/\(chart.file)", chart.archive)
        #expect(answer.status == status, "\(answer.text)", sourceLocation: SourceLocation(fileID: #fileID, filePath: #filePath, line: line, column: 1))
    }

    /// An index's entries, by chart; read as JSON, which it is.
    func index(_ repository: String) async throws -> [String: [[String: Any]]] {
        let answer = try await self.ask(.get, "\(repository)/index.yaml")
        let object = try JSONSerialization.jsonObject(with: Data(answer.body.readableBytesView)) as? [String: Any]
        return try #require(object?["entries"] as? [String: [[String: Any]]])
    }

    /// `name version`, in the index's order of versions.
    func listed(_ repository: String) async throws -> [String] {
        try await self.index(repository).sorted { $0.key < $1.key }.flatMap { name, entries in entries.map { "\(name) \($0["version"] as? String ?? "?")" } }
    }

    func settled() async throws {
        for _ in 0..<200_000 where self.site.fills.count > 0 { await Task.yield() }
        #expect(self.site.fills.count == 0)
    }

    func running(_ body: () async throws -> Void) async throws { try await self.site.running(body) }
}

/// A chart's archive, made as a test needs it.
struct Chart {
    var name: String
    var version: String
    var fields = ""
    var files: [(path: String, text: String)] = []
    /// Of each entry of the tar archive; nil: those of the files.
    var entries: [TarEntry]?

    var file: String { "\(self.name)-\(self.version).tgz" }
    var yaml: String { "apiVersion: v2\nname: \(self.name)\nversion: \(self.version)\n\(self.fields)" }

    var archive: ByteBuffer {
        let files = [("\(self.name)/Chart.yaml", self.yaml)] + self.files.map { ("\(self.name)/\($0.path)", $0.text) }
        return TarEntry.archive(self.entries ?? files.map { TarEntry(path: $0.0, content: Array($0.1.utf8)) }).gzipped(level: 5)
    }

    var digest: String { SHA256.hash(data: Data(self.archive.readableBytesView)).map { String(format: "%02x", $0) }.joined() }

    /// An entry of an upstream's index.
    func entry(url: String, digest: String? = nil, more: String = "") -> String {
        "  - apiVersion: v2\n    name: \(self.name)\n    version: \(self.version)\n    urls:\n    - \(url)\n    digest: \(digest ?? self.digest)\n\(more)"
    }

    var provenance: ByteBuffer {
        ByteBuffer(
            string: """
                -----BEGIN PGP SIGNED MESSAGE-----
                Hash: SHA512

                \(self.yaml)
                ...
                files:
                  \(self.file): sha256:\(self.digest)
                -----BEGIN PGP SIGNATURE-----

                wsBcBAEBCgAQBQJ
                -----END PGP SIGNATURE-----
                """)
    }
}

struct TarEntry {
    var path: String
    var kind: Character = "0"
    var content: [UInt8] = []
    /// In the header; nil: as many as there are.
    var size: Int?

    static func archive(_ entries: [TarEntry], ending: Bool = true) -> ByteBuffer {
        var out = ByteBuffer()
        for entry in entries {
            out.writeBytes(entry.header)
            out.writeBytes(entry.content)
            out.writeRepeatingByte(0, count: (512 - entry.content.count % 512) % 512)
        }
        if ending { out.writeRepeatingByte(0, count: 1024) }
        return out
    }

    private var header: [UInt8] {
        var block = [UInt8](repeating: 0, count: 512)
        func put(_ text: String, at: Int) { block.replaceSubrange(at..<(at + text.utf8.count), with: text.utf8) }
        put(String(self.path.prefix(100)), at: 0)
        put("0000644", at: 100)
        put(String(format: "%011o", self.size ?? self.content.count), at: 124)
        put("00000000000", at: 136)
        block[156] = self.kind.asciiValue ?? 0
        put("ustar", at: 257)
        put("00", at: 263)
        for place in 148..<156 { block[place] = 0x20 }
        put(String(format: "%06o", block.reduce(0) { $0 + Int($1) }) + "\0 ", at: 148)
        return block
    }
}
