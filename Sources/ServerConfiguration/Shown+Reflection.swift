/// What a format's settings came to. Formats need not say how they are written: their properties bear the names of their keys.
extension Shown {
    /// The properties of a struct, by name; those of which the value cannot be shown are left out.
    init(propertiesOf value: Any) {
        let members = Mirror(reflecting: value).children.compactMap { child in
            child.label.flatMap { label in Self.reflected(child.value).map { Member(label, $0) } }
        }
        self = .mapping(members)
    }

    private static func reflected(_ value: Any) -> Shown? {
        switch value {
        case let value as Bool: return .bool(value)
        case let value as any BinaryInteger: return Int64(exactly: value).map(Shown.number)
        case let value as String: return .text(value)
        case let value as any RawRepresentable<String>: return .text(value.rawValue)
        default: break
        }
        let mirror = Mirror(reflecting: value)
        switch mirror.displayStyle {
        case .optional: return mirror.children.first.map { Self.reflected($0.value) } ?? .null
        case .collection, .set: return .list(mirror.children.compactMap { Self.reflected($0.value) })
        case .dictionary: return Self.dictionary(mirror)
        default: return (value as? any CustomStringConvertible).map { .text($0.description) }
        }
    }

    private static func dictionary(_ mirror: Mirror) -> Shown {
        let members = mirror.children.compactMap { child -> Member? in
            let pair = Mirror(reflecting: child.value).children.map(\.value)
            guard pair.count == 2, case .text(let key) = Self.reflected(pair[0]), let value = Self.reflected(pair[1]) else { return nil }
            return Member(key, value)
        }
        return .mapping(members.sorted { $0.key < $1.key })
    }
}
