import ArtifactModel
import StorageAPI

/// Goes through the blobs in the order of their digests, folder by folder, and opens no folder behind the page.
struct BlobWalk {
    let blobs: String
    /// Hex digits, exclusive; empty for the beginning.
    let after: String
    let limit: Int
    private var found: [(digest: ContentDigest, size: Int64)] = []

    init(blobs: String, after: String, limit: Int) {
        self.blobs = blobs
        self.after = after
        self.limit = limit
    }

    mutating func run() throws(BlobStoreError) -> [(digest: ContentDigest, size: Int64)] {
        for outer in try FileSystem.names(in: self.blobs) where outer >= self.after.prefix(2) {
            for inner in try FileSystem.names(in: "\(self.blobs)/\(outer)") where outer + inner >= self.after.prefix(4) {
                try self.collect(in: "\(self.blobs)/\(outer)/\(inner)")
                if self.found.count >= self.limit { return self.found }
            }
        }
        return self.found
    }

    private mutating func collect(in folder: String) throws(BlobStoreError) {
        for name in try FileSystem.names(in: folder) where name > self.after && self.found.count < self.limit {
            // Not ours, or deleted while we looked.
            guard let digest = Self.digest(name), let entry = try FileSystem.entry("\(folder)/\(name)") else { continue }
            self.found.append((digest, entry.size))
        }
    }

    /// nil where it is no blob's name.
    static func digest(_ name: String) -> ContentDigest? {
        do { return try ContentDigest("sha256:\(name)") } catch { return nil }
    }
}
