import FoundationEssentials

/// JSON as we write it: keys in order, so that equal values are equal bytes.
enum JSON {
    static func text(_ value: some Encodable) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        do {
            return String(decoding: try encoder.encode(value), as: UTF8.self)
        } catch {
            // JSONEncoder fails on numbers that are not finite and on `encode(to:)` that throws; our values have neither.
            preconditionFailure("a value of strings and whole numbers is not encodable: \(error)")
        }
    }
}
