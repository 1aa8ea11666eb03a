import ArtifactModel

/// What a client asks a token service for: `repository:<name>:<actions>` or `registry:catalog:*`.
/// distribution's «Token Scope Documentation».
struct Scope: Hashable, Sendable, CustomStringConvertible {
    enum Resource: Hashable, Sendable {
        /// An image, by the client's name for it.
        case image(ImageName)
        case catalog
    }
    static let longest = 1024
    /// In one request; docker asks for two at a mount.
    static let most = 100

    let resource: Resource
    let actions: [Action]

    /// nil: another kind of thing, or nothing that could be granted; who asks for it gets a token without it.
    init?(_ text: Substring) {
        guard text.utf8.count <= Self.longest, let first = text.firstIndex(of: ":"), let last = text.lastIndex(of: ":"), first < last else { return nil }
        // `repository(plugin)` is what docker calls the images of its plug-ins.
        let type = text[..<first].prefix { $0 != "(" }
        let name = text[text.index(after: first)..<last]
        let words = text[text.index(after: last)...].split(separator: ",")
        switch type {
        case "repository":
            guard let image = try? ImageName(String(name)) else { return nil }  // no name, nothing to grant
            self.init(.image(image), words.flatMap(Self.actions))
        case "registry" where name == "catalog": self.init(.catalog, [.read])
        default: return nil
        }
    }

    init(_ resource: Resource, _ actions: [Action]) {
        self.resource = resource
        self.actions = actions.reduce(into: []) { if !$0.contains($1) { $0.append($1) } }
    }

    /// Several in one text are separated by blanks, as docker's POST has them.
    static func all(in texts: [String]) -> [Scope] { texts.flatMap { $0.split(separator: " ") }.prefix(Self.most).compactMap(Scope.init) }

    private static func actions(_ word: Substring) -> [Action] {
        switch word {
        case "pull": [.read]
        case "push": [.write]
        case "delete": [.delete]
        case "*": [.read, .write, .delete]
        default: []
        }
    }

    private static func word(_ action: Action) -> String? {
        switch action {
        case .read: "pull"
        case .write: "push"
        case .delete: "delete"
        case .admin, .explain: nil
        }
    }

    var description: String {
        switch self.resource {
        case .image(let image): "repository:\(image):\(self.actions.compactMap(Self.word).joined(separator: ","))"
        case .catalog: "registry:catalog:*"
        }
    }
}
