import ArtifactModel

/// Makes values of what a tokenizer reads. No object may have a key twice: readers differ on which one is meant.
struct JSONTree: JSONVisitor, Sendable {
    struct Limits: Sendable {
        /// Of all keys, strings and numbers together, in bytes.
        var bytes = 16 << 20
        /// An empty array takes 25 bytes of memory, and two of JSON.
        var values = 500_000
        var depth = 128
    }

    private enum Container {
        case array([JSONValue])
        case object([JSONValue.Member])
    }

    /// The document, when it has ended.
    private(set) var value: JSONValue?
    /// Whether more came than the limits allow.
    private(set) var isTooLarge = false
    private var open: [Container] = []
    private var keys: [String] = []
    private var kind = JSONKind.null
    private var limits: Limits

    init(_ limits: Limits) { self.limits = limits }

    /// The keys that lead to the value that begins; of an array an empty one.
    var path: [String] { self.keys }

    mutating func key(_ text: UnsafeRawBufferPointer) throws(JSONFlaw) {
        try self.spend(text.count)
        self.keys[self.keys.count - 1] = String(decoding: text, as: UTF8.self)
    }

    mutating func begin(_ kind: JSONKind, at offset: Int64) throws(JSONFlaw) -> JSONInterest {
        self.limits.values -= 1
        try self.spend(0)
        self.kind = kind
        switch kind {
        case .object:
            self.open.append(.object([]))
            self.keys.append("")
            return .members
        case .array:
            self.open.append(.array([]))
            self.keys.append("")
            return .members
        case .string, .number: return .text(limit: self.limits.bytes)
        case .yes, .no, .null: return .nothing
        }
    }

    mutating func end(at offset: Int64, text: UnsafeRawBufferPointer?) throws(JSONFlaw) {
        if let text {
            try self.spend(text.count)
            let text = String(decoding: text, as: UTF8.self)
            return self.add(self.kind == .number ? .number(text) : .string(text))
        }
        switch self.kind {
        case .yes, .no: self.add(.bool(self.kind == .yes))
        case .null: self.add(.null)
        case .string, .number:
            self.limits.bytes = -1
            try self.spend(0)
        case .object, .array: try self.close(offset)
        }
    }

    private mutating func close(_ offset: Int64) throws(JSONFlaw) {
        self.keys.removeLast()
        switch self.open.removeLast() {
        case .array(let elements): self.add(.array(elements))
        case .object(let members):
            if let key = Self.double(in: members) { throw JSONFlaw(message: "the JSON has the key «\(key.prefix(100))» twice in one object", offset: offset) }
            self.add(.object(members))
        }
    }

    private mutating func add(_ value: JSONValue) {
        // What ends next is what this is in.
        switch self.open.popLast() {
        case nil: self.value = value
        case .array(var elements):
            elements.append(value)
            self.kind = .array
            self.open.append(.array(elements))
        case .object(var members):
            members.append(JSONValue.Member(self.keys[self.keys.count - 1], value))
            self.kind = .object
            self.open.append(.object(members))
        }
    }

    private mutating func spend(_ bytes: Int) throws(JSONFlaw) {
        self.limits.bytes -= bytes
        guard self.limits.bytes >= 0, self.limits.values >= 0 else {
            self.isTooLarge = true
            throw JSONFlaw(message: "the JSON has more in it than is taken", offset: 0)
        }
    }

    private static func double(in members: [JSONValue.Member]) -> String? {
        guard members.count > 1 else { return nil }
        let keys = members.map(\.key).sorted(by: ByteText.precedes)
        return zip(keys, keys.dropFirst()).first { ByteText.equal($0, $1) }?.0
    }
}
