import FoundationEssentials

/// JSON as this server writes it: keys in order, so that equal values are equal bytes.
public enum JSON {
    /// - Parameter value: of strings and whole numbers, in whatever they are put together of. Ends the process for what cannot be written: numbers that are not finite,
    ///   and an `encode(to:)` that throws.
    public static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            preconditionFailure("a value of strings and whole numbers is not encodable: \(error)")
        }
    }
}
