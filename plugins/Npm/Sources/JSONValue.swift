/// JSON as it was read: numbers as their text, members in their order. For what is changed and not only copied.
enum JSONValue: Hashable, Sendable {
    struct Member: Hashable, Sendable {
        var key: String
        var value: JSONValue
        init(_ key: String, _ value: JSONValue) {
            self.key = key
            self.value = value
        }
    }

    case null
    case bool(Bool)
    case number(String)
    case string(String)
    case array([JSONValue])
    case object([Member])

    /// Work for the pool, where it is of unknown size.
    /// - Throws: where it is not JSON, has a key twice in one object, or is more than `limits` allow.
    init(_ bytes: some Sequence<UInt8>, limits: JSONTree.Limits = .init()) throws(JSONFlaw) {
        var (tokenizer, tree) = (JSONTokenizer(deepest: limits.depth), JSONTree(limits))
        let bytes = Array(bytes)
        try bytes.withUnsafeBufferPointer { (bytes) throws(JSONFlaw) in _ = try tokenizer.feed(UnsafeRawBufferPointer(bytes), at: 0, &tree) }
        try tokenizer.finish(at: Int64(bytes.count), &tree)
        guard let value = tree.value else { throw JSONTokenizer.malformed(0) }
        self = value
    }

    // MARK: Looking

    var members: [Member]? { if case .object(let members) = self { members } else { nil } }

    var elements: [JSONValue]? { if case .array(let elements) = self { elements } else { nil } }

    var string: String? { if case .string(let text) = self { text } else { nil } }

    /// nil: not a whole number, or none that `Int64` holds.
    var integer: Int64? { if case .number(let text) = self { Int64(text) } else { nil } }

    /// A member of an object; nil: there is none, or this is no object.
    subscript(_ key: String) -> JSONValue? {
        get { self.members?.first { $0.key == key }?.value }
        set {
            guard case .object(var members) = self else { return }
            let place = members.firstIndex { $0.key == key }
            switch (place, newValue) {
            case (let place?, let value?): members[place].value = value
            case (let place?, nil): members.remove(at: place)
            case (nil, let value?): members.append(Member(key, value))
            case (nil, nil): return
            }
            self = .object(members)
        }
    }

    // MARK: Writing

    /// Without a space in it.
    var bytes: [UInt8] {
        var out: [UInt8] = []
        self.write(to: &out)
        return out
    }

    var text: String { String(decoding: self.bytes, as: UTF8.self) }

    func write(to out: inout [UInt8]) {
        switch self {
        case .null: out.append(contentsOf: "null".utf8)
        case .bool(let isTrue): out.append(contentsOf: (isTrue ? "true" : "false").utf8)
        case .number(let text): out.append(contentsOf: text.utf8)
        case .string(let text): Self.quote(text, to: &out)
        case .array(let elements):
            out.append(UInt8(ascii: "["))
            for (place, element) in elements.enumerated() {
                if place > 0 { out.append(UInt8(ascii: ",")) }
                element.write(to: &out)
            }
            out.append(UInt8(ascii: "]"))
        case .object(let members):
            out.append(UInt8(ascii: "{"))
            Self.write(members, to: &out)
            out.append(UInt8(ascii: "}"))
        }
    }

    /// Without braces around them.
    static func write(_ members: [Member], to out: inout [UInt8]) {
        for (place, member) in members.enumerated() {
            if place > 0 { out.append(UInt8(ascii: ",")) }
            Self.quote(member.key, to: &out)
            out.append(UInt8(ascii: ":"))
            member.value.write(to: &out)
        }
    }

    /// As `JSON.stringify` writes it.
    static func quote(_ text: String, to out: inout [UInt8]) {
        out.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): out.append(contentsOf: [UInt8(ascii: "\\"), byte])
            case 0x08: out.append(contentsOf: #"\b"#.utf8)
            case 0x09: out.append(contentsOf: #"\t"#.utf8)
            case 0x0A: out.append(contentsOf: #"\n"#.utf8)
            case 0x0C: out.append(contentsOf: #"\f"#.utf8)
            case 0x0D: out.append(contentsOf: #"\r"#.utf8)
            case 0..<0x20:
                let digits = Array("0123456789abcdef".utf8)
                out.append(contentsOf: #"\u00"#.utf8)
                out.append(contentsOf: [digits[Int(byte >> 4)], digits[Int(byte & 15)]])
            default: out.append(byte)
            }
        }
        out.append(UInt8(ascii: "\""))
    }

    static func quoted(_ text: String) -> [UInt8] {
        var out: [UInt8] = []
        Self.quote(text, to: &out)
        return out
    }
}
