import ArtifactModel
import FormatAPI

/// Locations as the client sees them: absolute paths below the root that it used, never with a host in them.
struct Links: Sendable {
    let root: String
    /// `?ns=` of the request, percent-encoded: without it the next request would lead to another repository.
    let namespace: String?
    /// What is before the image's name here, and was not in the request: `library/`.
    var hidden = ""

    init(_ head: RequestHead) {
        self.root = head.root
        self.namespace = head.query("ns").map(Self.encoded)
    }

    func blob(_ digest: ContentDigest, of image: ImageName) -> String { self.url("\(image)/blobs/\(digest)") }
    func manifest(_ digest: ContentDigest, of image: ImageName) -> String { self.url("\(image)/manifests/\(digest)") }
    func upload(_ session: String, to image: ImageName) -> String { self.url("\(image)/blobs/uploads/\(session)") }

    /// The value of `Link` that leads to the next page.
    func next(_ path: String, _ query: [(name: String, value: String)]) -> String { "<\(self.url(path, query))>; rel=\"next\"" }

    private func url(_ path: String, _ query: [(name: String, value: String)] = []) -> String {
        var pairs = query.map { "\($0.name)=\(Self.encoded($0.value))" }
        if let namespace { pairs.append("ns=\(namespace)") }
        return "\(self.root)/\(self.shortened(path))" + (pairs.isEmpty ? "" : "?" + pairs.joined(separator: "&"))
    }

    /// The repository that stands before image names in what the client calls them: `docker-local` in `/v2/docker-local/app`.
    /// nil at a root where the whole path is the image.
    var repositoryPrefix: String? {
        let segments = self.root.split(separator: "/")
        guard let last = segments.last, last != "v2", segments.dropLast().last == "v2" else { return nil }
        return String(last)
    }

    /// The path that all names of images follow in the client's URLs, decoded.
    var base: [String] {
        let segments = self.root.split(separator: "/").map(String.init)
        return self.repositoryPrefix == nil ? segments : segments.dropLast()
    }

    /// The image's name as the client wrote it.
    func clientName(_ image: ImageName) -> String {
        let name = self.shortened(image.text)
        return self.repositoryPrefix.map { "\($0)/\(name)" } ?? name
    }

    private func shortened(_ path: String) -> String { path.hasPrefix(self.hidden) ? String(path.dropFirst(self.hidden.count)) : path }

    /// What is not an unreserved character of RFC 3986 as `%XX`.
    static func encoded(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case _ where byte.isASCIILetterOrDigit, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            default: out += "%" + ContentDigest.hex([byte]).uppercased()
            }
        }
        return out
    }
}
