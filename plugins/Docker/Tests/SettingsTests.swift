import ArtifactModel
import FormatAPI
import FoundationEssentials
import HTTPTypes
import NIOCore
import Testing

@testable import DockerFormat

@Suite("Docker's keys in the configuration")
struct SettingsTests {
    private func decoded<T: Decodable>(_ type: T.Type, _ text: String) throws -> T { try JSONDecoder().decode(type, from: Data(text.utf8)) }

    @Test("what is left out has its default")
    func defaults() throws {
        #expect(try self.decoded(OCISettings.self, "{}") == OCISettings(mutableTags: [], missingChildren: .refuse))
        #expect(try self.decoded(OCISiteSettings.self, "{}") == OCISiteSettings())
    }

    @Test("what is written is read")
    func written() throws {
        let settings = try self.decoded(OCISettings.self, #"{"mutableTags":["latest","*cache*"],"missingChildren":"allow","unusedBlobAge":"36h"}"#)
        #expect(settings == OCISettings(mutableTags: ["latest", "*cache*"], missingChildren: .allow, unusedBlobAge: try #require(Age("36h"))))
        let site = try self.decoded(OCISiteSettings.self, #"{"defaultRepository":"all","namespaces":{"docker.io":"hub","quay.io":"all"}}"#)
        #expect(
            site
                == OCISiteSettings(
                    defaultRepository: try RepositoryName("all"), namespaces: ["docker.io": try RepositoryName("hub"), "quay.io": try RepositoryName("all")]))
        #expect(OCIFormat.repositories(namedBy: site).map(\.text) == ["all", "hub"])
    }

    @Test(
        "a bad value is refused at its key, with what is allowed",
        arguments: [
            (#"{"missingChildren":"maybe"}"#, "missingChildren", "refuse or allow"), (#"{"mutableTags":["a b"]}"#, "mutableTags", "pattern"),
            (#"{"mutableTags":[""]}"#, "mutableTags", "pattern"), (#"{"unusedBlobAge":"7"}"#, "unusedBlobAge", "7d"),
            (#"{"unusedBlobAge":"99999999999999d"}"#, "unusedBlobAge", "7d"), (#"{"unusedBlobAge":"-1d"}"#, "unusedBlobAge", "7d"),
        ])
    func refused(text: String, key: String, rule: String) throws {
        let error = #expect(throws: DecodingError.self) { try self.decoded(OCISettings.self, text) }
        try Self.expect(error, at: [key], rule)
    }

    @Test(
        "a bad name in the site's keys is refused at its key",
        arguments: [
            (#"{"defaultRepository":"a/b"}"#, ["defaultRepository"], "letters"),
            (#"{"namespaces":{"docker.io":"a b"}}"#, ["namespaces", "docker.io"], "letters"),
            (#"{"namespaces":{"a/b":"hub"}}"#, ["namespaces", "a/b"], "host"),
        ])
    func refusedSite(text: String, path: [String], rule: String) throws {
        let error = #expect(throws: DecodingError.self) { try self.decoded(OCISiteSettings.self, text) }
        try Self.expect(error, at: path, rule)
    }

    private static func expect(_ error: DecodingError?, at path: [String], _ rule: String) throws {
        guard case .dataCorrupted(let context) = try #require(error) else {
            Issue.record("another kind of error")
            return
        }
        #expect(context.codingPath.map(\.stringValue) == path)
        #expect(context.debugDescription.contains(rule))
    }
}

@Suite("Pushes by digest")
struct DigestPushTests {
    @Test("a push by digest may bring its tags, and says which were set")
    func tags() async throws {
        let client = try await client()
        let manifest = try image()
        let response = await client.send(.put, "app/manifests/\(try digest(manifest))?tag=a&tag=b", manifest, [.contentType: imageType])
        #expect(response.status == .created)
        #expect(response.headers[values: .ociTag] == ["a", "b"])
        #expect(text(await client.send(.get, "app/tags/list")) == #"{"name":"local/app","tags":["a","b"]}"#)
        #expect(text(await client.send(.get, "_catalog")) == #"{"repositories":["app"]}"#)
    }

    @Test("a manifest pushed by SHA-512 keeps that digest")
    func sha512() async throws {
        let client = try await client()
        let manifest = try image()
        let digest = try digest(manifest, .sha512)
        #expect(await client.put(manifest, "\(digest)").headers[.contentDigest] == "\(digest)")
        #expect(await client.send(.get, "app/manifests/\(digest)").headers[.contentDigest] == "\(digest)")
    }

    @Test("a repository that takes no writes says so, and a mount there is no session")
    func readOnly() async throws {
        let client = Client(content: try await makeContent(policy: .deny))
        #expect(word(await client.send(.post, "app/blobs/uploads/?digest=\(try digest("x"))", "x")) == "DENIED")
        #expect(await client.send(.post, "app/blobs/uploads/?mount=\(try digest("x"))&from=local/b").status == .forbidden)
    }
}
