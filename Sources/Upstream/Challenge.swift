/// One challenge of `WWW-Authenticate`. RFC 9110, 11.6.1.
struct Challenge: Hashable, Sendable {
    /// In lower case.
    var scheme: String
    /// Names in lower case.
    var parameters: [String: String]

    /// All challenges of the header's fields, in their order. What cannot be read is passed over.
    static func parse(_ fields: [String]) -> [Challenge] { fields.flatMap { Self.parse($0) } }

    private static func parse(_ field: String) -> [Challenge] {
        var scanner = Scanner(rest: Array(field.utf8)[...])
        var out: [Challenge] = []
        while !scanner.rest.isEmpty {
            scanner.skip { $0 == Scanner.comma || Scanner.isSpace($0) }
            guard let name = scanner.token() else {
                // No token can begin here: on to the next element.
                scanner.skip { $0 != Scanner.comma }
                continue
            }
            scanner.skip(Scanner.isSpace)
            // `name =` is a parameter, but of `name ==`, which cannot be: a scheme is followed by a space.
            if scanner.take(Scanner.equals) {
                scanner.skip(Scanner.isSpace)
                let value = scanner.value()
                if let last = out.indices.last, let value, out[last].parameters[name.lowercased()] == nil { out[last].parameters[name.lowercased()] = value }
            } else {
                out.append(Challenge(scheme: name.lowercased(), parameters: [:]))
            }
        }
        return out
    }

    private struct Scanner {
        static let comma = UInt8(ascii: ","), equals = UInt8(ascii: "="), quote = UInt8(ascii: "\""), backslash = UInt8(ascii: "\\")
        var rest: ArraySlice<UInt8>

        static func isSpace(_ byte: UInt8) -> Bool { byte == 0x20 || byte == 0x09 }

        mutating func skip(_ condition: (UInt8) -> Bool) { self.rest = self.rest.drop(while: condition) }

        mutating func take(_ byte: UInt8) -> Bool {
            guard self.rest.first == byte else { return false }
            self.rest = self.rest.dropFirst()
            return true
        }

        mutating func token() -> String? {
            let token = self.rest.prefix { $0 > 0x20 && $0 < 0x7F && !#"()<>@,;:\"/[]?={}"#.utf8.contains($0) }
            self.rest = self.rest[token.endIndex...]
            return token.isEmpty ? nil : String(decoding: token, as: UTF8.self)
        }

        /// A token, which here may have the signs of a URL in it, or a quoted string.
        mutating func value() -> String? {
            guard self.take(Self.quote) else {
                let value = self.rest.prefix { $0 != Self.comma && !Self.isSpace($0) }
                self.rest = self.rest[value.endIndex...]
                return String(decoding: value, as: UTF8.self)
            }
            var text: [UInt8] = []
            while let byte = self.rest.popFirst() {
                if byte == Self.quote { return String(decoding: text, as: UTF8.self) }
                if byte == Self.backslash, let next = self.rest.popFirst() { text.append(next) } else { text.append(byte) }
            }
            return nil
        }
    }
}
