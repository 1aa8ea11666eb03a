import NIOCore

/// Reads a tar archive as it comes: headers and contents, a piece at a time. POSIX.1-2017, `pax`, «ustar Interchange Format», with its extended headers and
/// GNU's long names.
struct TarReader: Sendable {
    enum Kind: Hashable, Sendable { case file, folder, link, other }

    struct Entry: Hashable, Sendable {
        var path: String
        var kind: Kind
        /// In bytes.
        var size: Int64
    }

    enum Event: Sendable {
        case entry(Entry)
        /// Of the entry before it.
        case content(ByteBuffer)
        case end
    }

    struct Flaw: Error, Hashable, Sendable { let message: String }

    private static let block = 512
    /// Of a name in a header of its own, in bytes; and of all of them.
    private static let longestName = 16 << 10
    private static let mostNames: Int64 = 4 << 20

    private var buffer = ByteBuffer()
    /// Of the present entry: bytes to come, and what fills its last block.
    private var left: Int64 = 0
    private var padding: Int64 = 0
    /// The name that a header before the entry's own gives; its bytes as they come.
    private var longName: [UInt8]?
    private var isPax = false
    private var nextPath: String?
    private(set) var isOver = false
    /// Whether all of the entries that began has come. Writers may leave the archive's end out.
    var isBetween: Bool { self.left == 0 && self.longName == nil }

    mutating func feed(_ bytes: ByteBuffer) {
        if self.buffer.readableBytes == 0 {
            self.buffer = bytes
        } else {
            self.buffer.writeImmutableBuffer(bytes)
            self.buffer.discardReadBytes()
        }
    }

    /// nil: it needs more.
    mutating func next() throws(Flaw) -> Event? {
        while !self.isOver {
            if self.left > 0 {
                guard let piece = self.buffer.readSlice(length: Int(min(self.left, Int64(self.buffer.readableBytes)))), piece.readableBytes > 0 else {
                    return nil
                }
                self.left -= Int64(piece.readableBytes)
                guard self.longName != nil else { return .content(piece) }
                self.longName?.append(contentsOf: piece.readableBytesView)
                continue
            }
            if self.padding > 0 {
                let count = min(self.padding, Int64(self.buffer.readableBytes))
                guard count > 0 else { return nil }
                self.buffer.moveReaderIndex(forwardBy: Int(count))
                self.padding -= count
                continue
            }
            if let name = self.longName { try self.take(name) }
            guard let header = self.buffer.readSlice(length: Self.block) else { return nil }
            if let event = try self.header(Array(header.readableBytesView)) { return event }
        }
        return nil
    }

    /// nil: a header that belongs to the next.
    private mutating func header(_ block: [UInt8]) throws(Flaw) -> Event? {
        guard block.contains(where: { $0 != 0 }) else {
            self.isOver = true
            return .end
        }
        guard Self.hasRightSum(block) else { throw Flaw(message: "it is no tar archive, or damaged") }
        guard let size = Self.number(block[124..<136]) else { throw Flaw(message: "an entry has no size that can be read") }
        self.left = size
        self.padding = (Int64(Self.block) - size % Int64(Self.block)) % Int64(Self.block)
        switch block[156] {
        case UInt8(ascii: "x"), UInt8(ascii: "L"):
            try self.expect(name: size)
            self.isPax = block[156] == UInt8(ascii: "x")
            return nil
        case UInt8(ascii: "g"), UInt8(ascii: "K"):
            try self.expect(name: size)
            self.isPax = false
            // What it says of all that follow, or of where a link leads, is of no use here.
            self.isIgnored = true
            return nil
        default: break
        }
        defer { self.nextPath = nil }
        let path = self.nextPath ?? Self.path(block)
        return .entry(Entry(path: path, kind: Self.kind(block[156], path), size: size))
    }

    private var isIgnored = false
    private var names: Int64 = 0

    private mutating func expect(name size: Int64) throws(Flaw) {
        self.names += size
        guard size <= Self.longestName, self.names <= Self.mostNames else { throw Flaw(message: "its names are too long") }
        self.longName = []
    }

    private mutating func take(_ name: [UInt8]) throws(Flaw) {
        defer { (self.longName, self.isIgnored) = (nil, false) }
        if self.isIgnored { return }
        let text = self.isPax ? Self.paxPath(name) : String(validating: name.prefix { $0 != 0 }, as: UTF8.self)
        if let text { self.nextPath = text } else if !self.isPax { throw Flaw(message: "a name is not UTF-8") }
    }

    private static func kind(_ flag: UInt8, _ path: String) -> Kind {
        switch flag {
        case 0, UInt8(ascii: "0"), UInt8(ascii: "7"): path.hasSuffix("/") ? .folder : .file
        case UInt8(ascii: "5"): .folder
        case UInt8(ascii: "1"), UInt8(ascii: "2"): .link
        default: .other
        }
    }

    private static func path(_ block: [UInt8]) -> String {
        let name = String(decoding: block[0..<100].prefix { $0 != 0 }, as: UTF8.self)
        guard block[257..<262].elementsEqual("ustar".utf8), block[262] == 0 else { return name }
        let prefix = String(decoding: block[345..<500].prefix { $0 != 0 }, as: UTF8.self)
        return prefix.isEmpty ? name : prefix + "/" + name
    }

    /// Records are `length key=value\n`.
    private static func paxPath(_ bytes: [UInt8]) -> String? {
        var rest = bytes[...]
        var path: String?
        while let space = rest.firstIndex(of: UInt8(ascii: " ")), let length = Int(String(decoding: rest[rest.startIndex..<space], as: UTF8.self)),
            length > space - rest.startIndex + 1, length <= rest.count
        {
            let record = rest[(space + 1)..<(rest.startIndex + length)]
            if record.starts(with: "path=".utf8) { path = String(validating: record.dropFirst(5).dropLast(), as: UTF8.self) }
            rest = rest.dropFirst(length)
        }
        return path
    }

    /// In octal, or binary where its highest bit says so.
    private static func number(_ field: ArraySlice<UInt8>) -> Int64? {
        if let first = field.first, first & 0x80 != 0 {
            guard first == 0x80, field.dropFirst().dropLast(8).allSatisfy({ $0 == 0 }) else { return nil }
            let value = field.suffix(8).reduce(UInt64(0)) { $0 << 8 | UInt64($1) }
            return Int64(exactly: value)
        }
        var value: Int64 = 0
        for byte in field.drop(while: { $0 == 0x20 }).prefix(while: { $0 != 0 && $0 != 0x20 }) {
            guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(byte), value < 1 << 60 else { return nil }
            value = value << 3 | Int64(byte - UInt8(ascii: "0"))
        }
        return value
    }

    private static func hasRightSum(_ block: [UInt8]) -> Bool {
        guard let stated = Self.number(block[148..<156]) else { return false }
        let sum = block.enumerated().reduce(Int64(0)) { $0 + ((148..<156).contains($1.offset) ? 0x20 : Int64($1.element)) }
        return sum == stated
    }
}
