import struct Crypto.SHA256

/// The text of a token: `entrepot_`, 36 random characters, and 6 that follow from what is before them.
///
/// A scanner of secrets finds it by its beginning, and knows by its end that it is no accident; a mistyped one is refused without a look-up.
public struct TokenText: Hashable, Sendable {
    public static let prefix = "entrepot_"
    private static let letters = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    private static let randomCount = 36
    private static let checkCount = 6

    public let text: String

    /// Of 214 random bits.
    static func make() -> TokenText {
        var generator = SystemRandomNumberGenerator()
        let random = (0..<Self.randomCount).map { _ in Self.letters[Int.random(in: 0..<Self.letters.count, using: &generator)] }
        let body = Self.prefix + String(decoding: random, as: UTF8.self)
        return TokenText(text: body + Self.check(body))
    }

    /// nil: no token of ours.
    init?(_ text: String) {
        guard text.hasPrefix(Self.prefix), text.utf8.count == Self.prefix.utf8.count + Self.randomCount + Self.checkCount,
            text.utf8.dropFirst(Self.prefix.utf8.count).allSatisfy(Self.letters.contains), text.hasSuffix(Self.check(String(text.dropLast(Self.checkCount))))
        else { return nil }
        self.text = text
    }

    private init(text: String) { self.text = text }

    /// What is kept of it.
    var hash: [UInt8] { Array(SHA256.hash(data: Array(self.text.utf8))) }

    /// CRC-32 (ISO-HDLC) in base 62, most significant digit first.
    private static func check(_ text: String) -> String {
        var sum: UInt32 = 0xFFFF_FFFF
        for byte in text.utf8 {
            sum ^= UInt32(byte)
            for _ in 0..<8 { sum = sum & 1 == 1 ? (sum >> 1) ^ 0xEDB8_8320 : sum >> 1 }
        }
        var rest = ~sum
        var digits: [UInt8] = []
        for _ in 0..<Self.checkCount {
            digits.append(Self.letters[Int(rest % 62)])
            rest /= 62
        }
        return String(decoding: digits.reversed(), as: UTF8.self)
    }
}
