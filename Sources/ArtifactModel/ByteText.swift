/// Text as a key: equal where the bytes are, as the metadata's indexes have it. Swift's String finds `é` and `e` with an accent equal, and a
/// cache keyed by that would give one file's bytes for another's.
public enum ByteText {
    public static func equal(_ a: String, _ b: String) -> Bool { a.utf8.count == b.utf8.count && a.utf8.elementsEqual(b.utf8) }

    public static func precedes(_ a: String, _ b: String) -> Bool { a.utf8.lexicographicallyPrecedes(b.utf8) }

    public static func hash(_ text: String, into hasher: inout Hasher) {
        var text = text
        text.withUTF8 { hasher.combine(bytes: UnsafeRawBufferPointer($0)) }
        // Or ("a", "bc") and ("ab", "c") would always collide.
        hasher.combine(0xFF as UInt8)
    }
}
