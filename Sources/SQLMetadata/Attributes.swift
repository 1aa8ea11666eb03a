import StorageAPI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// An asset's attributes as the JSON object that the database keeps. Keys are sorted, so that equal attributes are equal text.
enum Attributes {
    static func text(_ dictionary: [String: String]) throws(MetadataError) -> String {
        if dictionary.isEmpty { return "{}" }
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        do {
            return String(decoding: try encoder.encode(dictionary), as: UTF8.self)
        } catch {
            throw MetadataError(.io, "attributes cannot be written as JSON", cause: error)
        }
    }

    static func dictionary(_ text: String) throws(MetadataError) -> [String: String] {
        if text == "{}" { return [:] }
        do {
            return try JSONDecoder().decode([String: String].self, from: Data(text.utf8))
        } catch {
            throw MetadataError(.corrupt, "an asset's attributes are not a JSON object of texts", cause: error)
        }
    }
}
