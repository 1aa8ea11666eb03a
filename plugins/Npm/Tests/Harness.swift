import AccessControl
import ArtifactModel
import Crypto
import FormatAPI
import FormatTestKit
import Foundation
import HTTPTypes
import NIOCore
import RepositoryEngine
import Testing

@testable import NpmFormat

/// The document that npm sends with `npm publish`.
func publication(
    _ name: String, _ version: String, tarball: String = "the tarball", tag: String = "latest", changing change: (inout [String: Any]) -> Void = { _ in }
) throws -> String {
    let bytes = Data(tarball.utf8)
    let integrity = "sha512-" + Data(SHA512.hash(data: bytes)).base64EncodedString()
    let base = name.split(separator: "/").last.map(String.init) ?? name
    var document: [String: Any] = [
        "_id": name, "name": name, "description": "of \(name)", "dist-tags": [tag: version],
        "versions": [
            version: [
                "name": name, "version": version, "description": "of \(name)", "keywords": ["test"],
                "dist": ["integrity": integrity, "tarball": "http://elsewhere/\(name)"],
            ]
        ],
        "_attachments": ["\(base)-\(version).tgz": ["content_type": "application/octet-stream", "data": bytes.base64EncodedString(), "length": bytes.count]],
    ]
    change(&document)
    return String(decoding: try JSONSerialization.data(withJSONObject: document), as: UTF8.self)
}

extension TestSite {
    /// The same, with what puts documents together at work: as long as the tests run.
    var atWork: TestSite {
        // A test's own site, which nothing else waits for; it ends with the process.
        Task { await self.fills.run() }
        return self
    }

    func ask(
        _ method: HTTPRequest.Method, _ target: String, _ text: String = "", accept: String? = nil, as person: String? = nil
    ) async throws -> TestResponse {
        var headers: HTTPFields = [:]
        headers[.accept] = accept
        var request = TestRequest(method, target, headers: headers, body: text.isEmpty ? [] : [ByteBuffer(string: text)])
        if let person { request.credentials = Cast.credentials(of: person) }
        return try await self.send(request)
    }

    @discardableResult func publish(_ name: String, _ version: String, to repository: String = "local", tag: String = "latest") async throws -> TestResponse {
        let target = "/repository/\(repository)/\(name.replacing("/", with: "%2f"))"
        let answer = try await self.ask(.put, target, try publication(name, version, tag: tag))
        #expect(answer.status == .created, "\(answer.text)")
        return answer
    }

    func object(_ target: String, accept: String? = nil) async throws -> [String: Any] {
        let answer = try await self.ask(.get, target, accept: accept)
        #expect(answer.status == .ok, "\(target): \(answer.text)")
        return try #require(try JSONSerialization.jsonObject(with: Data(answer.text.utf8)) as? [String: Any])
    }
}
