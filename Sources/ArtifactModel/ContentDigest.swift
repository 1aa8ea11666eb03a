/// What bytes hash to. As text `algorithm:hex`, in lower case, as in OCI image-spec «Digests».
public struct ContentDigest: Hashable, Sendable, CustomStringConvertible {
    public enum Algorithm: String, Hashable, Sendable, CaseIterable {
        case sha256, sha512, sha1, md5

        /// Length of the hash in bytes.
        public var length: Int {
            switch self {
            case .sha256: 32
            case .sha512: 64
            case .sha1: 20
            case .md5: 16
            }
        }
    }

    public let algorithm: Algorithm
    public let bytes: [UInt8]

    /// nil where `bytes` is not as long as the algorithm makes it.
    public init?(_ algorithm: Algorithm, _ bytes: some Sequence<UInt8>) {
        let bytes = Array(bytes)
        guard bytes.count == algorithm.length else { return nil }
        self.algorithm = algorithm
        self.bytes = bytes
    }

    /// Reads `sha256:9f86…`. Upper-case hex is refused: OCI gives one spelling to a digest, and it is a key here.
    ///
    /// On the way of every pull, so it reads bytes and not characters.
    public init(_ text: String) throws(InvalidName) {
        guard let colon = text.utf8.firstIndex(of: UInt8(ascii: ":")), let algorithm = Algorithm(rawValue: String(text[..<colon])),
            let bytes = Self.bytes(hex: text.utf8[text.utf8.index(after: colon)...], count: algorithm.length)
        else {
            throw InvalidName(kind: "digest", text: text, rule: "algorithm:hex, such as sha256: and 64 digits 0-9a-f")
        }
        self.algorithm = algorithm
        self.bytes = bytes
    }

    public var hex: String { Self.hex(self.bytes) }
    public var description: String { "\(self.algorithm.rawValue):\(self.hex)" }

    /// Lower-case hex digits, two for each byte.
    public static func hex(_ bytes: some Collection<UInt8>) -> String {
        String(unsafeUninitializedCapacity: bytes.count * 2) { out in
            var at = 0
            for byte in bytes {
                out[at] = Self.digit(byte >> 4)
                out[at + 1] = Self.digit(byte & 15)
                at += 2
            }
            return at
        }
    }

    private static func digit(_ value: UInt8) -> UInt8 { value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10 }

    private static func bytes(hex: Substring.UTF8View, count: Int) -> [UInt8]? {
        guard hex.count == count * 2 else { return nil }
        var out: [UInt8] = []
        out.reserveCapacity(count)
        var high: UInt8?
        for character in hex {
            guard let value = Self.value(of: character) else { return nil }
            if let first = high {
                out.append(first << 4 | value)
                high = nil
            } else {
                high = value
            }
        }
        return out
    }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}

extension Sequence where Element == ContentDigest {
    /// The digest of this algorithm, where it is among them.
    public func first(_ algorithm: ContentDigest.Algorithm) -> ContentDigest? { self.first { $0.algorithm == algorithm } }
}
