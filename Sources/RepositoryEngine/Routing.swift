import AccessControl
import ArtifactModel
import FormatAPI

/// What a client asked for, as routing rules see it.
struct AskedPath: Sendable {
    /// Within the repository, decoded once, with its leading slash.
    let text: String
    /// The packages that it is about.
    let names: [String]

    init(_ path: [String], _ accesses: [Access]) {
        self.text = "/" + path.joined(separator: "/")
        self.names = accesses.compactMap(\.path)
    }

    /// - Parameter text: without the leading slash.
    init(_ text: String, names: [String] = []) {
        self.text = "/" + text
        self.names = names
    }

    /// With the name that the package has there: `/library/redis/…` for `/redis/…`.
    func seen(by repository: Repository) -> String {
        for name in self.names where self.text == "/\(name)" || self.text.hasPrefix("/\(name)/") {
            return "/" + repository.fullName(name) + self.text.dropFirst(name.count + 1)
        }
        return self.text
    }
}

extension Repository {
    /// What the repository calls a package whose name is written short.
    func fullName(_ name: String) -> String {
        guard case .proxy(let part) = self.part else { return name }
        return part.upstream.fullName(name)
    }

    /// By its routing rule; before anything is looked up.
    func allows(_ path: AskedPath) -> Bool { self.rule?.allows(path.seen(by: self)) ?? true }
}

extension ContentStructure {
    /// A part's path, by the name that its package has in the repository; of all else the same.
    func path(_ path: AssetPath, namedBy repository: Repository) -> AssetPath {
        guard var part = self.part(path) else { return path }
        part.package.name = repository.fullName(part.package.name)
        return self.path(part) ?? path
    }
}

extension UpstreamResource {
    /// As routing rules see it; nil: it has no address of the repository's own.
    var asked: AskedPath? {
        func decoded(_ text: String) -> String { RequestTarget.decoded(text.prefix { $0 != "?" && $0 != "#" }, plusIsSpace: false) ?? text }
        return switch self.location {
        case .below(let path): AskedPath(decoded(path))
        case .named(_, let name, let rest): AskedPath("\(name)/\(decoded(rest))", names: [name])
        case .reference, .elsewhere, .absolute: nil
        }
    }
}
