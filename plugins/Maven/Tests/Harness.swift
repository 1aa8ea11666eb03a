import ArtifactModel
import Crypto
import FormatAPI
import FormatTestKit
import Foundation
import HTTPTypes
import NIOCore
import RepositoryEngine
import Testing

@testable import MavenFormat

/// Hosted repositories of each kind, a proxy of an upstream that follows a script, and a group of them.
struct Ground {
    let upstream = ScriptedUpstream()
    let site: TestSite

    init(_ settings: MavenSettings = MavenSettings(), onMemberError: GroupPart.OnMemberError = .fail) async throws {
        self.site = try await TestSite.make(
            MavenRepository(), site: NoSettings(),
            [
                TestSite.Plan("hosted", policy: .allowOnce, settings: settings),
                try TestSite.Plan("other", policy: .allowOnce, settings: MavenSettings()).owning("org.own.**"),
                .proxy("proxy", of: self.upstream, settings: settings),
                try .group("group", of: ["hosted", "other", "proxy"], writeTo: "hosted", onMemberError: onMemberError, settings: MavenSettings()),
            ])
    }

    func ask(_ method: HTTPRequest.Method, _ path: String, _ text: String = "") async throws -> TestResponse {
        try await self.site.send(TestRequest(method, "/repository/\(path)", body: text.isEmpty ? [] : [ByteBuffer(string: text)]))
    }

    func text(_ path: String) async throws -> String { try await self.ask(.get, path).text }

    func put(_ path: String, _ text: String = "bytes", _ status: HTTPResponse.Status = .created, line: Int = #line) async throws {
        let answer = try await self.ask(.put, path, text)
        #expect(answer.status == status, "\(path): \(answer.text)", sourceLocation: SourceLocation(fileID: #fileID, filePath: #filePath, line: line, column: 1))
    }

    /// The texts of an element, in order.
    func values(_ element: String, _ path: String) async throws -> [String] { XML.values(element, try await self.text(path)) }

    /// Until what has come is kept. Bounded: the work goes on meanwhile.
    func settled() async throws {
        for _ in 0..<200_000 where self.site.fills.count > 0 { await Task.yield() }
        #expect(self.site.fills.count == 0)
    }

    func running(_ body: () async throws -> Void) async throws { try await self.site.running(body) }
}

enum XML {
    static func values(_ element: String, _ text: String) -> [String] {
        var values: [String] = []
        do {
            try XMLTokenizer.events(text.utf8) { (event) throws(FormatError) in if case .end(element, let text) = event { values.append(text) } }
        } catch {
            Issue.record("\(error)")
        }
        return values
    }
}

func sha1(_ text: String) -> String { Insecure.SHA1.hash(data: Data(text.utf8)).map { String(format: "%02x", $0) }.joined() }
