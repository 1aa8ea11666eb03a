import ArtifactModel
import FormatAPI
import NIOCore

/// A page of an image's tags.
struct TagPage: Sendable {
    var names: [String]
    /// What `n` is in the request for the next page; nil: nothing.
    var count: Int?
    /// What `last` is there; nil: there is no next page.
    var next: String?
    /// The repository, where its upstream's list was wanted and what is kept is all there is.
    var skippedMembers: [RepositoryName] = []

    /// nil: the repository has no such image.
    init?(of image: ImageName, _ paging: Paging, in content: any RepositoryContent) async throws {
        do {
            if let page = try await Self.forwarded(image, paging, content) {
                self = page
                return
            }
        } catch let error as FormatError where error.isTrouble {
            guard var page = try await Self.kept(image, paging, content) else { throw error }
            page.skippedMembers = [content.context.repository]
            self = page
            return
        }
        guard let page = try await Self.kept(image, paging, content) else { return nil }
        self = page
    }

    /// Of several repositories, as if they were one: in byte order, each tag once. Work for the pool.
    /// - Parameter limit: the page's; an upstream may have sent more, and in another order.
    init(merging pages: [TagPage], after: String?, limit: Int) {
        let parts = pages.map { page -> MergedPart in
            let names = page.names.filter { name in after.map { ByteText.precedes($0, name) } ?? true }.sorted(by: ByteText.precedes).prefix(max(limit, 1))
            let goesOn = page.next != nil || names.count < page.names.count && names.count == limit
            return MergedPart(names.map { ContentRow(name: $0, updated: Timestamp(milliseconds: 0)) }, covered: goesOn ? names.last : nil)
        }
        let merged = ContentPage.merged(parts, limit: limit)
        self.init(
            names: merged.rows.map(\.name), count: limit, next: merged.more ? merged.rows.last?.name : nil, skippedMembers: pages.flatMap(\.skippedMembers))
    }

    private init(names: [String], count: Int?, next: String?, skippedMembers: [RepositoryName] = []) {
        self.names = names
        self.count = count
        self.next = next
        self.skippedMembers = skippedMembers
    }

    private struct Forwarded: Decodable { var tags: [String]? }

    private static func forwarded(_ image: ImageName, _ paging: Paging, _ content: any RepositoryContent) async throws -> TagPage? {
        var query = paging.count.map { ["n=\(min($0, OCIFormat.largestPage))"] } ?? []
        if let last = paging.last { query.append("last=\(Links.encoded(last))") }
        let call = UpstreamCall(image.upstream("tags/list" + (query.isEmpty ? "" : "?" + query.joined(separator: "&")), accept: ["application/json"]))
        guard let reply = try await content.forward(call) else { return nil }
        let names = try await content.context.compute.run {
            guard let list = JSON.value(Forwarded.self, from: String(buffer: reply.body)) else {
                throw FormatError(.upstreamFailed, "the upstream's list of tags cannot be read")
            }
            return list.tags ?? []
        }
        return TagPage(names: names, count: paging.count, next: NextPage(reply.headers)?.last)
    }

    private static func kept(_ image: ImageName, _ paging: Paging, _ content: any RepositoryContent) async throws -> TagPage? {
        let limit = min(paging.count ?? OCIFormat.largestPage, OCIFormat.largestPage)
        var page = ContentPage(rows: [], more: false)
        if limit > 0 {
            page = try await content.list(ContentQuery(.pointers(image.package, kind: OCIFormat.tagKind), after: paging.last, limit: limit))
        }
        if page.rows.isEmpty, try await content.list(ContentQuery(.package(image.package), limit: 1)).rows.isEmpty { return nil }
        let names = page.rows.map(\.name)
        return TagPage(names: names, count: limit, next: page.more ? names.last : nil)
    }
}
