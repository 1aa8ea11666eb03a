import HTTPTypes

/// What a path leads to, before its names are checked. Read from the right: an image's name may hold `blobs`, `manifests`, `uploads`
/// and `tags` as components.
struct Address: Hashable, Sendable {
    enum Place: Hashable, Sendable {
        case base, catalog, token, tags, uploads
        case upload(String)
        case blob(String)
        case manifest(String)
        case referrers(String)
    }
    let place: Place
    /// The image's components; empty for `base`, `catalog` and `token`, and for an address that lacks its image.
    let image: [String]

    /// - Parameter path: what follows `/v2/`.
    /// - Returns: nil where the API has nothing of this shape.
    init?(_ path: [String]) {
        guard let last = path.last, path != [""] else {
            self.init(.base, [])
            return
        }
        if path == ["_catalog"] || path == ["_token"] {
            // No image's component begins so.
            self.init(path == ["_catalog"] ? .catalog : .token, [])
            return
        }
        let before = path.count >= 2 ? path[path.count - 2] : ""
        let first = path.count >= 3 ? path[path.count - 3] : ""
        switch (first, before, last) {
        case (_, "manifests", let reference) where !reference.isEmpty: self.init(.manifest(reference), path.dropLast(2))
        case (_, "tags", "list"): self.init(.tags, path.dropLast(2))
        case (_, "referrers", let digest) where !digest.isEmpty: self.init(.referrers(digest), path.dropLast(2))
        case ("blobs", "uploads", ""): self.init(.uploads, path.dropLast(3))
        case (_, "blobs", "uploads"): self.init(.uploads, path.dropLast(2))
        case (_, "blobs", let digest) where !digest.isEmpty: self.init(.blob(digest), path.dropLast(2))
        case ("blobs", "uploads", let session): self.init(.upload(session), path.dropLast(3))
        default: return nil
        }
    }

    private init(_ place: Place, _ image: some Sequence<String>) {
        self.place = place
        self.image = Array(image)
    }

    /// What `Allow` says.
    var methods: [HTTPRequest.Method] {
        switch self.place {
        case .base, .catalog, .tags, .referrers: [.get, .head]
        case .uploads: [.post]
        case .token: [.get, .post]
        case .upload: [.get, .patch, .put, .delete]
        case .blob: [.get, .head, .delete]
        case .manifest: [.get, .head, .put, .delete]
        }
    }
}
