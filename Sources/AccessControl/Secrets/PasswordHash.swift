import Crypto
import CryptoExtras

/// What is kept of a password: `$scrypt$ln=14,r=8,p=5$<salt>$<hash>`, both in Base64 without padding.
///
/// The least cost is 16 MiB and 5 × 2^14 rounds of eight blocks, which is one of the settings that OWASP's cheat sheet holds to be equal, and the
/// one of them with the least memory: two that are computed at the same time (`PasswordHasher`) take 32 MiB, whoever knocks. Of a static user it
/// may be up to about three times as much, at most 128 MiB. Its description leaves the hash out.
public struct PasswordHash: Hashable, Sendable, CustomStringConvertible {
    /// The parameters, with r = 8 always.
    public struct Cost: Hashable, Sendable {
        /// The base-2 logarithm of N: with r = 8, a hash needs 2^`logarithm` KiB.
        public var logarithm: Int
        public var parallelism: Int
        public init(logarithm: Int, parallelism: Int) {
            self.logarithm = logarithm
            self.parallelism = parallelism
        }

        /// What new hashes have, and the least that others may.
        public static let standard = Cost(logarithm: 14, parallelism: 5)
        static let blockSize = 8
        private static let most = 1 << 21
        private static let largest = 17

        /// N × r × p.
        var work: Int { Self.blockSize * self.parallelism << self.logarithm }
        var isTooLow: Bool { self.logarithm < Self.standard.logarithm || self.work < Self.standard.work }
        var isTooHigh: Bool { self.logarithm > Self.largest || self.work > Self.most }
    }

    /// Why a text is no hash that counts; says nothing of the text.
    public struct Unfit: Error, Hashable, Sendable, CustomStringConvertible {
        public let description: String
        static let unreadable = Unfit(description: "it is not of the form $scrypt$ln=14,r=8,p=5$salt$hash")
        static let tooLow = Unfit(description: "its cost is too low to protect a password: at least ln=14,r=8,p=5 is needed")
        static let tooHigh = Unfit(description: "its cost is too high: every sign-in would take seconds and memory; at most ln=17,r=8,p=2 is allowed")
    }

    private static let saltLength = 16
    private static let hashLength = 32

    public let cost: Cost
    private let salt: [UInt8]
    private let hash: [UInt8]

    init(cost: Cost, salt: [UInt8], hash: [UInt8]) {
        self.cost = cost
        self.salt = salt
        self.hash = hash
    }

    public init(_ text: String) throws(Unfit) {
        let parts = text.utf8.split(separator: UInt8(ascii: "$"), omittingEmptySubsequences: false)
        guard text.utf8.count <= 300, parts.count == 5, parts[0].isEmpty, parts[1].elementsEqual("scrypt".utf8), let cost = Self.cost(parts[2]) else {
            throw .unreadable
        }
        guard let salt = Base64.bytes(parts[3], .standard), let hash = Base64.bytes(parts[4], .standard) else { throw .unreadable }
        guard (Self.saltLength...64).contains(salt.count), (Self.hashLength...64).contains(hash.count) else { throw .unreadable }
        if cost.isTooHigh { throw .tooHigh }
        if cost.isTooLow { throw .tooLow }
        self.init(cost: cost, salt: salt, hash: hash)
    }

    public var text: String {
        let cost = "ln=\(self.cost.logarithm),r=\(Cost.blockSize),p=\(self.cost.parallelism)"
        return "$scrypt$\(cost)$\(Base64.text(self.salt, .standard))$\(Base64.text(self.hash, .standard))"
    }

    public var description: String { "$scrypt$***" }

    /// Computes for about a quarter of a second: for a `BlockingPool`.
    /// - Throws: where there is not enough memory.
    public static func make(_ password: String, cost: Cost = .standard, random: RandomSource) throws -> PasswordHash {
        let salt = random(Self.saltLength)
        return PasswordHash(cost: cost, salt: salt, hash: try Self.derive(password, cost, salt, Self.hashLength))
    }

    /// Computes as long as `make`; compares in constant time.
    /// - Parameter password: not empty.
    func matches(_ password: String) throws -> Bool {
        SymmetricKey(data: try Self.derive(password, self.cost, self.salt, self.hash.count)) == SymmetricKey(data: self.hash)
    }

    private static func derive(_ password: String, _ cost: Cost, _ salt: [UInt8], _ count: Int) throws -> [UInt8] {
        // The library takes the address of the first byte.
        precondition(!password.isEmpty && !salt.isEmpty, "an empty password is refused before it is hashed")
        let key = try KDF.Scrypt.deriveKey(
            from: Array(password.utf8), salt: salt, outputByteCount: count, rounds: 1 << cost.logarithm, blockSize: Cost.blockSize,
            parallelism: cost.parallelism)
        return key.withUnsafeBytes { Array($0) }
    }

    /// `ln=14,r=8,p=5`, in this order.
    private static func cost(_ text: Substring.UTF8View.SubSequence) -> Cost? {
        let parts = text.split(separator: UInt8(ascii: ","), omittingEmptySubsequences: false)
        guard parts.count == 3, let logarithm = Self.number(parts[0], "ln="), let size = Self.number(parts[1], "r="), size == Cost.blockSize else {
            return nil
        }
        guard let parallelism = Self.number(parts[2], "p=") else { return nil }
        return Cost(logarithm: logarithm, parallelism: parallelism)
    }

    /// From 1 to 99, as a person would write it.
    private static func number(_ text: Substring.UTF8View.SubSequence, _ name: String) -> Int? {
        guard text.starts(with: name.utf8) else { return nil }
        let digits = text.dropFirst(name.utf8.count)
        guard (1...2).contains(digits.count), digits.allSatisfy({ (0x30...0x39).contains($0) }), digits.first != 0x30 else { return nil }
        return Int(String(decoding: digits, as: UTF8.self))
    }
}
