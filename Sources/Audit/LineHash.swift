import struct Crypto.SHA256

/// SHA-256 of a line, without its newline. A value of four words, so that a chain costs no memory for each line.
struct LineHash: Hashable, Sendable {
    /// Before the first line of all.
    static let none = LineHash()

    private var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)

    private init() {}

    init(of line: UnsafeRawBufferPointer) {
        var hash = SHA256()
        hash.update(bufferPointer: line)
        hash.finalize().withUnsafeBytes { digest in withUnsafeMutableBytes(of: &self.words) { $0.copyMemory(from: digest) } }
    }

    /// From 64 hex digits, in lower case.
    init?(hex: UnsafeRawBufferPointer) {
        guard hex.count == 64 else { return nil }
        let isRight = withUnsafeMutableBytes(of: &self.words) { own in
            for index in 0..<32 {
                guard let high = Self.value(hex[2 * index]), let low = Self.value(hex[2 * index + 1]) else { return false }
                own[index] = high << 4 | low
            }
            return true
        }
        if !isRight { return nil }
    }

    func append(to bytes: inout [UInt8]) {
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 64) { digits in
            withUnsafeBytes(of: self.words) { own in
                for index in 0..<32 {
                    digits[2 * index] = Self.digit(own[index] >> 4)
                    digits[2 * index + 1] = Self.digit(own[index] & 15)
                }
            }
            bytes.append(contentsOf: UnsafeBufferPointer(digits))
        }
    }

    static func == (a: Self, b: Self) -> Bool { a.words == b.words }
    func hash(into hasher: inout Hasher) { withUnsafeBytes(of: self.words) { hasher.combine(bytes: $0) } }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10 }

    private static func value(_ digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

/// How far a chain goes: the number of its last line, and that line's hash.
struct ChainEnd: Hashable, Sendable {
    static let start = ChainEnd(seq: 0, hash: .none)
    /// Of a number: no trail gets so far, and what is reckoned with such numbers never overflows, whoever wrote them.
    static let mostDigits = 15

    /// nil for what is no number of a line.
    static func seq(of text: some StringProtocol) -> Int64? {
        guard text.utf8.count <= Self.mostDigits, let seq = Int64(text), seq > 0 else { return nil }
        return seq
    }

    var seq: Int64
    var hash: LineHash

    /// `17 9f86…`, as the metadata remembers it.
    var text: String {
        var bytes = Array("\(self.seq) ".utf8)
        self.hash.append(to: &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    init(seq: Int64, hash: LineHash) {
        self.seq = seq
        self.hash = hash
    }

    /// nil for what `text` does not make.
    init?(_ text: String) {
        let parts = text.split(separator: " ")
        guard parts.count == 2, let seq = Self.seq(of: parts[0]), let hash = Array(parts[1].utf8).withUnsafeBytes(LineHash.init(hex:)) else { return nil }
        self.init(seq: seq, hash: hash)
    }
}
