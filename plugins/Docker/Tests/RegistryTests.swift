import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import Testing

@testable import DockerFormat

let imageType = "application/vnd.oci.image.manifest.v1+json"
let indexType = "application/vnd.oci.image.index.v1+json"

/// A client of one repository, below `/v2/local`.
struct Client {
    let content: any RepositoryContent
    var settings = OCISettings()

    /// What the server answers: the response, or the failure as it is rendered.
    func send(_ method: HTTPRequest.Method, _ target: String, _ text: String = "", _ headers: HTTPFields = [:], declared: Bool = true) async -> ArtifactResponse
    {
        let head = head(method, target, headers, root: "/v2/local")
        do {
            let request = ArtifactRequest(head: head, body: body(text, declared: declared))
            return try await OCIFormat().respond(to: try OCIFormat().parse(head), request, in: self.content, self.settings)
        } catch let error as FormatError {
            return OCIFormat().render(Failure(error), for: head)
        } catch {
            return OCIFormat().render(Failure(FormatError(.internalFailure, "\(error)")), for: head)
        }
    }

    /// A path within the repository, of a `Location`.
    func location(_ response: ArtifactResponse) throws -> String {
        let location = try #require(response.headers[.location])
        #expect(location.hasPrefix("/v2/local/"))
        return String(location.dropFirst("/v2/local/".count))
    }

    func begin(_ image: String = "app") async throws -> String { try self.location(await self.send(.post, "\(image)/blobs/uploads/")) }

    @discardableResult
    func push(_ text: String, to image: String = "app") async throws -> ContentDigest {
        let digest = try digest(text)
        #expect(await self.send(.post, "\(image)/blobs/uploads/?digest=\(digest)", text).status == .created)
        return digest
    }

    func put(_ manifest: String, _ reference: String, type: String? = imageType) async -> ArtifactResponse {
        await self.send(.put, "app/manifests/\(reference)", manifest, type.map { [.contentType: $0] } ?? [:])
    }
}

func image(layer: String = "layer", extra: String = "") throws -> String {
    """
    {"schemaVersion":2,"mediaType":"\(imageType)","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"\(try digest("{}"))","size":2},
    "layers":[{"mediaType":"application/octet-stream","digest":"\(try digest(layer))","size":5}]\(extra)}
    """
}

func client(policy: WritePolicy = .allow, _ settings: OCISettings = OCISettings()) async throws -> Client {
    let client = Client(content: try await makeContent(policy: policy), settings: settings)
    try await client.push("{}")
    try await client.push("layer")
    return client
}

func word(_ response: ArtifactResponse) -> String {
    String(text(response).split(separator: "\"code\":\"").dropFirst().first?.prefix { $0 != "\"" } ?? "")
}

@Suite("Uploads")
struct UploadTests {
    @Test("docker's push, of a body without length, type or range, becomes a blob")
    func dockerPush() async throws {
        let client = try await client()
        let patched = await client.send(.patch, try await client.begin(), "bytes of a layer", declared: false)
        #expect(patched.status == .accepted)
        #expect(patched.headers[.range] == "0-15")
        #expect(patched.headers[.registryVersion] == "registry/2.0")
        let digest = try digest("bytes of a layer")
        let closed = await client.send(.put, try client.location(patched) + "?digest=\(digest)")
        #expect(closed.status == .created)
        #expect(closed.headers[.contentDigest] == "\(digest)")
        #expect(try client.location(closed) == "app/blobs/\(digest)")
        let read = await client.send(.head, "app/blobs/\(digest)")
        #expect(read.status == .ok)
        #expect(text(read) == "bytes of a layer")
    }

    @Test("a whole body may come with the closing PUT")
    func monolithic() async throws {
        let client = try await client()
        #expect(await client.send(.put, try await client.begin() + "?digest=\(try digest("x"))", "x").status == .created)
        #expect(await client.send(.put, try await client.begin() + "?digest=\(try digest(""))").status == .created)
    }

    @Test("a replayed chunk and one after a gap are 416 with where to go on, and nothing of them is kept")
    func chunks() async throws {
        let client = try await client()
        let session = try await client.begin()
        #expect(await client.send(.patch, session, "0123", [.contentRange: "0-3"]).headers[.range] == "0-3")
        for range in ["0-3", "6-9"] {
            let refused = await client.send(.patch, session, "4567", [.contentRange: range])
            #expect(refused.status == .rangeNotSatisfiable)
            #expect(word(refused) == "RANGE_INVALID")
            #expect(refused.headers[.range] == "0-3")
            #expect(try client.location(refused) == session)
        }
        let digest = try digest("01234567")
        let gap = await client.send(.put, session + "?digest=\(digest)", "67", [.contentRange: "6-7"])
        #expect(gap.status == .rangeNotSatisfiable)
        #expect(await client.send(.put, session + "?digest=\(digest)", "4567", [.contentRange: "4-7"]).status == .created)
    }

    @Test("a chunk whose length is not its range's is SIZE_INVALID and leaves the session as it was", arguments: [true, false])
    func size(declared: Bool) async throws {
        let client = try await client()
        let session = try await client.begin()
        let refused = await client.send(.patch, session, "0123", [.contentRange: "0-9"], declared: declared)
        #expect(refused.status == .badRequest)
        #expect(word(refused) == "SIZE_INVALID")
        let status = await client.send(.get, session)
        #expect(status.status == .noContent)
        #expect(status.headers[.range] == "0-0")
    }

    @Test("a cancelled upload is unknown")
    func cancel() async throws {
        let client = try await client()
        let session = try await client.begin()
        #expect(await client.send(.delete, session).status == .noContent)
        for method in [HTTPRequest.Method.get, .delete, .patch] {
            let response = await client.send(method, session, "x")
            #expect(response.status == .notFound)
            #expect(word(response) == "BLOB_UPLOAD_UNKNOWN")
        }
    }

    @Test("a wrong digest makes nothing readable")
    func wrongDigest() async throws {
        let client = try await client()
        let other = try digest("zz")
        for response in [
            await client.send(.put, try await client.begin() + "?digest=\(other)", "yy"), await client.send(.post, "app/blobs/uploads/?digest=\(other)", "yy"),
        ] {
            #expect(response.status == .badRequest)
            #expect(word(response) == "DIGEST_INVALID")
        }
        #expect(await client.send(.get, "app/blobs/\(other)").status == .notFound)
    }

    @Test("a session belongs to its image")
    func scope() async throws {
        let client = try await client()
        let session = try await client.begin().replacing("app/", with: "other/")
        #expect(await client.send(.patch, session, "x").status == .notFound)
    }
}

@Suite("Blobs")
struct BlobTests {
    @Test("a blob is mounted by the name that the client has for its source, else it is to be uploaded")
    func mount() async throws {
        let client = try await client()
        let layer = try digest("layer")
        #expect(await client.send(.head, "b/blobs/\(layer)").status == .notFound)
        let mounted = await client.send(.post, "b/blobs/uploads/?mount=\(layer)&from=local/app")
        #expect(mounted.status == .created)
        #expect(mounted.headers[.contentDigest] == "\(layer)")
        #expect(await client.send(.head, "b/blobs/\(layer)").status == .ok)
        for query in ["mount=\(try digest("none"))&from=local/app", "mount=\(layer)&from=elsewhere/app", "mount=\(layer)", "mount=foo&from=local/app"] {
            let response = await client.send(.post, "c/blobs/uploads/?\(query)")
            #expect(response.status == .accepted)
            #expect(response.headers[.location] != nil)
        }
    }

    @Test("deleting a blob takes it from its image only, and a second time it is unknown")
    func remove() async throws {
        let client = try await client()
        let layer = try await client.push("layer", to: "b")
        #expect(await client.send(.delete, "app/blobs/\(layer)").status == .accepted)
        #expect(word(await client.send(.delete, "app/blobs/\(layer)")) == "BLOB_UNKNOWN")
        #expect(await client.send(.head, "b/blobs/\(layer)").status == .ok)
    }

    @Test("a blob pushed by SHA-512 keeps that digest")
    func sha512() async throws {
        let client = try await client()
        let digest = try digest("five", .sha512)
        let closed = await client.send(.put, try await client.begin() + "?digest=\(digest)", "five")
        #expect(closed.headers[.contentDigest] == "\(digest)")
        let read = await client.send(.get, "app/blobs/\(digest)")
        #expect(read.status == .ok)
        #expect(read.headers[.contentDigest] == "\(digest)")
    }
}
