import ArtifactModel

/// A request's head as nearly every client writes it, found at the beginning of what was read, without a copy of any of it.
///
/// Only the plainest form that RFC 9112 allows is known here, and nothing that leaves a doubt where the request ends. What is written in another way is
/// for the HTTP decoder, which has the word on what a request is: this one only knows some that are beyond doubt.
struct PlainHead {
    let isHead: Bool
    /// GET or HEAD without a body, and nothing in it that is not known here.
    let mayBeReady: Bool
    let target: Range<Int>
    /// Where their values are, without the white space before them.
    let fields: ReadyFields<Range<Int>>
    /// With the empty line, in bytes.
    let length: Int
    /// What follows it, in bytes.
    let bodyLength: Int

    /// - Parameter idle: beginnings of fields that no answer depends on.
    /// - Returns: nil: it is not all there, or is for the decoder.
    init?(_ text: UnsafeRawBufferPointer, idle: [[UInt8]], _ limits: Limits) {
        var scan = PlainScan(text: text, end: min(text.count, limits.headBytes))
        guard let method = scan.method(), let target = scan.target() else { return nil }
        var (fields, isKnown, bodyLength, count) = (ReadyFields<Range<Int>>(), true, Int?.none, 0)
        while true {
            guard let field = scan.field() else { return nil }
            if field.name.isEmpty { break }
            count += 1
            let name = UnsafeRawBufferPointer(rebasing: text[field.name])
            let isKeepAlive = scan.value(field.value, is: "keep-alive")
            switch Framing(name) {
            case .length:
                guard bodyLength == nil, let length = scan.number(field.value) else { return nil }
                (bodyLength, isKnown) = (length, false)
            // What comes after them may be no request, or another way to write one.
            case .other: return nil
            case .connection where !isKeepAlive: return nil
            case .connection, .none: if isKnown { isKnown = fields.take(ReadyRole(name, idle), field.value, keepsAlive: isKeepAlive) }
            }
        }
        guard count <= limits.headers else { return nil }
        self.isHead = method == .head
        self.mayBeReady = isKnown && method != .other && fields.host != nil
        self.target = target
        self.fields = fields
        self.length = scan.at
        self.bodyLength = bodyLength ?? 0
    }

    /// Fields that say where a request ends, or what follows it.
    private enum Framing {
        case none, length, connection, other

        init(_ name: UnsafeRawBufferPointer) {
            switch name.count {
            case 7 where PlainScan.same(name, "upgrade"): self = .other
            case 10 where PlainScan.same(name, "connection"): self = .connection
            case 14 where PlainScan.same(name, "content-length"): self = .length
            case 16 where PlainScan.same(name, "proxy-connection"): self = .other
            case 17 where PlainScan.same(name, "transfer-encoding"): self = .other
            default: self = .none
            }
        }
    }
}

/// Goes through a head from its first byte to its last.
struct PlainScan {
    enum Method { case get, head, other }

    let text: UnsafeRawBufferPointer
    /// Nothing is looked at beyond it.
    let end: Int
    private(set) var at = 0

    init(text: UnsafeRawBufferPointer, end: Int) { (self.text, self.end) = (text, end) }

    mutating func method() -> Method? {
        if self.skip("GET ") { return .get }
        if self.skip("HEAD ") { return .head }
        return self.skip("PUT ") || self.skip("POST ") || self.skip("DELETE ") || self.skip("PATCH ") ? .other : nil
    }

    /// To the end of the request's line; a path of printable ASCII.
    mutating func target() -> Range<Int>? {
        let start = self.at
        guard start < self.end, self.text[start] == UInt8(ascii: "/") else { return nil }
        while self.at < self.end, self.text[self.at] > 0x20, self.text[self.at] < 0x7F { self.at += 1 }
        let target = start..<self.at
        return self.skip(" HTTP/1.1\r\n") ? target : nil
    }

    /// An empty name: the empty line. nil: it is not all there, or not plain. White space after a value is left to the decoder, which keeps it.
    mutating func field() -> (name: Range<Int>, value: Range<Int>)? {
        let start = self.at
        if self.skip("\r\n") { return (start..<start, start..<start) }
        while self.at < self.end, Self.isToken(self.text[self.at]) { self.at += 1 }
        let name = start..<self.at
        guard !name.isEmpty, self.skip(":") else { return nil }
        while self.at < self.end, Self.isBlank(self.text[self.at]) { self.at += 1 }
        let first = self.at
        while self.at < self.end, self.text[self.at] >= 0x20 || self.text[self.at] == 0x09, self.text[self.at] != 0x7F { self.at += 1 }
        let last = self.at
        guard self.skip("\r\n"), last == first || !Self.isBlank(self.text[last - 1]) else { return nil }
        return (name, first..<last)
    }

    /// In decimal, of at most 15 digits.
    func number(_ place: Range<Int>) -> Int? {
        guard (1...15).contains(place.count) else { return nil }
        var number = 0
        for at in place {
            guard self.text[at] >= 0x30, self.text[at] <= 0x39 else { return nil }
            number = number * 10 + Int(self.text[at] - 0x30)
        }
        return number
    }

    func value(_ place: Range<Int>, is known: StaticString) -> Bool { Self.same(UnsafeRawBufferPointer(rebasing: self.text[place]), known) }

    /// - Parameter lowercase: letters and hyphens.
    static func same(_ text: UnsafeRawBufferPointer, _ lowercase: StaticString) -> Bool {
        text.count == lowercase.utf8CodeUnitCount && ReadyRole.begins(text, UnsafeRawBufferPointer(start: lowercase.utf8Start, count: text.count))
    }

    private mutating func skip(_ word: StaticString) -> Bool {
        let count = word.utf8CodeUnitCount
        guard self.end - self.at >= count else { return false }
        for index in 0..<count where self.text[self.at + index] != word.utf8Start[index] { return false }
        self.at += count
        return true
    }

    private static func isBlank(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

    /// RFC 9110, 5.6.2.
    private static func isToken(_ byte: UInt8) -> Bool {
        if byte.isASCIILetterOrDigit || byte == UInt8(ascii: "-") { return true }
        switch byte {
        case UInt8(ascii: "!"), UInt8(ascii: "#"), UInt8(ascii: "$"), UInt8(ascii: "%"), UInt8(ascii: "&"), UInt8(ascii: "'"), UInt8(ascii: "*"),
            UInt8(ascii: "+"), UInt8(ascii: "."), UInt8(ascii: "^"), UInt8(ascii: "_"), UInt8(ascii: "`"), UInt8(ascii: "|"), UInt8(ascii: "~"):
            return true
        default: return false
        }
    }
}
