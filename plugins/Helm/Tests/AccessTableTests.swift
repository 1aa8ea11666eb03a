import AccessControl
import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import Testing

@testable import HelmFormat

/// Every operation on charts, walked with everybody.
@Suite("Who may do what with charts")
struct AccessTableTests {
    struct Row: Sendable {
        var method: HTTPRequest.Method
        var path: String
        var body = ByteBuffer()
        /// For none, wrong, reader, writer, stranger, narrow: `narrow` may read and write `acme-*` alone.
        var statuses: [Int]
    }

    private static let reads = [401, 401, 200, 200, 404, 200]
    private static let writes = [401, 401, 403, 201, 404, 201]
    private static let deletes = [401, 401, 403, 200, 404, 200]
    private static let published = Chart(name: "acme-app", version: "1.0.0", files: [("values.yaml", "a: 1")])
    private static let other = Chart(name: "acme-app", version: "2.0.0")

    private static let rows = [
        Row(method: .get, path: "index.yaml", statuses: reads), Row(method: .get, path: "", statuses: reads),
        Row(method: .get, path: "acme-app-1.0.0.tgz", statuses: reads),
        Row(method: .get, path: "acme-app-1.0.0.tgz.prov", statuses: reads), Row(method: .get, path: "api/charts", statuses: reads),
        Row(method: .get, path: "api/charts/acme-app", statuses: reads), Row(method: .get, path: "api/charts/acme-app/1.0.0", statuses: reads),
        Row(method: .get, path: "api/charts/acme-app/1.0.0/values", statuses: reads),
        Row(method: .get, path: "v2/acme-app/manifests/1.0.0", statuses: reads), Row(method: .get, path: "v2/acme-app/tags/list", statuses: reads),
        Row(method: .get, path: "v2/acme-app/blobs/sha256:\(published.digest)", statuses: reads),
        Row(method: .put, path: other.file, body: other.archive, statuses: writes),
        Row(method: .post, path: "api/charts", body: other.archive, statuses: writes),
        Row(method: .post, path: "api/prov", body: published.provenance, statuses: writes),
        Row(method: .put, path: "acme-app-1.0.0.tgz.prov", body: published.provenance, statuses: writes),
        Row(method: .delete, path: "acme-app-1.0.0.tgz", statuses: deletes), Row(method: .delete, path: "api/charts/acme-app/1.0.0", statuses: deletes),
    ]

    private func site() async throws -> TestSite {
        let cast = try Cast("charts", path: "acme-*")
        let site = try await TestSite.make(
            HelmRepository(), site: NoSettings(),
            [.init("charts", policy: .allowOnce, settings: HelmSettings(oci: true)), .init("other", settings: HelmSettings(oci: true))],
            authorizer: cast.authorizer, gate: cast.gate)
        for chart in [Self.published, Chart(name: "else", version: "1.0.0")] {
            #expect(try await site.ask(.put, chart.file, chart.archive, as: "writer").status == .created)
            #expect(try await site.ask(.post, "api/prov", chart.provenance, as: "writer").status == .created)
        }
        return site
    }

    @Test("every operation answers everybody as the model says", arguments: Cast.people)
    func table(person: String) async throws {
        let place = try #require(Cast.people.firstIndex(of: person))
        for row in Self.rows {
            let site = try await self.site()
            try await site.running { () async throws in
                let answer = try await site.ask(row.method, row.path, row.body, as: person)
                #expect(answer.status.code == row.statuses[place], "\(person) \(row.method) \(row.path): \(answer.text.prefix(200))")
            }
        }
    }

    @Test("who may see some charts sees these in lists, and may not publish others by what is in an archive")
    func narrow() async throws {
        let site = try await self.site()
        try await site.running { () async throws in
            for path in ["index.yaml", "api/charts", ""] {
                let text = try await site.ask(.get, path, as: "narrow").text
                #expect(text.contains("acme-app") && !text.contains("else"), "\(path): \(text)")
            }
            for path in ["else-1.0.0.tgz", "else-1.0.0.tgz.prov", "api/charts/else", "api/charts/else/1.0.0", "api/charts/else/1.0.0/values"] {
                #expect(try await site.ask(.get, path, as: "narrow").status == .notFound, "\(path)")
            }
            let chart = Chart(name: "else", version: "2.0.0")
            #expect(try await site.ask(.post, "api/charts", chart.archive, as: "narrow").status == .forbidden)
            #expect(try await site.ask(.post, "api/prov", Chart(name: "else", version: "1.0.0").provenance, as: "narrow").status != .created)
            #expect(try await site.ask(.delete, "api/charts/else/1.0.0", as: "narrow").status == .notFound)
        }
    }

    @Test("the rows have every operation's name")
    func complete() throws {
        let names = try Self.rows.map { row in
            let path = row.path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            return try HelmRepository().parse(RequestHead(method: row.method, path: path)).name.description
        }
        let wanted: Set = [
            "index.read", "folder.list", "chart.read", "provenance.read", "chart.upload", "provenance.upload", "chart.delete", "charts.list", "chart.list",
            "chart.describe",
            "chart.part", "artifact.manifest", "artifact.blob", "artifact.tags",
        ]
        #expect(Set(names) == wanted)
    }
}

extension TestSite {
    fileprivate func ask(_ method: HTTPRequest.Method, _ path: String, _ body: ByteBuffer = ByteBuffer(), as person: String) async throws -> TestResponse {
        var request = TestRequest(method, "/repository/charts/\(path)", body: body.readableBytes == 0 ? [] : [body])
        request.credentials = Cast.credentials(of: person)
        return try await self.send(request)
    }
}
