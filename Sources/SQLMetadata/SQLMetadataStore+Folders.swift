import ArtifactModel
import StorageAPI

extension SQLMetadataStore {
    /// A folder page by a few index seeks for each child, however much is below it.
    ///
    /// Where a file and a folder have one name, both are on one page, which may then have one row more than its limit: `after` could not
    /// tell them apart.
    func folder(_ folder: AssetPath?, in repository: RepositoryID, _ page: PageBounds) async throws(MetadataError) -> ContentPage {
        let prefix = folder.map { "\($0.text)/" } ?? ""
        return try await self.database.read { reader in
            let walk = FolderWalk(reader: reader, repository: repository, prefix: prefix)
            var rows: [ContentRow] = []
            var last = page.after
            // A short page is a page: names full of hyphens, each of which may hide a folder, must not hold a reader for long.
            while rows.count < page.limit, rows.isEmpty || walk.seeks < FolderWalk.mostSeeks {
                let children = try walk.children(after: last)
                guard let name = children.first?.name else { return ContentPage(rows: rows, more: false) }
                rows += children
                last = name
            }
            return ContentPage(rows: rows, more: try !walk.children(after: last).isEmpty)
        }
    }
}

/// Goes through a folder's children in the byte order of their names.
///
/// That is not the order of paths: `-` and `.` come before `/`, so that `a-b` lies between the file `a` and what is below the folder `a`.
/// A name found may thus be preceded by folders named by its own beginnings, which are looked for one by one.
private final class FolderWalk {
    /// About 100 ms.
    static let mostSeeks = 20_000
    private(set) var seeks = 0
    let reader: any SQLReader
    let repository: RepositoryID
    /// Empty, or ends in a slash.
    let prefix: String

    init(reader: any SQLReader, repository: RepositoryID, prefix: String) {
        self.reader = reader
        self.repository = repository
        self.prefix = prefix
    }

    /// What has the next name: a file, a folder, or both; empty at the end.
    func children(after name: String) throws -> [ContentRow] {
        guard var found = try self.seek(after: self.prefix + name) else { return [] }
        // Folders that were named already, whose content comes after the last name as paths: `a/b` after `a-b`. `0` follows the slash.
        while !name.utf8.lexicographicallyPrecedes(found.name.utf8) {
            guard let next = try self.seek(.asset(from: self.prefix + found.name + "0", in: self.repository)) else { return [] }
            found = next
        }
        for beginning in found.beginnings() where name.utf8.lexicographicallyPrecedes(beginning.utf8) {
            if let inside = try self.seek(after: self.prefix + beginning + "/"), inside.isBelow(beginning) { return [inside.folder] }
        }
        guard !found.isFolder else { return [found.folder] }
        guard let inside = try self.seek(after: self.prefix + found.name + "/"), inside.isBelow(found.name) else { return [found.file] }
        return [found.file, inside.folder]
    }

    private func seek(after path: String) throws -> Found? { try self.seek(.asset(after: path, in: self.repository)) }

    private func seek(_ query: SQLStatement) throws -> Found? {
        self.seeks += 1
        let found = try self.reader.first(query) { row in
            Found(
                path: row.text(0), prefixLength: self.prefix.utf8.count, contentType: row.text(1), created: Timestamp(milliseconds: row.integer(2)),
                size: row.integer(3), digest: try row.sha256(4))
        }
        guard let found, found.path.utf8.starts(with: self.prefix.utf8) else { return nil }
        return found
    }

    private struct Found {
        let path: String
        let name: String
        let isFolder: Bool
        let contentType: String
        let created: Timestamp
        let size: Int64
        let digest: ContentDigest

        init(path: String, prefixLength: Int, contentType: String, created: Timestamp, size: Int64, digest: ContentDigest) {
            let rest = path.utf8.dropFirst(prefixLength)
            let name = rest.prefix { $0 != UInt8(ascii: "/") }
            self.path = path
            self.name = String(decoding: name, as: UTF8.self)
            self.isFolder = name.count < rest.count
            self.contentType = contentType
            self.created = created
            self.size = size
            self.digest = digest
        }

        func isBelow(_ folder: String) -> Bool { self.isFolder && self.name.utf8.elementsEqual(folder.utf8) }

        /// The beginnings of the name that a folder may have and yet come after it as a path, shortest first.
        func beginnings() -> [String] {
            let bytes = Array(self.name.utf8)
            return bytes.indices.dropFirst().filter { bytes[$0] < UInt8(ascii: "/") }.map { String(decoding: bytes[..<$0], as: UTF8.self) }
        }

        var folder: ContentRow { ContentRow(name: self.name, updated: self.created) }
        var file: ContentRow {
            ContentRow(name: self.name, contentType: self.contentType, size: self.size, digest: self.digest, updated: self.created)
        }
    }
}
