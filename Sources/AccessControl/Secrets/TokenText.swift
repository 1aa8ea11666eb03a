import ArtifactModel
import struct Crypto.SHA256

/// A token as its owner has it: `entrepot_`, 36 letters and digits that nobody can foresee (214 bits), and six that are a checksum.
///
/// The prefix is for scanners that look for secrets in what people publish. The checksum is the CRC-32 of all that is before it, in base 62 with
/// the most significant digit first, so that they can tell a token from a word, and a mistyped one is refused without a look-up.
/// Its description leaves the text out.
struct TokenText: Hashable, Sendable, CustomStringConvertible {
    static let prefix = "entrepot_"
    private static let secretLength = 36
    private static let checksumLength = 6
    static let length = prefix.utf8.count + secretLength + checksumLength

    let text: String

    init(random: RandomSource) {
        let head = Self.prefix + RandomText.make(Self.secretLength, of: RandomText.all, random)
        self.text = head + Self.checksum(of: head.utf8)
    }

    /// - Returns: nil: it is no token of any server of this kind.
    init?(_ text: String) {
        let bytes = text.utf8
        guard bytes.count == Self.length, bytes.starts(with: Self.prefix.utf8) else { return nil }
        guard bytes.dropFirst(Self.prefix.utf8.count).allSatisfy(\.isASCIILetterOrDigit) else { return nil }
        guard Self.checksum(of: bytes.dropLast(Self.checksumLength)).utf8.elementsEqual(bytes.suffix(Self.checksumLength)) else { return nil }
        self.text = text
    }

    /// What the database knows of it.
    var hash: [UInt8] { Array(SHA256.hash(data: Array(self.text.utf8))) }

    var description: String { Self.prefix + "***" }

    private static func checksum(of head: some Sequence<UInt8>) -> String {
        var rest = Int(Checksum.crc32(head))
        var digits: [UInt8] = []
        for _ in 0..<self.checksumLength {
            digits.append(RandomText.all[rest % 62])
            rest /= 62
        }
        return String(decoding: digits.reversed(), as: UTF8.self)
    }
}
