import ArtifactModel
import FormatTestKit
import HTTPTypes
import Testing

@testable import DockerFormat

@Suite("Bytes that were lost")
struct LostTests {
    @Test("a lost layer is absent for HEAD, GET, mounts and manifests, and a push of it makes the image whole again, tag and manifest as they were")
    func layer() async throws {
        let site = try await makeSite()
        try await site.pushImage("app", "1")
        let layer = try digest("layer")
        #expect(try await site.ask(.get, "/v2/app/blobs/\(layer)").text == "layer")
        try await site.lose(layer)
        for method in [HTTPRequest.Method.head, .get] { #expect(try await site.ask(method, "/v2/app/blobs/\(layer)").status == .notFound) }
        #expect(try await site.ask(.post, "/v2/to/blobs/uploads/?from=app&mount=\(layer)").status == .accepted)
        #expect(try await site.ask(.head, "/v2/to/blobs/\(layer)").status == .notFound)
        let refused = try await site.ask(.put, "/v2/app/manifests/2", try image(), type: imageType)
        #expect(refused.status.kind == .clientError && refused.text.contains("MANIFEST_BLOB_UNKNOWN"), "\(refused.text)")
        #expect(try await site.ask(.get, "/v2/app/manifests/1").text == (try image()))
        try await site.push("layer", to: "app")
        #expect(try await site.ask(.get, "/v2/app/blobs/\(layer)").text == "layer")
        #expect(try await site.ask(.get, "/v2/app/tags/list").text == #"{"name":"app","tags":["1"]}"#)
        #expect(try await site.ask(.get, "/v2/app/manifests/1").text == (try image()))
        #expect(try await site.ask(.put, "/v2/app/manifests/2", try image(), type: imageType).status == .created)
    }

    @Test("one push of a lost layer heals every image that names it, in every repository of the store")
    func everyLink() async throws {
        let site = try await makeSite()
        for image in ["app", "team/app", "other/app"] { try await site.pushImage(image, "1") }
        try await site.lose(try digest("layer"))
        for image in ["app", "team/app", "other/app"] { #expect(try await site.ask(.head, "/v2/\(image)/blobs/\(try digest("layer"))").status == .notFound) }
        try await site.push("layer", to: "app")
        for image in ["app", "team/app", "other/app"] { #expect(try await site.ask(.get, "/v2/\(image)/blobs/\(try digest("layer"))").text == "layer") }
    }

    @Test("a lost manifest is unknown by tag and digest, an index that names it is refused, and a push by digest brings its tag back")
    func manifest() async throws {
        let site = try await makeSite()
        try await site.pushImage("app", "1")
        let child = try digest(try image())
        let index = #"{"schemaVersion":2,"mediaType":"\#(indexType)","manifests":[{"mediaType":"\#(imageType)","digest":"\#(child)","size":9}]}"#
        try await site.lose(child)
        for reference in ["1", "\(child)"] { #expect(try await site.ask(.get, "/v2/app/manifests/\(reference)").status == .notFound) }
        let refused = try await site.ask(.put, "/v2/app/manifests/index", index, type: indexType)
        #expect(refused.status.kind == .clientError && refused.text.contains("MANIFEST_BLOB_UNKNOWN"), "\(refused.text)")
        #expect(try await site.ask(.put, "/v2/app/manifests/\(child)", try image(), type: imageType).status == .created)
        #expect(try await site.ask(.get, "/v2/app/manifests/1").text == (try image()))
        #expect(try await site.ask(.put, "/v2/app/manifests/index", index, type: indexType).status == .created)
    }
}
