import AccessControl
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import Testing

@testable import MavenFormat

/// Every operation on artifacts, walked with everybody.
@Suite("Who may do what with artifacts")
struct AccessTableTests {
    struct Row: Sendable {
        var method: HTTPRequest.Method
        var path: String
        var body = "x"
        /// For none, wrong, reader, writer, stranger, narrow: `narrow` may read and write below `com/acme/` alone.
        var statuses: [Int]
    }

    private static let reads = [401, 401, 200, 200, 404, 200]
    private static let writes = [401, 401, 403, 201, 404, 201]
    private static let deletes = [401, 401, 403, 204, 404, 204]

    private static let rows = [
        Row(method: .get, path: "com/acme/app/1/app-1.jar", statuses: reads), Row(method: .get, path: "com/acme/app/1/app-1.jar.sha1", statuses: reads),
        Row(method: .get, path: "com/acme/app/maven-metadata.xml", statuses: reads), Row(method: .get, path: "com/acme/app/", statuses: reads),
        Row(method: .put, path: "com/acme/app/2/app-2.jar", statuses: writes),
        Row(method: .put, path: "com/acme/app/2/app-2.jar.sha1", body: sha1("x"), statuses: writes),
        Row(method: .put, path: "com/acme/app/maven-metadata.xml", statuses: writes), Row(method: .delete, path: "com/acme/app/1/app-1.jar", statuses: deletes),
        Row(method: .delete, path: "com/acme/app/1/", statuses: deletes),
        // Of the group itself: deploying a plugin sends it.
        Row(method: .put, path: "com/acme/maven-metadata.xml", statuses: writes),
    ]

    private func site() async throws -> TestSite {
        let cast = try Cast("maven", path: "com/acme/**")
        let site = try await TestSite.make(
            MavenRepository(), site: NoSettings(), [.init("maven", settings: MavenSettings()), .init("other", settings: MavenSettings())],
            authorizer: cast.authorizer, gate: cast.gate)
        for group in ["com/acme", "org/else"] { #expect(try await site.ask(.put, "\(group)/app/1/app-1.jar", as: "writer").status == .created) }
        return site
    }

    @Test("every operation answers everybody as the model says", arguments: Cast.people)
    func table(person: String) async throws {
        let place = try #require(Cast.people.firstIndex(of: person))
        for row in Self.rows {
            let site = try await self.site()
            try await site.running { () async throws in
                let answer = try await site.ask(row.method, row.path, row.body, as: person)
                #expect(answer.status.code == row.statuses[place], "\(person) \(row.method) \(row.path)")
                guard person == "narrow" else { return }
                let elsewhere = row.path.replacing("com/acme", with: "org/else")
                #expect(try await site.ask(row.method, elsewhere, row.body, as: person).status == .notFound, "\(row.method) \(elsewhere)")
            }
        }
    }

    @Test("the rows have every operation's name but those of files in no layout")
    func complete() throws {
        let names = try Self.rows.map { row in
            let path = row.path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
            return try MavenRepository().parse(RequestHead(method: row.method, path: path)).name.description
        }
        let wanted: Set = [
            "artifact.read", "checksum.read", "metadata.read", "folder.list", "artifact.deploy", "checksum.write", "metadata.deploy", "delete",
        ]
        #expect(Set(names) == wanted)
    }

    @Test("without credentials a repository that is there looks as one that is not")
    func indistinguishable() async throws {
        let site = try await self.site()
        for (method, path) in Self.rows.map({ ($0.method, $0.path) }) + [(.post, "com/acme/app/1/app-1.jar"), (.put, "com/acme/")] {
            var answers: Set<String> = []
            for repository in ["maven", "other", "nobody"] {
                let answer = try await site.ask(method, path, of: repository, as: "none")
                #expect(answer.status == .unauthorized, "\(method) \(repository)/\(path)")
                answers.insert((answer.headers[.wwwAuthenticate] ?? "") + answer.text)
            }
            #expect(answers.count == 1, "\(answers)")
        }
    }
}

extension TestSite {
    fileprivate func ask(
        _ method: HTTPRequest.Method, _ path: String, _ text: String = "x", of repository: String = "maven", as person: String
    ) async throws -> TestResponse {
        var request = TestRequest(method, "/repository/\(repository)/\(path)", body: method == .put ? [ByteBuffer(string: text)] : [])
        request.credentials = Cast.credentials(of: person)
        return try await self.send(request)
    }
}
