import ArtifactModel
import FormatAPI
import Outbound

/// An address that the operator gave: where an upstream's own resources are.
struct Remote: Hashable, Sendable {
    let origin: WebOrigin
    /// Without slash at its end; empty for the root.
    let path: String

    init(_ text: String) throws(InvalidName) {
        let address = try Destination(text)
        guard address.query.isEmpty else { throw InvalidName(kind: "remote", text: "", rule: "a URL without a query") }
        self.origin = address.origin
        var path = address.path
        while path.hasSuffix("/") { path.removeLast() }
        self.path = path
    }

    /// - Throws: for what a format or a document names and cannot be asked.
    func destination(of location: UpstreamResource.Location, officialPrefix: String?) throws(InvalidName) -> Destination {
        switch location {
        case .below(let path): return try Destination("\(self.origin)\(self.path)/\(path)")
        case .named(let root, let name, let rest):
            // A path in the remote prefixes names: `/v2/<path>/<name>/…`.
            let root = root.split(separator: "/").map { "/" + $0 }.joined()
            return try Destination("\(self.origin)\(root)\(self.path)/\(Self.fullName(name, officialPrefix: officialPrefix))/\(rest)")
        case .reference(let text):
            let destination = try Destination("\(self.origin)\(self.path)/").resolving(text)
            guard destination.origin == self.origin else { throw InvalidName(kind: "URL", text: "", rule: "a path on the remote's own host") }
            return destination
        case .elsewhere(let host, let path): return try Destination("\(self.origin.scheme.rawValue)://\(host)\(path)")
        case .absolute(let url): return try Destination(url)
        }
    }

    /// A name of one part with the prefix before it.
    static func fullName(_ name: String, officialPrefix: String?) -> String {
        guard let officialPrefix, !officialPrefix.isEmpty, !name.contains("/") else { return name }
        return "\(officialPrefix)/\(name)"
    }
}
