import AccessControl
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import Testing

@testable import RawFormat

/// Every operation on files, walked with everybody.
@Suite("Who may do what with files")
struct AccessTableTests {
    struct Row: Sendable {
        var method: HTTPRequest.Method
        var path: String
        /// For none, wrong, reader, writer, stranger, narrow: `narrow` may read and write below `a/` alone.
        var statuses: [Int]
        /// The same below `b/`, for narrow.
        var elsewhere = 404
    }

    /// A new operation makes this switch incomplete: it does not build without its row.
    private static func row(_ kind: RawOperation.Kind) -> Row {
        switch kind {
        case .read: Row(method: .get, path: "a/x", statuses: [401, 401, 200, 200, 404, 200])
        case .list: Row(method: .get, path: "a/", statuses: [401, 401, 200, 200, 404, 200])
        case .write: Row(method: .put, path: "a/new", statuses: [401, 401, 403, 201, 404, 201])
        case .remove: Row(method: .delete, path: "a/x", statuses: [401, 401, 403, 204, 404, 204])
        }
    }

    private static func everyKind() throws -> [RawOperation.Kind] {
        [(HTTPRequest.Method.get, "a"), (.get, ""), (.put, "a"), (.delete, "a")].compactMap { method, path in
            try? RawFiles().parse(RequestHead(method: method, path: [path])).kind  // one of each kind
        }
    }

    private func site() async throws -> TestSite {
        let cast = try Cast("files", path: "a/**")
        let site = try await TestSite.make(RawFiles(), site: NoSettings(), [.init("files"), .init("other")], authorizer: cast.authorizer, gate: cast.gate)
        for path in ["a/x", "a/deep/er/y", "b/x", "top"] { #expect(try await site.ask(.put, path, as: "writer").status == .created) }
        return site
    }

    @Test("every operation answers everybody as the model says", arguments: Cast.people)
    func table(person: String) async throws {
        let kinds = try Self.everyKind()
        #expect(kinds.count == 4)
        for kind in kinds {
            let row = Self.row(kind)
            let site = try await self.site()
            let place = try #require(Cast.people.firstIndex(of: person))
            #expect(try await site.ask(row.method, row.path, as: person).status.code == row.statuses[place], "\(person) \(row.method) \(row.path)")
            guard person == "narrow" else { continue }
            let elsewhere = "b" + row.path.dropFirst()
            #expect(try await site.ask(row.method, elsewhere, as: person).status.code == row.elsewhere, "\(person) \(row.method) \(elsewhere)")
        }
    }

    @Test("who may see some of a folder gets that part, folders on the way included")
    func listing() async throws {
        let site = try await self.site()
        let root = try await site.ask(.get, "", as: "narrow").text
        #expect(root.contains(#""name":"a""#) && !root.contains(#""name":"b""#) && !root.contains("top"))
        let folder = try await site.ask(.get, "a/", as: "narrow").text
        #expect(folder.contains(#""name":"x""#) && folder.contains(#""name":"deep""#))
        #expect(try await site.ask(.get, "b/", as: "narrow").status == .notFound)
    }

    @Test("without credentials a repository that is there looks as one that is not")
    func indistinguishable() async throws {
        let site = try await self.site()
        for (method, path) in [(HTTPRequest.Method.get, "a/x"), (.get, "none"), (.get, ""), (.put, "a/x"), (.delete, "a/"), (.post, "a/x")] {
            var answers: Set<String> = []
            for repository in ["files", "other", "nobody"] {
                let answer = try await site.ask(method, path, of: repository, as: "none")
                #expect(answer.status == .unauthorized, "\(method) \(repository)/\(path)")
                answers.insert((answer.headers[.wwwAuthenticate] ?? "") + answer.text)
            }
            #expect(answers.count == 1, "\(answers)")
        }
    }

    @Test("somebody without a right is told what they would be told of a repository that is not there")
    func hidden() async throws {
        let site = try await self.site()
        let hidden = try await site.ask(.get, "a/x", as: "stranger")
        let absent = try await site.ask(.get, "a/x", of: "nobody", as: "stranger")
        #expect(hidden.status == .notFound && absent.status == .notFound && hidden.text == absent.text)
    }

    @Test("with a trace it is the same, and asking why is a right of its own")
    func explain() async throws {
        let site = try await self.site()
        for (person, status) in [("none", 401), ("wrong", 401), ("reader", 403), ("stranger", 404)] {
            let answer = try await site.ask(.get, "a/x", as: person, explaining: true)
            #expect(answer.status.code == status, "\(person)")
            #expect(!answer.text.contains("steps"))
        }
    }
}

extension TestSite {
    fileprivate func ask(
        _ method: HTTPRequest.Method, _ path: String, of repository: String = "files", as person: String, explaining: Bool = false
    ) async throws -> TestResponse {
        var request = TestRequest(method, "/repository/\(repository)/\(path)", body: method == .put ? [ByteBuffer(string: "x")] : [])
        request.credentials = Cast.credentials(of: person)
        return try await self.send(explaining ? request.asking(local: true) : request)
    }
}
