import StorageAPI

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// Texts in their order as the JSON array that the database keeps.
enum TextList {
    static func text(_ list: [String]) throws(MetadataError) -> String {
        if list.isEmpty { return "[]" }
        do {
            return String(decoding: try JSONEncoder().encode(list), as: UTF8.self)
        } catch {
            throw MetadataError(.io, "a list of texts cannot be written as JSON", cause: error)
        }
    }

    static func list(_ text: String) throws(MetadataError) -> [String] {
        if text == "[]" { return [] }
        do {
            return try JSONDecoder().decode([String].self, from: Data(text.utf8))
        } catch {
            throw MetadataError(.corrupt, "a row's list is not a JSON array of texts", cause: error)
        }
    }
}
