#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Text as a key: equal where the bytes are, as the metadata's indexes have it. Swift's String finds `é` and `e` with an accent equal, and a
/// cache keyed by that would give one file's bytes for another's.
public enum ByteText {
    public static func equal(_ a: String, _ b: String) -> Bool {
        guard a.utf8.count == b.utf8.count else { return false }
        return self.order(a, b).map { $0 == 0 } ?? a.utf8.elementsEqual(b.utf8)
    }

    public static func precedes(_ a: String, _ b: String) -> Bool { self.order(a, b).map { $0 < 0 } ?? a.utf8.lexicographicallyPrecedes(b.utf8) }

    /// By `memcmp`, which documents of thousands of entries are sorted with; nil: one of them does not lie in one piece.
    private static func order(_ a: String, _ b: String) -> Int? {
        let order = a.utf8.withContiguousStorageIfAvailable { a in
            b.utf8.withContiguousStorageIfAvailable { b in
                guard let first = a.baseAddress, let second = b.baseAddress else { return a.count - b.count }
                let order = memcmp(first, second, min(a.count, b.count))
                return order == 0 ? a.count - b.count : Int(order)
            }
        }
        return order ?? nil
    }

    /// Whether the bytes of `part`, which are not none, are somewhere in the text.
    public static func contains(_ text: String, _ part: StaticString) -> Bool {
        var text = text
        return text.withUTF8 { text in
            part.withUTF8Buffer { part in
                guard let first = text.baseAddress, let wanted = part.baseAddress, text.count >= part.count else { return false }
                return (0...text.count - part.count).contains { text[$0] == part[0] && memcmp(first + $0, wanted, part.count) == 0 }
            }
        }
    }

    public static func hash(_ text: String, into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // Or ("a", "bc") and ("ab", "c") would always collide.
        hasher.combine(0xFF as UInt8)
    }
}
