import Foundation
import Testing

/// The requests of a push, one by one, for tests that leave the path.
extension ServerProcess {
    /// The path and query of a new upload's address.
    func openUpload(_ image: String) async throws -> String {
        let answer = try await self.send("POST", "/v2/\(image)/blobs/uploads/", body: [])
        try #require(answer.status == 202, "\(answer.text)")
        return try self.target(answer)
    }

    /// Where the answer's Location leads, as a request target.
    func target(_ answer: Answer) throws -> String {
        let location = try #require(answer.headers["location"])
        guard let scheme = location.range(of: "://"), let slash = location[scheme.upperBound...].firstIndex(of: "/") else { return location }
        return String(location[slash...])
    }

    func closing(_ upload: String, _ digest: String) -> String { upload + (upload.contains("?") ? "&" : "?") + "digest=\(digest)" }

    /// In one PUT; gives the digest.
    func pushBlob(_ bytes: [UInt8], to image: String) async throws -> String {
        let name = try await digest(of: bytes, in: self.folder)
        let answer = try await self.send("PUT", self.closing(try await self.openUpload(image), name), body: bytes)
        try #require(answer.status == 201, "\(answer.text)")
        return name
    }

    /// An image of one small layer; gives the manifest's bytes.
    @discardableResult
    func pushImage(_ image: String, tag: String, content: String = "content") async throws -> [UInt8] {
        let blob = try await self.pushBlob(Array(content.utf8), to: image)
        let manifest = Self.manifest(of: blob, size: content.utf8.count)
        let answer = try await self.send("PUT", "/v2/\(image)/manifests/\(tag)", headers: ["Content-Type: \(Self.manifestType)"], body: manifest)
        try #require(answer.status == 201, "\(answer.text)")
        return manifest
    }

    static let manifestType = "application/vnd.oci.image.manifest.v1+json"

    /// One blob for configuration and layer.
    static func manifest(of blob: String, size: Int) -> [UInt8] {
        let part = { (type: String) in #"{"mediaType":"application/vnd.oci.image.\#(type)","digest":"\#(blob)","size":\#(size)}"# }
        return Array(
            #"{"schemaVersion":2,"mediaType":"\#(Self.manifestType)","config":\#(part("config.v1+json")),"layers":[\#(part("layer.v1.tar"))]}"#.utf8)
    }
}
