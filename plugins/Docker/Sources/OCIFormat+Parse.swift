import ArtifactModel
public import FormatAPI
import HTTPTypes

extension OCIFormat {
    /// - Throws: `.notFound` for addresses that the API does not have, `.methodNotAllowed`, and `.invalidRequest` with OCI's
    ///   `NAME_INVALID`, `TAG_INVALID`, `DIGEST_INVALID` or `PAGINATION_NUMBER_INVALID`.
    public func parse(_ head: RequestHead) throws(FormatError) -> OCIOperation {
        guard let address = Address(head.path) else { throw FormatError(.notFound, "the registry API has nothing at this address", detail: "UNSUPPORTED") }
        guard address.methods.contains(head.method) else {
            throw FormatError(.methodNotAllowed, "\(head.method.rawValue) is not among the methods of this address")
        }
        switch address.place {
        case .base, .token: throw FormatError(.notFound, "this is asked of the registry, and of no repository", detail: "UNSUPPORTED")
        case .catalog: return OCIOperation(.catalog(try Self.paging(head)))
        default: return OCIOperation(try self.operation(on: try Self.image(address.image), address.place, head))
        }
    }

    private func operation(on image: ImageName, _ place: Address.Place, _ head: RequestHead) throws(FormatError) -> OCIOperation.Kind {
        switch place {
        case .base, .catalog, .token: .catalog(try Self.paging(head))
        case .tags: .tags(image, try Self.paging(head))
        case .manifest(let text): try self.manifestOperation(image, text, head)
        case .blob(let text): try self.blobOperation(image, try Self.digest(text), head.method)
        case .uploads: try self.newUpload(to: image, head)
        case .upload(let session): try self.uploadOperation(image, session, head)
        case .referrers(let text):
            .referrers(image, try Self.digest(text), artifactType: head.query("artifactType").flatMap { $0.isEmpty ? nil : $0 }, after: head.query("last"))
        }
    }

    private func manifestOperation(_ image: ImageName, _ text: String, _ head: RequestHead) throws(FormatError) -> OCIOperation.Kind {
        guard head.method == .put else {
            let reference = try Self.reference(text, otherwise: FormatError(.notFound, "there is no manifest «\(text)»", detail: "MANIFEST_UNKNOWN"))
            return head.method == .delete ? .removeManifest(image, reference) : .readManifest(image, reference)
        }
        let reference = try Self.reference(text, otherwise: nil)
        guard case .digest = reference else { return .writeManifest(image, reference, tags: []) }
        var tags: [Tag] = []
        for parameter in head.query where parameter.name == "tag" { tags.append(try Self.tag(parameter.value)) }
        guard tags.count <= 100 else { throw FormatError(.invalidRequest, "one push may set 100 tags", detail: "TAG_INVALID") }
        return .writeManifest(image, reference, tags: tags)
    }

    private func blobOperation(_ image: ImageName, _ digest: ContentDigest, _ method: HTTPRequest.Method) throws(FormatError) -> OCIOperation.Kind {
        method == .delete ? .removeBlob(image, digest) : .readBlob(image, digest)
    }

    /// A mount that cannot be, for want of a good digest or a source, is an ordinary upload: distribution-spec, «Mounting a blob».
    private func newUpload(to image: ImageName, _ head: RequestHead) throws(FormatError) -> OCIOperation.Kind {
        if let text = head.query("mount") {
            // No good digest, no mount: the client is told by being given an upload.
            guard let digest = try? ContentDigest(image: text), let source = head.query("from"), !source.isEmpty else { return .beginUpload(image) }
            return .mountBlob(image, digest, from: source)
        }
        guard let text = head.query("digest") else { return .beginUpload(image) }
        return .uploadBlob(image, try Self.digest(text))
    }

    private func uploadOperation(_ image: ImageName, _ session: String, _ head: RequestHead) throws(FormatError) -> OCIOperation.Kind {
        guard session.utf8.count == 32, session.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else {
            throw FormatError(.notFound, "there is no such upload", detail: "BLOB_UPLOAD_UNKNOWN")
        }
        switch head.method {
        case .patch: return .appendChunk(image, session: session, at: try Self.chunk(head))
        case .put:
            guard let text = head.query("digest") else {
                throw FormatError(.invalidRequest, "the digest of the whole blob is missing: ?digest=sha256:…", detail: "DIGEST_INVALID")
            }
            return .closeUpload(image, session: session, try Self.digest(text), at: try Self.chunk(head))
        case .delete: return .cancelUpload(image, session: session)
        default: return .uploadStatus(image, session: session)
        }
    }

    private static func chunk(_ head: RequestHead) throws(FormatError) -> ChunkRange? {
        guard let text = head.headers[.contentRange] else { return nil }
        guard let range = ChunkRange(text) else {
            throw FormatError(.wrongRange, "«\(text.prefix(100))» is no chunk's Content-Range: first-last, both inclusive, in bytes")
        }
        return range
    }

    private static func reference(_ text: String, otherwise absent: FormatError?) throws(FormatError) -> Reference {
        if text.contains(":") { return .digest(try Self.digest(text)) }
        do {
            return .tag(try Self.tag(text))
        } catch {
            throw absent ?? error
        }
    }

    private static func image(_ segments: [String]) throws(FormatError) -> ImageName {
        do { return try ImageName(segments) } catch { throw FormatError(.invalidRequest, error.description, detail: "NAME_INVALID") }
    }

    private static func tag(_ text: String) throws(FormatError) -> Tag {
        do { return try Tag(text) } catch { throw FormatError(.invalidRequest, error.description, detail: "TAG_INVALID") }
    }

    private static func digest(_ text: String) throws(FormatError) -> ContentDigest {
        do { return try ContentDigest(image: text) } catch { throw FormatError(.invalidRequest, error.description, detail: "DIGEST_INVALID") }
    }

    static func paging(_ head: RequestHead) throws(FormatError) -> Paging {
        var paging = Paging(count: nil, last: head.query("last").flatMap { $0.isEmpty ? nil : $0 })
        guard let text = head.query("n") else { return paging }
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else {
            throw FormatError(.invalidRequest, "n is how many names to list: a number from 0 on", detail: "PAGINATION_NUMBER_INVALID")
        }
        // A number that does not fit is more than there is.
        paging.count = Int(text) ?? .max
        return paging
    }
}
