/// Bytes that nobody can foresee, so many of them. A dependency, so that tests know what comes.
public typealias RandomSource = @Sendable (Int) -> [UInt8]

extension SystemRandomNumberGenerator {
    /// The system's own generator.
    public static func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }
}

/// Characters that nobody can foresee.
enum RandomText {
    /// Every letter and digit, for what is copied by machines: 5.95 bits each.
    static let all = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)
    /// Without those that look like others, for what a person may have to type: 5.83 bits each.
    static let distinct = Array("23456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz".utf8)

    /// Each character is as likely as any other: bytes beyond the last whole multiple of the alphabet are passed over.
    static func make(_ count: Int, of alphabet: [UInt8], _ random: RandomSource) -> String {
        let bound = 256 / alphabet.count * alphabet.count
        var text: [UInt8] = []
        while text.count < count {
            for byte in random(count) where Int(byte) < bound && text.count < count { text.append(alphabet[Int(byte) % alphabet.count]) }
        }
        return String(decoding: text, as: UTF8.self)
    }
}
