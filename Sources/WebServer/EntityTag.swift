/// A validator as it stands in `ETag`, `If-Match` and `If-None-Match`. RFC 9110, 8.8.3.
struct EntityTag: Hashable {
    var weak: Bool
    var opaque: String

    /// With quotes or, as some clients send it, without.
    init(_ text: some StringProtocol) {
        self.weak = text.hasPrefix("W/")
        let opaque = self.weak ? text.dropFirst(2) : text[...]
        self.opaque = opaque.utf8.count >= 2 && opaque.hasPrefix("\"") && opaque.hasSuffix("\"") ? String(opaque.dropFirst().dropLast()) : String(opaque)
    }

    func matchesWeakly(_ other: EntityTag) -> Bool { self.opaque == other.opaque }
    func matchesStrongly(_ other: EntityTag) -> Bool { !self.weak && !other.weak && self.opaque == other.opaque }
}

/// The value of `If-Match` and `If-None-Match`.
enum EntityTagList: Hashable {
    case any
    case tags([EntityTag])

    init(_ text: String) {
        var tags: [EntityTag] = []
        var current = ""
        var quoted = false
        for character in text {
            if character == "\"" { quoted.toggle() }
            if character == ",", !quoted {
                tags.append(contentsOf: Self.tag(current))
                current = ""
            } else {
                current.append(character)
            }
        }
        tags.append(contentsOf: Self.tag(current))
        self = tags == [EntityTag("*")] ? .any : .tags(tags)
    }

    private static func tag(_ text: String) -> [EntityTag] {
        let trimmed = text.trimmedSpace
        return trimmed.isEmpty ? [] : [EntityTag(trimmed)]
    }
}

extension StringProtocol {
    /// Without spaces and tabs at either end.
    var trimmedSpace: SubSequence {
        var rest = self[...]
        while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
        while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
        return rest
    }
}
