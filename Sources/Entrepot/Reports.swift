import Foundation

/// What commands and the control socket say, as JSON for scripts; a command prints it for people.
struct StatusReport: Codable, Sendable {
    struct Store: Codable, Sendable {
        var name: String
        var blobs: Int64
        /// In bytes.
        var bytes: Int64
    }
    /// A proxy with `cache.maxSize`.
    struct Cache: Codable, Sendable {
        var repository: String
        /// Kept, in bytes; at most, as what has come since it was counted may count twice.
        var bytes: Int64
        /// In bytes.
        var maxSize: Int64
    }
    var version: String
    /// nil: no server runs.
    var pid: Int32?
    var uptimeSeconds: Int64?
    var listening: [String]
    var repositories: Int
    var stores: [Store]
    var caches: [Cache]
}

struct RepositoryReport: Codable, Sendable {
    var name: String
    var format: String
    var type: String
    var blobStore: String
    var configuration: String
}

struct CollectionReport: Codable, Sendable {
    var blobs: Int
    /// In bytes.
    var bytes: Int64
    /// Links to bytes that nothing used, such as layers that no manifest names.
    var unusedParts: Int
}

enum ReportText {
    /// `12.3 MiB`.
    static func size(_ bytes: Int64) -> String {
        var value = Double(bytes)
        for unit in ["B", "KiB", "MiB", "GiB"] {
            if value < 1024 { return unit == "B" ? "\(bytes) B" : String(format: "%.1f %@", value, unit) }
            value /= 1024
        }
        return String(format: "%.1f TiB", value)
    }

    static func json(_ report: some Encodable) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(report)
    }
}
