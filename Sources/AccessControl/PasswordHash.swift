import Crypto
import CryptoExtras

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A password as it is kept: scrypt's parameters, salt and key, as text `$scrypt$ln=14,r=8,p=5$<salt>$<key>` (Base64 without padding). RFC 7914.
///
/// A new one costs 16 MiB and about a quarter of a second: one of OWASP's equal choices, and that with the least memory that two at once may take.
public struct PasswordHash: Hashable, Sendable, CustomStringConvertible {
    /// What is refused of a hash that somebody wrote into a file: cheaper than this is cheap to guess, dearer would eat the machine.
    static let costs = (log: 14...18, blocks: 8...16, lanes: 1...10)
    static let least = "$scrypt$ln=14,r=8,p=5$… (make one with «entrepot user hash»)"

    let log: Int
    let blocks: Int
    let lanes: Int
    let salt: [UInt8]
    let key: [UInt8]

    /// nil: no hash of ours, or of a cost that is not taken: N·r·p of at least 2^14·8·5.
    public init?(_ text: String) {
        let parts = text.split(separator: "$", omittingEmptySubsequences: false)
        guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt", let cost = Self.cost(parts[2]), let salt = Base64.bytes(parts[3]),
            let key = Base64.bytes(parts[4]), (16...64).contains(salt.count), (32...64).contains(key.count)
        else { return nil }
        self.init(cost, salt: salt, key: key)
        guard (1 << self.log) * self.blocks * self.lanes >= (1 << 14) * 8 * 5, self.memory <= 256 << 20 else { return nil }
    }

    private init(_ cost: (log: Int, blocks: Int, lanes: Int), salt: [UInt8], key: [UInt8]) {
        (self.log, self.blocks, self.lanes) = cost
        self.salt = salt
        self.key = key
    }

    /// Hashes a new password: computes for a quarter of a second.
    /// - Throws: what the library says; where there is no memory.
    public init(hashing password: String) throws {
        let salt = Randomness.bytes(16)
        let cost = (log: 14, blocks: 8, lanes: 5)
        self.init(cost, salt: salt, key: try Self.derive(password, salt, cost, length: 32))
    }

    /// As long as the hash costs. In constant time once it is computed.
    public func matches(_ password: String) throws -> Bool {
        let derived = try Self.derive(password, self.salt, (self.log, self.blocks, self.lanes), length: self.key.count)
        return Randomness.equal(derived, self.key)
    }

    /// Of nobody: computed where there is no such user, so that it takes as long.
    static let nobodys = PasswordHash((14, 8, 5), salt: [UInt8](repeating: 0, count: 16), key: [UInt8](repeating: 0, count: 32))

    public var description: String { "$scrypt$ln=\(self.log),r=\(self.blocks),p=\(self.lanes)$\(Base64.text(self.salt))$\(Base64.text(self.key))" }

    /// In bytes.
    private var memory: Int { 128 * (1 << self.log) * self.blocks }

    private static func cost(_ text: Substring) -> (log: Int, blocks: Int, lanes: Int)? {
        let sides = text.split(separator: ",", omittingEmptySubsequences: false)
        guard sides.count == 3, let log = Self.number("ln=", sides[0]), let blocks = Self.number("r=", sides[1]), let lanes = Self.number("p=", sides[2]),
            Self.costs.log.contains(log), Self.costs.blocks.contains(blocks), Self.costs.lanes.contains(lanes)
        else { return nil }
        return (log, blocks, lanes)
    }

    private static func number(_ name: String, _ text: Substring) -> Int? { text.hasPrefix(name) ? Int(text.dropFirst(name.count)) : nil }

    private static func derive(_ password: String, _ salt: [UInt8], _ cost: (log: Int, blocks: Int, lanes: Int), length: Int) throws -> [UInt8] {
        let key = try KDF.Scrypt.deriveKey(
            from: Array(password.utf8), salt: salt, outputByteCount: length, rounds: 1 << cost.log, blockSize: cost.blocks, parallelism: cost.lanes,
            maxMemory: 512 << 20)
        return key.withUnsafeBytes { Array($0) }
    }
}

/// What a new password must be.
public enum PasswordRule {
    public static let text = "8 to 256 bytes, without control characters"
    public static func allows(_ password: String) -> Bool {
        (8...256).contains(password.utf8.count) && password.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    }
}

enum Base64 {
    static func text(_ bytes: [UInt8]) -> String { String(Data(bytes).base64EncodedString().prefix { $0 != "=" }) }

    /// Without padding, and in its one spelling.
    static func bytes(_ text: Substring) -> [UInt8]? {
        guard let data = Data(base64Encoded: text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)), Self.text(Array(data)) == text else { return nil }
        return Array(data)
    }

    /// RFC 4648, 5.
    static func urlText(_ bytes: some Sequence<UInt8>) -> String {
        Self.text(Array(bytes)).replacing("+", with: "-").replacing("/", with: "_")
    }

    static func urlBytes(_ text: Substring) -> [UInt8]? {
        guard !text.utf8.contains(where: { $0 == UInt8(ascii: "+") || $0 == UInt8(ascii: "/") }) else { return nil }
        return Self.bytes(text.replacing("-", with: "+").replacing("_", with: "/")[...])
    }
}

enum Randomness {
    /// Of the system's generator, which is fit for secrets.
    static func bytes(_ count: Int) -> [UInt8] {
        var generator = SystemRandomNumberGenerator()
        return (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &generator) }
    }

    /// In time that depends on the lengths alone.
    static func equal(_ a: [UInt8], _ b: [UInt8]) -> Bool {
        guard a.count == b.count else { return false }
        return zip(a, b).reduce(0 as UInt8) { $0 | ($1.0 ^ $1.1) } == 0
    }
}
