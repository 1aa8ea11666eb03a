public import ArtifactModel
import FoundationEssentials
import HTTPTypes
import NIOCore

/// The page of a folder that is asked for: `?after=&limit=`.
public struct FolderPaging: Hashable, Sendable {
    public static let usual = 1000
    public static let largest = 10_000
    /// Exclusive, byte-wise; need not exist.
    public let after: String?
    public let limit: Int

    /// - Throws: `.invalidRequest`.
    public init(_ head: RequestHead) throws(FormatError) {
        self.after = head.query("after").flatMap { $0.isEmpty ? nil : $0 }
        guard let text = head.query("limit") else {
            self.limit = Self.usual
            return
        }
        guard let limit = Int(text), (1...Self.largest).contains(limit) else {
            throw FormatError(.invalidRequest, "limit is how many entries to list: 1 to \(Self.largest)")
        }
        self.limit = limit
    }
}

extension FolderPaging {
    /// A page of a folder: HTML for those who would rather have it, JSON for all others, scripts with `*/*` among them.
    /// - Parameter folder: nil: the root.
    /// - Throws: `.notFound`.
    public func page(of folder: AssetPath?, _ head: RequestHead, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let page = try await content.list(ContentQuery(.folder(folder), after: self.after, limit: self.limit))
        if page.rows.isEmpty, let folder, self.after == nil { throw FormatError(.notFound, "there is no folder «\(folder)/»") }
        let base = folder.map { "\(head.root)/\(PercentEncoding.path($0.text))/" } ?? head.root + "/"
        let next = page.more ? page.rows.last.map { "\(base)?after=\(PercentEncoding.query($0.name))&limit=\(self.limit)" } : nil
        let listing = FolderListing(repository: content.context.repository, folder: folder, base: base, rows: page.rows, next: next)
        let asHTML = Preference(head.headers).prefers("text/html", to: "application/json")
        let text = try await content.context.compute.run { asHTML ? listing.html : listing.json }
        var response = ArtifactResponse(
            .ok, headers: [.contentType: asHTML ? "text/html; charset=utf-8" : "application/json", .vary: "Accept"], body: .bytes(ByteBuffer(string: text)))
        response.mark(skipped: page.skippedMembers)
        if let next { response.headers[.link] = "<\(next)>; rel=\"next\"" }
        return response
    }
}

/// One page of a folder, as it is shown.
struct FolderListing: Sendable {
    var repository: RepositoryName
    /// nil: the root.
    var folder: AssetPath?
    /// The folder's own address, with its slash.
    var base: String
    var rows: [ContentRow]
    /// The next page's address.
    var next: String?

    private struct Document: Encodable {
        struct Entry: Encodable {
            var name: String
            var type: String
            var size: Int64?
            var contentType: String?
            var sha256: String?
            var modified: String?
        }
        var repository: String
        var path: String
        var entries: [Entry]
        var next: String?
    }

    var json: String {
        let entries = self.rows.map { row in
            guard let digest = row.digest else { return Document.Entry(name: row.name, type: "folder") }
            return Document.Entry(
                name: row.name, type: "file", size: row.size, contentType: row.contentType, sha256: digest.hex, modified: Self.moment(row.updated))
        }
        return JSON.text(Document(repository: self.repository.text, path: self.path, entries: entries, next: self.next)) + "\n"
    }

    /// `/` for the root, `/a/b/` below it.
    var path: String { "/" + (self.folder.map { $0.text + "/" } ?? "") }

    /// As in `2026-11-23T20:15:00Z`.
    static func moment(_ time: Timestamp) -> String { Date(timeIntervalSince1970: Double(time.milliseconds / 1000)).formatted(.iso8601) }
}
