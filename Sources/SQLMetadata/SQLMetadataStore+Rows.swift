public import ArtifactModel
public import StorageAPI

extension SQLMetadataStore {
    public func rows(_ query: ContentQuery, in repository: RepositoryID) async throws(MetadataError) -> ContentPage {
        let page = PageBounds(after: query.after ?? "", limit: min(max(query.limit, 1), 10_000))
        switch query.subject {
        case .packages: return try await self.page(page, .packages(in: repository, page), PackageRow.decode)
        case .package(let name):
            let rows = try await self.database.read(.package(name, in: repository), limit: 1, PackageRow.decode)
            return ContentPage(rows: rows.filter { page.after.utf8.lexicographicallyPrecedes($0.name.utf8) }, more: false)
        case .components(let package): return try await self.page(page, .components(of: package, in: repository, page), ComponentRow.decode)
        case .pointers(let package, let kind): return try await self.page(page, .pointers(of: package, kind, in: repository, page), PointerRow.decode)
        case .edges(let target, let package, let kind, let artifactType):
            let edges = EdgeQuery(target: target, package: package, kind: kind, artifactType: artifactType)
            return try await self.page(page, .referrers(edges, in: repository, page), ReferrerRow.decode)
        case .folder(let folder): return try await self.folder(folder, in: repository, page)
        }
    }

    /// Asks for one row more than the page has, to know whether more follow.
    private func page(
        _ bounds: PageBounds, _ query: SQLStatement, _ decode: @escaping @Sendable (borrowing SQLRow) throws -> ContentRow
    ) async throws(MetadataError) -> ContentPage {
        let rows = try await self.database.read(query, limit: bounds.limit + 1, decode)
        return ContentPage(rows: Array(rows.prefix(bounds.limit)), more: rows.count > bounds.limit)
    }
}

/// `after` is exclusive, '' for the beginning.
struct PageBounds {
    var after: String
    var limit: Int
    /// The page's, and one row to see whether more follow.
    var values: [SQLValue] { [.text(self.after), .integer(Int64(self.limit + 1))] }
}

struct EdgeQuery {
    var target: ContentDigest
    var package: PackageName
    var kind: String
    var artifactType: String?
}

private enum PackageRow {
    @Sendable static func decode(_ row: borrowing SQLRow) -> ContentRow {
        ContentRow(name: row.text(0), attributes: row.text(1), updated: Timestamp(milliseconds: row.integer(2)))
    }
}

private enum PointerRow {
    @Sendable static func decode(_ row: borrowing SQLRow) -> ContentRow {
        ContentRow(name: row.text(0), target: row.text(1), updated: Timestamp(milliseconds: row.integer(2)))
    }
}

private enum ComponentRow {
    @Sendable static func decode(_ row: borrowing SQLRow) throws -> ContentRow {
        ContentRow(
            name: row.text(0), attributes: row.text(1), contentType: row.text(3), size: row.integer(4),
            digest: row.isNull(5) ? nil : try row.sha256(5), updated: Timestamp(milliseconds: row.integer(2)))
    }
}

private enum ReferrerRow {
    @Sendable static func decode(_ row: borrowing SQLRow) throws -> ContentRow {
        var out = try ComponentRow.decode(row)
        out.artifactType = row.text(6)
        return out
    }
}
