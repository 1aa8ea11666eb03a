import ArtifactModel

/// Text in addresses.
public enum PercentEncoding {
    /// Keeps slashes; everything else that is not an unreserved character of RFC 3986 becomes `%XX`.
    public static func path(_ text: String) -> String { self.encoded(text, keepingSlash: true) }
    public static func query(_ text: String) -> String { self.encoded(text, keepingSlash: false) }

    private static func encoded(_ text: String, keepingSlash: Bool) -> String {
        var out = ""
        for byte in text.utf8 {
            switch byte {
            case _ where byte.isASCIILetterOrDigit, UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"):
                out.unicodeScalars.append(Unicode.Scalar(byte))
            case UInt8(ascii: "/") where keepingSlash: out += "/"
            default: out += "%" + ContentDigest.hex([byte]).uppercased()
            }
        }
        return out
    }
}
