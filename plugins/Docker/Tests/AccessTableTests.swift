import AccessControl
import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import Testing

@testable import DockerFormat

/// Every operation of the registry, walked with everybody.
@Suite("Who may do what with images")
struct AccessTableTests {
    struct Row: Sendable {
        var method: HTTPRequest.Method
        /// Below the image `team/app`; what begins with a slash is whole.
        var target: String
        var body = ""
        var type: String?
        /// For none, wrong, reader, writer, stranger, narrow: `narrow` may read and write `team/app` alone.
        var statuses: [Int]
        /// The same with `else/app` in place of `team/app`, for narrow.
        var elsewhere = 404
    }

    /// A new operation makes this switch incomplete: it does not build without its row.
    static func row(_ kind: OCIOperation.Kind) throws -> Row {
        let blob = try digest("layer")
        switch kind {
        case .catalog: return Row(method: .get, target: "/repository/local/v2/_catalog", statuses: [401, 401, 200, 200, 404, 200], elsewhere: 200)
        case .tags: return Row(method: .get, target: "tags/list", statuses: [401, 401, 200, 200, 404, 200])
        case .readManifest: return Row(method: .get, target: "manifests/1", statuses: [401, 401, 200, 200, 404, 200])
        case .writeManifest:
            return Row(method: .put, target: "manifests/2", body: try image(), type: imageType, statuses: [401, 401, 403, 201, 404, 201])
        case .removeManifest: return Row(method: .delete, target: "manifests/1", statuses: [401, 401, 403, 202, 404, 202])
        case .readBlob: return Row(method: .get, target: "blobs/\(blob)", statuses: [401, 401, 200, 200, 404, 200])
        case .removeBlob: return Row(method: .delete, target: "blobs/\(blob)", statuses: [401, 401, 403, 202, 404, 202])
        case .beginUpload: return Row(method: .post, target: "blobs/uploads/", statuses: [401, 401, 403, 202, 404, 202])
        case .uploadBlob:
            return Row(method: .post, target: "blobs/uploads/?digest=\(try digest("new"))", body: "new", statuses: [401, 401, 403, 201, 404, 201])
        case .mountBlob:
            return Row(method: .post, target: "blobs/uploads/?mount=\(blob)&from=team/app", statuses: [401, 401, 403, 201, 404, 201])
        case .uploadStatus: return Row(method: .get, target: "blobs/uploads/\(unknown)", statuses: [401, 401, 403, 404, 404, 404])
        case .appendChunk: return Row(method: .patch, target: "blobs/uploads/\(unknown)", body: "x", statuses: [401, 401, 403, 404, 404, 404])
        case .closeUpload:
            return Row(method: .put, target: "blobs/uploads/\(unknown)?digest=\(blob)", statuses: [401, 401, 403, 404, 404, 404])
        case .cancelUpload: return Row(method: .delete, target: "blobs/uploads/\(unknown)", statuses: [401, 401, 403, 404, 404, 404])
        case .referrers: return Row(method: .get, target: "referrers/\(blob)", statuses: [401, 401, 200, 200, 404, 200])
        }
    }

    private static let unknown = String(repeating: "a", count: 32)

    static func everyKind() throws -> [OCIOperation.Kind] {
        let image = try ImageName("team/app")
        let tag = Reference.tag(try Tag("1"))
        let blob = try digest("layer")
        return [
            .catalog(Paging(count: nil, last: nil)), .tags(image, Paging(count: nil, last: nil)), .readManifest(image, tag),
            .writeManifest(image, tag, tags: []), .removeManifest(image, tag), .readBlob(image, blob), .removeBlob(image, blob), .beginUpload(image),
            .uploadBlob(image, blob), .mountBlob(image, blob, from: "team/app"), .uploadStatus(image, session: Self.unknown),
            .appendChunk(image, session: Self.unknown, at: nil), .closeUpload(image, session: Self.unknown, blob, at: nil),
            .cancelUpload(image, session: Self.unknown), .referrers(image, blob, artifactType: nil, after: nil),
        ]
    }

    private func site() async throws -> TestSite {
        let cast = try Cast("local", path: "team/**")
        let site = try await TestSite.make(
            OCIFormat(), site: OCISiteSettings(defaultRepository: try RepositoryName("local")),
            [.init("local", settings: OCISettings()), .init("other", settings: OCISettings())], authorizer: cast.authorizer, gate: cast.gate)
        for name in ["team/app", "else/app"] {
            for blob in ["{}", "layer"] {
                try await site.expect(201, "writer", .post, "/v2/\(name)/blobs/uploads/?digest=\(try digest(blob))", blob)
            }
            try await site.expect(201, "writer", .put, "/v2/\(name)/manifests/1", try image(), type: imageType)
        }
        return site
    }

    @Test("every operation answers everybody as the model says", arguments: Cast.people)
    func table(person: String) async throws {
        for kind in try Self.everyKind() {
            let row = try Self.row(kind)
            let site = try await self.site()
            let place = try #require(Cast.people.firstIndex(of: person))
            let target = row.target.hasPrefix("/") ? row.target : "/v2/team/app/\(row.target)"
            let answer = try await site.ask(row.method, target, row.body, type: row.type, as: person)
            #expect(answer.status.code == row.statuses[place], "\(person) \(row.method) \(target): \(answer.text)")
            guard person == "narrow" else { continue }
            let elsewhere = target.replacing("/v2/team/app/", with: "/v2/else/app/")
            let other = try await site.ask(row.method, elsewhere, row.body, type: row.type, as: person)
            #expect(other.status.code == row.elsewhere, "\(person) \(row.method) \(elsewhere): \(other.text)")
        }
    }

    @Test("who may not know of a repository is answered as if it were not there, byte for byte")
    func indistinguishable() async throws {
        let site = try await self.site()
        let layer = try digest("layer")
        let requests: [(HTTPRequest.Method, String)] =
            [
                "", "v2/", "v2/_token", "v2/_token?scope=repository:team/app:pull", "v2/_catalog", "x", "v2/team/app/tags/list", "v2/team/app/manifests/1",
                "v2/team/app/manifests/none", "v2/team/app/blobs/\(layer)", "v2/team/app/manifests/sha256:zz", "v2/what/is/this",
            ].map { (.get, $0) } + [(.head, "v2/_token"), (.put, "v2/_token"), (.put, "v2/team/app/manifests/1"), (.delete, "v2/"), (.post, "x")]
        for person in ["none", "wrong", "stranger"] {
            for (method, path) in requests {
                var answers: Set<String> = []
                for repository in ["local", "nobody"] {
                    let answer = try await site.ask(method, "/repository/\(repository)/\(path)", as: person)
                    let headers = answer.headers.map { "\($0.name): \($0.value)" }.sorted().joined(separator: "\n")
                    let text = path.contains("_token") && answer.status == .ok ? "a ticket" : answer.text
                    answers.insert("\(answer.status)\n\(headers)\n\(text)".replacing("/repository/\(repository)", with: "/*"))
                }
                #expect(answers.count == 1, "\(person) \(method) \(path): \(answers)")
            }
        }
    }

    @Test("a ticket for nothing tells no more than no credentials do")
    func emptyTicket() async throws {
        let site = try await self.site()
        for repository in ["local", "nobody"] {
            let given = try await site.ask(.get, "/repository/\(repository)/v2/_token", as: "none")
            let token = try #require(given.text.firstMatch(of: #/"token":"([^"]+)"/#)?.output.1)
            let answer = try await site.ask(.get, "/repository/\(repository)/v2/team/app/tags/list", with: .bearer(String(token)))
            #expect(answer.status == .unauthorized)
            let challenge = answer.headers[.wwwAuthenticate] ?? ""
            #expect(challenge.contains("insufficient_scope") && challenge.contains("repository:team/app:pull"), "\(challenge)")
        }
    }

    @Test("who may see some of a catalog gets that part, and no page is short for it")
    func catalog() async throws {
        let site = try await self.site()
        #expect(try await site.ask(.get, "/v2/_catalog", as: "narrow").text == #"{"repositories":["local/team/app"]}"#)
        #expect(try await site.ask(.get, "/v2/_catalog?n=1", as: "narrow").headers[.link] == nil)
        #expect(try await site.ask(.get, "/repository/local/v2/_catalog", as: "narrow").text == #"{"repositories":["team/app"]}"#)
        #expect(try await site.ask(.get, "/v2/_catalog", as: "reader").text == #"{"repositories":["local/else/app","local/team/app"]}"#)
        #expect(try await site.ask(.get, "/v2/_catalog", as: "stranger").text == #"{"repositories":[]}"#)
    }

    @Test("a mount from what may not be read is an upload, as if it were not there")
    func mount() async throws {
        let site = try await self.site()
        let blob = try digest("layer")
        #expect(try await site.ask(.post, "/v2/team/new/blobs/uploads/?mount=\(blob)&from=else/app", as: "narrow").status == .accepted)
        #expect(try await site.ask(.post, "/v2/team/new/blobs/uploads/?mount=\(blob)&from=team/app", as: "narrow").status == .created)
        #expect(try await site.ask(.post, "/v2/other/x/blobs/uploads/?mount=\(blob)&from=local/team/app", as: "stranger").status == .accepted)
    }
}

extension TestSite {
    func ask(
        _ method: HTTPRequest.Method, _ target: String, _ text: String = "", type: String? = nil, as person: String
    ) async throws -> TestResponse {
        try await self.ask(method, target, text, type: type, with: Cast.credentials(of: person))
    }

    func ask(
        _ method: HTTPRequest.Method, _ target: String, _ text: String = "", type: String? = nil, with credentials: Credentials
    ) async throws -> TestResponse {
        var request = TestRequest(
            method, target, headers: type.map { [.contentType: $0] } ?? [:], body: text.isEmpty ? [] : [ByteBuffer(string: text)])
        request.credentials = credentials
        return try await self.send(request)
    }

    func expect(
        _ status: Int, _ person: String, _ method: HTTPRequest.Method, _ target: String, _ text: String = "", type: String? = nil
    ) async throws {
        let answer = try await self.ask(method, target, text, type: type, as: person)
        #expect(answer.status.code == status, "\(person) \(method) \(target): \(answer.text)")
    }
}
