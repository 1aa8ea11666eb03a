/// Reads a manifest's JSON from its first byte to its last, and takes only what every reader understands alike. RFC 8259, 4 and 8.
///
/// Readers differ on a key that is there twice (first, last, or an error), on fields in other capitals (Go's reader takes `Layers` for
/// `layers`), on halves of surrogate pairs, and on what JSON does not allow. One signs what one reader sees, and another runs something else.
/// Recursion is bounded by `deepest`, work and memory by `mostValues`: nothing is decoded before this has passed.
struct StrictJSON {
    /// Objects and arrays within each other.
    static let deepest = 64
    /// Strings, numbers, words, objects and arrays, all together.
    static let mostValues = 300_000

    struct Flaw: Error { let message: String }

    /// What the reader of a manifest takes the present value for.
    private enum Place {
        case manifest, descriptor, descriptors, other

        var fields: [String] {
            switch self {
            case .manifest: ["schemaVersion", "mediaType", "artifactType", "config", "layers", "manifests", "subject", "annotations"]
            case .descriptor: ["mediaType", "digest", "size", "urls", "artifactType", "annotations", "platform", "data"]
            case .descriptors, .other: []
            }
        }

        func below(_ key: [UInt8]) -> Place {
            guard self == .manifest else { return .other }
            switch String(decoding: key, as: UTF8.self) {
            case "config", "subject": return .descriptor
            case "layers", "manifests": return .descriptors
            default: return .other
            }
        }
    }

    private let bytes: [UInt8]
    private var at = 0
    private var values = 0

    /// - Throws: where the text is no manifest's JSON, with the reason.
    static func check(_ bytes: [UInt8]) throws(Flaw) {
        var reader = StrictJSON(bytes: bytes)
        reader.skipSpace()
        guard reader.peek == UInt8(ascii: "{") else { throw Flaw(message: "the manifest is not a JSON object in UTF-8") }
        try reader.value(.manifest, depth: 0)
        reader.skipSpace()
        guard reader.at == bytes.count else { throw reader.malformed }
    }

    private init(bytes: [UInt8]) { self.bytes = bytes }

    private var peek: UInt8? { self.at < self.bytes.count ? self.bytes[self.at] : nil }
    private var malformed: Flaw { Flaw(message: "the manifest is not JSON (at byte \(self.at))") }

    private mutating func skipSpace() {
        while let byte = self.peek, byte == 0x20 || byte == 0x0A || byte == 0x0D || byte == 0x09 { self.at += 1 }
    }

    private mutating func take(_ byte: UInt8) throws(Flaw) {
        guard self.peek == byte else { throw self.malformed }
        self.at += 1
    }

    private mutating func value(_ place: Place, depth: Int) throws(Flaw) {
        self.values += 1
        guard self.values <= Self.mostValues else { throw Flaw(message: "the manifest has more than \(Self.mostValues) values") }
        guard depth <= Self.deepest else { throw Flaw(message: "the manifest's JSON is deeper than \(Self.deepest) levels") }
        switch self.peek {
        case UInt8(ascii: "{"): try self.object(place, depth: depth)
        case UInt8(ascii: "["): try self.array(place == .descriptors ? .descriptor : .other, depth: depth)
        case UInt8(ascii: "\""): _ = try self.string()
        case UInt8(ascii: "t"): try self.word("true")
        case UInt8(ascii: "f"): try self.word("false")
        case UInt8(ascii: "n"): try self.word("null")
        default: try self.number()
        }
    }

    private mutating func object(_ place: Place, depth: Int) throws(Flaw) {
        try self.take(UInt8(ascii: "{"))
        self.skipSpace()
        if self.peek == UInt8(ascii: "}") { return self.at += 1 }
        let fields = place.fields.map { (name: Array($0.utf8), folded: Self.folded(Array($0.utf8))) }
        var seen: Set<[UInt8]> = []
        while true {
            self.skipSpace()
            let key = try self.string()
            guard seen.insert(key).inserted else { throw Flaw(message: "the manifest has the key «\(Self.shown(key))» twice in one object") }
            if !fields.isEmpty {
                let folded = Self.folded(key)
                if let field = fields.first(where: { $0.folded == folded }), field.name != key {
                    throw Flaw(message: "the manifest has «\(Self.shown(key))» where «\(Self.shown(field.name))» is meant: some readers take one for the other")
                }
            }
            self.skipSpace()
            try self.take(UInt8(ascii: ":"))
            self.skipSpace()
            try self.value(place.below(key), depth: depth + 1)
            self.skipSpace()
            guard self.peek == UInt8(ascii: ",") else { break }
            self.at += 1
        }
        try self.take(UInt8(ascii: "}"))
    }

    private mutating func array(_ element: Place, depth: Int) throws(Flaw) {
        try self.take(UInt8(ascii: "["))
        self.skipSpace()
        if self.peek == UInt8(ascii: "]") { return self.at += 1 }
        while true {
            self.skipSpace()
            try self.value(element, depth: depth + 1)
            self.skipSpace()
            guard self.peek == UInt8(ascii: ",") else { break }
            self.at += 1
        }
        try self.take(UInt8(ascii: "]"))
    }

    private mutating func word(_ text: StaticString) throws(Flaw) {
        for byte in text.description.utf8 { try self.take(byte) }
    }

    /// `-? (0 | [1-9][0-9]*) (.[0-9]+)? ([eE][+-]?[0-9]+)?`
    private mutating func number() throws(Flaw) {
        if self.peek == UInt8(ascii: "-") { self.at += 1 }
        if self.peek == UInt8(ascii: "0") { self.at += 1 } else { try self.digits() }
        if self.peek == UInt8(ascii: ".") {
            self.at += 1
            try self.digits()
        }
        guard self.peek == UInt8(ascii: "e") || self.peek == UInt8(ascii: "E") else { return }
        self.at += 1
        if self.peek == UInt8(ascii: "+") || self.peek == UInt8(ascii: "-") { self.at += 1 }
        try self.digits()
    }

    private mutating func digits() throws(Flaw) {
        let start = self.at
        while let byte = self.peek, (48...57).contains(byte) { self.at += 1 }
        guard self.at > start else { throw self.malformed }
    }
}

extension StrictJSON {
    /// - Returns: what the string says, its escapes resolved, in UTF-8.
    private mutating func string() throws(Flaw) -> [UInt8] {
        try self.take(UInt8(ascii: "\""))
        var out: [UInt8] = []
        while let byte = self.peek {
            self.at += 1
            switch byte {
            case UInt8(ascii: "\""): return out
            case UInt8(ascii: "\\"): try self.escape(into: &out)
            case 0..<0x20: throw self.malformed
            default: out.append(byte)
            }
        }
        throw self.malformed
    }

    private mutating func escape(into out: inout [UInt8]) throws(Flaw) {
        guard let byte = self.peek else { throw self.malformed }
        self.at += 1
        switch byte {
        case UInt8(ascii: "\""), UInt8(ascii: "\\"), UInt8(ascii: "/"): out.append(byte)
        case UInt8(ascii: "b"): out.append(0x08)
        case UInt8(ascii: "f"): out.append(0x0C)
        case UInt8(ascii: "n"): out.append(0x0A)
        case UInt8(ascii: "r"): out.append(0x0D)
        case UInt8(ascii: "t"): out.append(0x09)
        case UInt8(ascii: "u"): out.append(contentsOf: try self.scalar().utf8)
        default: throw self.malformed
        }
    }

    /// After `\u`; of a surrogate pair both halves.
    private mutating func scalar() throws(Flaw) -> String {
        let first = try self.unit()
        var number = first
        if (0xD800..<0xDC00).contains(first) {
            try self.take(UInt8(ascii: "\\"))
            try self.take(UInt8(ascii: "u"))
            let second = try self.unit()
            guard (0xDC00..<0xE000).contains(second) else { throw self.malformed }
            number = 0x10000 + (first - 0xD800) << 10 + (second - 0xDC00)
        }
        guard let scalar = Unicode.Scalar(number) else { throw self.malformed }
        return String(Character(scalar))
    }

    private mutating func unit() throws(Flaw) -> UInt32 {
        guard self.at + 4 <= self.bytes.count else { throw self.malformed }
        var number: UInt32 = 0
        for byte in self.bytes[self.at..<self.at + 4] {
            switch byte {
            case 48...57: number = number << 4 | UInt32(byte - 48)
            case 65...70: number = number << 4 | UInt32(byte - 55)
            case 97...102: number = number << 4 | UInt32(byte - 87)
            default: throw self.malformed
            }
        }
        self.at += 4
        return number
    }

    /// As Go's reader compares keys: small letters, and the two letters beyond ASCII that fold to one within.
    private static func folded(_ key: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        out.reserveCapacity(key.count)
        var at = 0
        while at < key.count {
            if key[at...].starts(with: [0xC5, 0xBF]) {
                out.append(UInt8(ascii: "s"))
                at += 2
            } else if key[at...].starts(with: [0xE2, 0x84, 0xAA]) {
                out.append(UInt8(ascii: "k"))
                at += 3
            } else {
                out.append((65...90).contains(key[at]) ? key[at] + 32 : key[at])
                at += 1
            }
        }
        return out
    }

    private static func shown(_ key: [UInt8]) -> Substring { String(decoding: key, as: UTF8.self).prefix(100) }
}
