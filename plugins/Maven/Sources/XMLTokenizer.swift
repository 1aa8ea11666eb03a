import ArtifactModel
import FormatAPI

/// Reads XML as it comes, a piece at a time: elements and their text, and nothing that could do harm. No entity but the five that every reader knows and characters
/// by number, no document type, bounded depth, names and texts; attributes, comments and instructions are passed over.
///
/// <https://www.w3.org/TR/xml/>, of which this reads what metadata and POMs are written in.
struct XMLTokenizer: Sendable {
    enum Event: Hashable, Sendable {
        case start(String)
        /// Of the element that ends: its own text, with what stands around it taken off; empty where it has elements in it.
        case end(String, text: String)
    }

    static let deepest = 100
    static let longestName = 256
    static let longestText = 64 << 10

    private enum State: Sendable {
        case text, entity, markup, name, closing, tag, quoted(UInt8), selfClosing, exclamation, comment, data, instruction, spaceAfterClosing
    }

    private struct Element: Sendable {
        var name: String
        var text: [UInt8] = []
        var hasElements = false
    }

    private var state = State.text
    private var stack: [Element] = []
    private var token: [UInt8] = []
    private var hasRoot = false

    /// - Throws: `.invalidRequest`, in words that say what is wrong.
    mutating func feed(_ bytes: some Sequence<UInt8>, _ handle: (Event) throws(FormatError) -> Void) throws(FormatError) {
        for byte in bytes { try self.take(byte, handle) }
    }

    func finish() throws(FormatError) {
        guard self.stack.isEmpty, self.hasRoot, case .text = self.state else { throw Self.flaw("it ends before its last element does") }
    }

    /// All of a document that is in memory.
    static func events(_ bytes: some Sequence<UInt8>, _ handle: (Event) throws(FormatError) -> Void) throws(FormatError) {
        var tokenizer = XMLTokenizer()
        try tokenizer.feed(bytes, handle)
        try tokenizer.finish()
    }

    private static func flaw(_ what: String) -> FormatError { FormatError(.invalidRequest, "this is not XML that can be read: \(what)") }

    private mutating func take(_ byte: UInt8, _ handle: (Event) throws(FormatError) -> Void) throws(FormatError) {
        switch self.state {
        case .text: try self.takeText(byte)
        case .entity: try self.takeEntity(byte)
        case .markup: try self.takeMarkup(byte)
        case .name:
            guard Self.isName(byte) else {
                try self.begin(handle)
                return try self.takeTag(byte, handle)
            }
            try self.append(byte, Self.longestName)
        case .closing:
            if byte == UInt8(ascii: ">") { return try self.end(handle) }
            if Self.isSpace(byte) { self.state = .spaceAfterClosing } else { try self.append(byte, Self.longestName) }
        case .spaceAfterClosing:
            if byte == UInt8(ascii: ">") { return try self.end(handle) }
            guard Self.isSpace(byte) else { throw Self.flaw("an end tag has more than a name") }
        case .tag: try self.takeTag(byte, handle)
        case .quoted(let quote):
            guard byte != UInt8(ascii: "<") else { throw Self.flaw("an attribute has a «<» in it") }
            if byte == quote { self.state = .tag }
        case .selfClosing:
            guard byte == UInt8(ascii: ">") else { throw Self.flaw("a «/» stands within a tag") }
            self.token = Array((self.stack.last?.name ?? "").utf8)
            try self.end(handle)
        case .exclamation: try self.takeExclamation(byte)
        case .comment: self.takeComment(byte)
        case .data: try self.takeData(byte)
        case .instruction:
            if byte == UInt8(ascii: ">"), self.token.last == UInt8(ascii: "?") { self.leave() } else { self.token = [byte] }
        }
    }

    private mutating func leave() {
        self.token = []
        self.state = .text
    }

    private mutating func append(_ byte: UInt8, _ limit: Int) throws(FormatError) {
        guard self.token.count < limit else { throw Self.flaw("a name in it is longer than \(limit) bytes") }
        self.token.append(byte)
    }

    // MARK: Text

    private mutating func takeText(_ byte: UInt8) throws(FormatError) {
        switch byte {
        case UInt8(ascii: "<"): self.state = .markup
        case UInt8(ascii: "&"): self.state = .entity
        default: try self.add(byte)
        }
    }

    private mutating func add(_ byte: UInt8) throws(FormatError) {
        guard !self.stack.isEmpty else {
            // A byte order mark, or space around the root.
            guard Self.isSpace(byte) || [0xEF, 0xBB, 0xBF].contains(byte) else { throw Self.flaw("there is text outside of its elements") }
            return
        }
        guard byte >= 0x20 || Self.isSpace(byte) else { throw Self.flaw("there is a control character in it") }
        let last = self.stack.count - 1
        // Of an element with others in it nobody hears a text, and what stands between those is most of a long document.
        if self.stack[last].hasElements || self.stack[last].text.isEmpty && Self.isSpace(byte) { return }
        guard self.stack[last].text.count < Self.longestText else { throw Self.flaw("a text in it is longer than \(Self.longestText >> 10) KiB") }
        self.stack[last].text.append(byte)
    }

    private mutating func takeEntity(_ byte: UInt8) throws(FormatError) {
        guard byte == UInt8(ascii: ";") else {
            guard self.token.count < 10 else { throw Self.flaw("it uses an entity that is not known") }
            return self.token.append(byte)
        }
        let name = String(decoding: self.token, as: UTF8.self)
        self.leave()
        let known: [String: String] = ["lt": "<", "gt": ">", "amp": "&", "quot": "\"", "apos": "'"]
        if let text = known[name] { return try self.add(all: text) }
        let isHex = name.hasPrefix("#x")
        guard name.hasPrefix("#"), let number = UInt32(name.dropFirst(isHex ? 2 : 1), radix: isHex ? 16 : 10), let scalar = Unicode.Scalar(number) else {
            throw Self.flaw("it uses the entity «\(name)», which is not known")
        }
        try self.add(all: String(Character(scalar)))
    }

    private mutating func add(all text: String) throws(FormatError) { for byte in text.utf8 { try self.add(byte) } }

    // MARK: Markup

    private mutating func takeMarkup(_ byte: UInt8) throws(FormatError) {
        self.token = []
        switch byte {
        case UInt8(ascii: "/"): self.state = .closing
        case UInt8(ascii: "?"): self.state = .instruction
        case UInt8(ascii: "!"): self.state = .exclamation
        default:
            guard Self.isName(byte) else { throw Self.flaw("there is a «<» that begins nothing") }
            self.token = [byte]
            self.state = .name
        }
    }

    /// `<!--` and `<![CDATA[`; a document type is the way in for entities that grow and files that are read: refused.
    private mutating func takeExclamation(_ byte: UInt8) throws(FormatError) {
        self.token.append(byte)
        if self.token == Array("--".utf8) {
            self.token = []
            self.state = .comment
        } else if self.token == Array("[CDATA[".utf8) {
            self.token = []
            self.state = .data
        } else if !"--".utf8.starts(with: self.token), !"[CDATA[".utf8.starts(with: self.token) {
            throw Self.flaw("it declares a document type, which is not read here")
        }
    }

    private mutating func takeComment(_ byte: UInt8) {
        if byte == UInt8(ascii: ">"), self.token == Array("--".utf8) { return self.leave() }
        self.token = byte == UInt8(ascii: "-") ? Array(repeating: byte, count: min(2, self.token.count + 1)) : []
    }

    private mutating func takeData(_ byte: UInt8) throws(FormatError) {
        if byte == UInt8(ascii: ">"), self.token == Array("]]".utf8) { return self.leave() }
        if byte == UInt8(ascii: "]") {
            if self.token.count == 2 { try self.add(byte) } else { self.token.append(byte) }
            return
        }
        for kept in self.token { try self.add(kept) }
        self.token = []
        try self.add(byte)
    }

    private mutating func takeTag(_ byte: UInt8, _ handle: (Event) throws(FormatError) -> Void) throws(FormatError) {
        switch byte {
        case UInt8(ascii: ">"): self.leave()
        case UInt8(ascii: "/"): self.state = .selfClosing
        case UInt8(ascii: "\""), UInt8(ascii: "'"): self.state = .quoted(byte)
        case UInt8(ascii: "<"): throw Self.flaw("a tag begins within a tag")
        default: self.state = .tag
        }
    }

    // MARK: Elements

    private mutating func begin(_ handle: (Event) throws(FormatError) -> Void) throws(FormatError) {
        guard self.stack.count < Self.deepest else { throw Self.flaw("its elements are more than \(Self.deepest) deep") }
        guard !self.stack.isEmpty || !self.hasRoot else { throw Self.flaw("it has more than one root") }
        let name = String(decoding: self.token, as: UTF8.self)
        if !self.stack.isEmpty {
            self.stack[self.stack.count - 1].hasElements = true
            self.stack[self.stack.count - 1].text = []
        }
        self.stack.append(Element(name: name))
        self.hasRoot = true
        self.token = []
        self.state = .tag
        try handle(.start(name))
    }

    private mutating func end(_ handle: (Event) throws(FormatError) -> Void) throws(FormatError) {
        guard let element = self.stack.popLast(), ByteText.equal(element.name, String(decoding: self.token, as: UTF8.self)) else {
            throw Self.flaw("an element ends that did not begin")
        }
        self.leave()
        let text = element.hasElements ? "" : String(decoding: Self.trimmed(element.text), as: UTF8.self)
        try handle(.end(element.name, text: text))
    }

    private static func trimmed(_ bytes: [UInt8]) -> ArraySlice<UInt8> {
        guard let first = bytes.firstIndex(where: { !Self.isSpace($0) }), let last = bytes.lastIndex(where: { !Self.isSpace($0) }) else { return [] }
        return bytes[first...last]
    }

    private static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 || byte == 0x0A || byte == 0x0D }

    private static func isName(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
        case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: ":"): true
        default: byte >= 0x80
        }
    }
}
