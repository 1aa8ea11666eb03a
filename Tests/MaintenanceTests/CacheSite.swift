import ArtifactModel
import Crypto
import DockerFormat
import FormatAPI
import FormatTestKit
import HTTPTypes
import Maintenance
import NIOCore
import RepositoryEngine
import SQLMetadata
import StorageAPI
import Synchronization
import Testing

/// A proxy of images with a bound, before an upstream that follows a script.
struct CacheSite {
    static let imageType = "application/vnd.oci.image.manifest.v1+json"
    static let indexType = "application/vnd.oci.image.index.v1+json"
    let upstream: ScriptedUpstream
    let site: TestSite
    let evictor: Evictor
    let meter: CacheMeter

    /// - Parameter bound: in bytes.
    init(bound: Int64, database: (any SQLDatabase)? = nil, decorate: (any MetadataStore) -> any MetadataStore = { $0 }) async throws {
        let upstream = ScriptedUpstream()
        let meters = Late()
        self.site = try await TestSite.make(
            OCIFormat(), site: OCISiteSettings(defaultRepository: try RepositoryName("hub")), [.proxy("hub", of: upstream, settings: OCISettings())],
            database: database, decorate: decorate, onCommit: { meters.committed($0) })
        self.upstream = upstream
        self.meter = CacheMeter(bounds: [self.site.repositories[0].id: bound])
        meters.set(self.meter)
        let site = self.site
        self.evictor = Evictor(
            site.catalogue, meter: self.meter, ledger: site.metadata, metadata: site.cached, contents: site.contents, now: { site.clock.now })
    }

    var hub: RepositoryID { self.site.repositories[0].id }

    /// The number of a repository is known after what counts its bytes is made.
    private final class Late: Sendable {
        private let meter = Mutex<CacheMeter?>(nil)
        func set(_ meter: CacheMeter) { self.meter.withLock { $0 = meter } }
        func committed(_ edit: RepositoryEdit) { self.meter.withLock { $0 }?.committed(edit) }
    }

    static func digest(_ text: String) throws -> ContentDigest { try #require(ContentDigest(.sha256, Array(SHA256.hash(data: Array(text.utf8))))) }

    /// An image of these layers, whose configuration is its own.
    @discardableResult
    func put(_ image: String, _ tag: String, layers: [String]) throws -> (digest: ContentDigest, text: String) {
        let config = #"{"of":"\#(image):\#(tag)"}"#
        for text in [config] + layers { self.upstream.put("v2/\(image)/blobs/\(try Self.digest(text))", .init(text)) }
        func descriptor(_ text: String, _ type: String) throws -> String {
            #"{"mediaType":"application/vnd.oci.image.\#(type)","digest":"\#(try Self.digest(text))","size":\#(text.utf8.count)}"#
        }
        let list = try layers.map { try descriptor($0, "layer.v1.tar") }.joined(separator: ",")
        let text =
            #"{"schemaVersion":2,"mediaType":"\#(Self.imageType)","config":\#(try descriptor(config, "config.v1+json")),"layers":[\#(list)]}"#
        return (try self.put(text, of: image, tag, type: Self.imageType), text)
    }

    @discardableResult
    func put(index images: [(digest: ContentDigest, text: String)], _ image: String, _ tag: String) throws -> ContentDigest {
        let list = images.map { #"{"mediaType":"\#(Self.imageType)","digest":"\#($0.digest)","size":\#($0.text.utf8.count)}"# }
        let text = #"{"schemaVersion":2,"mediaType":"\#(Self.indexType)","manifests":[\#(list.joined(separator: ","))]}"#
        return try self.put(text, of: image, tag, type: Self.indexType)
    }

    private func put(_ text: String, of image: String, _ tag: String, type: String) throws -> ContentDigest {
        let name = try Self.digest(text)
        let file = ScriptedUpstream.File(text, contentType: type, headers: ["Docker-Content-Digest": "\(name)"])
        for reference in [tag, "\(name)"] { self.upstream.put("v2/\(image)/manifests/\(reference)", file) }
        return name
    }

    func get(_ path: String, _ method: HTTPRequest.Method = .get) async throws -> TestResponse {
        let answer = try await self.site.send(TestRequest(method, "/v2/hub/\(path)"))
        // What is read is kept a moment later.
        await self.site.fills.settled()
        return answer
    }

    /// As a client does, an hour after what came before.
    func pull(_ image: String, _ reference: String, layers: [String]) async throws {
        self.site.clock.advance(by: .seconds(7200))
        #expect(try await self.get("\(image)/manifests/\(reference)").status == .ok)
        for layer in layers { #expect(try await self.get("\(image)/blobs/\(try Self.digest(layer))").text == layer) }
    }

    func has(_ path: String) async throws -> Bool { try await self.site.metadata.asset(at: AssetPath(checked: path), in: self.hub) != nil }
    func hasManifest(_ image: String, _ digest: ContentDigest) async throws -> Bool { try await self.has("\(image)/manifests/\(digest)") }
    func hasLayer(_ image: String, _ layer: String) async throws -> Bool { try await self.has("\(image)/blobs/\(try Self.digest(layer))") }
}

func layer(_ name: String, _ size: Int = 10_000) -> String { String(String(repeating: "\(name) ", count: size / (name.count + 1) + 1).prefix(size)) }
