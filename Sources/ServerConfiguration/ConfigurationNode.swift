/// A YAML node as the rest of this module sees it: placed, without anchors, its `${…}` resolved.
struct ConfigurationNode {
    struct Scalar {
        /// After interpolation.
        var text: String
        /// As it stands in the file; this is what messages quote, so that an interpolated secret never shows.
        var written: String
        /// Without quotes: `true`, `~` and numbers mean themselves.
        var isPlain: Bool
        /// Came out of `${file:…}`, at least in part: never shown.
        var isSecret: Bool

        var isNull: Bool { self.isPlain && ["", "~", "null"].contains(self.written) }
    }

    struct Entry {
        var key: String
        var position: Position
        var value: ConfigurationNode
    }

    enum Content {
        case scalar(Scalar)
        case list([ConfigurationNode])
        case mapping([Entry])
        /// Reported already: whoever wants it takes the default and says nothing.
        case broken
    }

    var position: Position
    var content: Content

    /// What it is, for messages of the kind «a list, where a mapping is wanted».
    var sort: String {
        switch self.content {
        case .scalar(let scalar) where scalar.isNull: "nothing"
        case .scalar: "a single value"
        case .list: "a list"
        case .mapping: "a mapping"
        case .broken: "nothing"
        }
    }

    var isNull: Bool {
        if case .scalar(let scalar) = self.content { scalar.isNull } else { false }
    }
}

extension ConfigurationNode {
    /// The keys of the mapping that a key of this one has.
    func keys(below key: String) -> [String] {
        guard case .mapping(let entries) = self.content, case .mapping(let inner) = entries.first(where: { $0.key == key })?.value.content else { return [] }
        return inner.map(\.key)
    }

    var isEmptyList: Bool {
        if case .list(let members) = self.content { members.isEmpty } else { false }
    }

    /// As it was written, for keys of which only a format knows the meaning.
    var shown: Shown {
        switch self.content {
        case .broken: .null
        case .list(let members): .list(members.map(\.shown))
        case .mapping(let entries): .mapping(entries.map { Shown.Member($0.key, $0.value.shown) })
        case .scalar(let scalar): scalar.shown
        }
    }

    /// A format's own message, with references in place of what they came to.
    func withoutInterpolated(_ message: String) -> String {
        switch self.content {
        case .broken: message
        case .list(let members): members.reduce(message) { $1.withoutInterpolated($0) }
        case .mapping(let entries): entries.reduce(message) { $1.value.withoutInterpolated($0) }
        case .scalar(let scalar): scalar.withoutInterpolated(message)
        }
    }

    func places(of text: String, key: String) -> [(key: String, position: Position)] {
        switch self.content {
        case .broken: []
        case .list(let members): members.flatMap { $0.places(of: text, key: key) }
        case .mapping(let entries): entries.flatMap { $0.value.places(of: text, key: "\(key).\($0.key)") }
        case .scalar(let scalar): scalar.text == text ? [(key, self.position)] : []
        }
    }
}

extension ConfigurationNode.Scalar {
    var shown: Shown {
        if self.isSecret { return Shown.secret }
        if self.isNull { return .null }
        guard self.isPlain else { return .text(self.text) }
        switch self.text {
        case "true": return .bool(true)
        case "false": return .bool(false)
        default: return Int64(self.text).flatMap { String($0) == self.text ? .number($0) : nil } ?? .text(self.text)
        }
    }

    func withoutInterpolated(_ message: String) -> String {
        guard self.text != self.written, !self.text.isEmpty else { return message }
        // Messages quote at most this much of a long value.
        let quoted = String(self.text.prefix(200))
        return message.replacing(self.text, with: self.written).replacing(quoted, with: self.written)
    }
}
