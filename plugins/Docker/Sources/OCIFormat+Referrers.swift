import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore

extension OCIFormat {
    static let subjectKind = "subject"

    private struct Index: Encodable {
        var schemaVersion = 2
        var mediaType = Manifest.Kind.index.rawValue
        var manifests: [Referrer]
    }

    /// What refers to a manifest, whether that is here or not: never 404. Distribution-spec 1.1, «Listing Referrers».
    ///
    /// After those that were pushed with a `subject` come those that clients listed themselves, under a tag, before there was this API.
    /// An upstream's own list where there is one: what is kept is only what somebody has asked for.
    func referrers(
        to subject: ContentDigest, of image: ImageName, _ type: String?, after: String?, _ exchange: Exchange
    ) async throws -> ArtifactResponse {
        let (page, skipped) = try await self.referrers(to: subject, of: image, type, from: ReferrerCursor(after), exchange)
        let text = try await exchange.content.context.compute.run { JSON.text(Index(manifests: page.entries)) }
        var response = ArtifactResponse.document(text, type: Manifest.Kind.index.rawValue)
        if type != nil { response.headers[.filtersApplied] = "artifactType" }
        if let last = page.next {
            response.headers[.link] = exchange.links.next("\(image)/referrers/\(subject)", [("last", last)] + (type.map { [("artifactType", $0)] } ?? []))
        }
        response.mark(skipped: skipped)
        return response
    }

    /// Each member's own list, as one.
    private func referrers(
        to subject: ContentDigest, of image: ImageName, _ type: String?, from cursor: ReferrerCursor, _ exchange: Exchange
    ) async throws -> (page: ReferrerPage, skipped: [RepositoryName]) {
        let gathered = try await exchange.content.gather(image.text) { member -> (RepositoryName, ReferrerPage) in
            let name = member.context.repository
            let position = cursor.position(in: name)
            guard position != .end else { return (name, ReferrerPage()) }
            return (name, try await ReferrerList(subject: subject, image: image.full(in: member), type: type, content: member).current(after: position.text))
        }
        if gathered.parts.isEmpty, let trouble = gathered.trouble { throw trouble }
        if !exchange.content.adopts, let own = gathered.parts.first { return (own.1, []) }
        return (ReferrerPage(merging: gathered.parts.map { (member: $0.0, page: $0.1) }), gathered.skippedMembers)
    }
}

/// A page of referrers as it fills.
struct ReferrerPage: Sendable {
    static let mostEntries = 500
    /// Manifests read for annotations too long for the metadata, up to 8 MiB each.
    static let mostReads = 64
    /// In bytes. Clients read documents of at least 4 MiB, and some no larger ones; a single entry may be larger still.
    static let largest = 4 << 20

    private(set) var entries: [Referrer]
    private var size = 0
    /// What `last` is in the request for the next page; nil: there is none.
    var next: String?

    /// A page that another registry has made.
    init(entries: [Referrer] = [], next: String? = nil) {
        self.entries = entries
        self.next = next
    }

    /// - Returns: false where the page is full.
    mutating func add(_ entry: Referrer) -> Bool {
        let size = Manifest.size(of: entry.annotations) + 400
        guard self.entries.isEmpty || self.entries.count < Self.mostEntries && self.size + size <= Self.largest else { return false }
        self.entries.append(entry)
        self.size += size
        return true
    }
}

/// What refers to one manifest, read in pages.
///
///     last=sha256:…     the manifests with a subject, by digest, after this one
///     last=~sha256:…    the entries of the fallback tag, by digest, after this one
private struct ReferrerList: Sendable {
    let subject: ContentDigest
    let image: ImageName
    let type: String?
    let content: any RepositoryContent
    var asksUpstream = true

    private static let listedByClients: Character = "~"

    /// The upstream's list, or that of what is here. With the upstream in trouble, what is kept: but that there are none, nobody knows then.
    func current(after: String?) async throws -> ReferrerPage {
        do {
            if let page = try await self.forwarded(after: after) { return page }
            return try await self.page(after: after)
        } catch let error as FormatError where error.isTrouble {
            var kept = self
            kept.asksUpstream = false
            let page = try await kept.page(after: after)
            guard !page.entries.isEmpty else { throw error }
            return page
        }
    }

    private struct Forwarded: Decodable { var manifests: [Referrer]? }

    /// nil: there is no upstream, or none with this API.
    private func forwarded(after: String?) async throws -> ReferrerPage? {
        var query = self.type.map { ["artifactType=\(Links.encoded($0))"] } ?? []
        if let after { query.append("last=\(Links.encoded(after))") }
        let rest = "referrers/\(self.subject)" + (query.isEmpty ? "" : "?" + query.joined(separator: "&"))
        guard let reply = try await self.content.forward(UpstreamCall(self.image.upstream(rest, accept: [Manifest.Kind.index.rawValue]))) else { return nil }
        let type = self.type
        return try await self.content.context.compute.run {
            guard let list = JSON.value(Forwarded.self, from: String(buffer: reply.body)) else {
                throw FormatError(.upstreamFailed, "the upstream's list of referrers cannot be read")
            }
            // Filtering is up to each registry.
            let entries = (list.manifests ?? []).filter { type == nil || $0.artifactType == type }
            return ReferrerPage(entries: entries, next: NextPage(reply.headers)?.last)
        }
    }

    private func page(after: String?) async throws -> ReferrerPage {
        var page = ReferrerPage()
        if let after, after.first == Self.listedByClients {
            try await self.addListed(to: &page, after: String(after.dropFirst()), pushed: nil)
        } else if try await self.addPushed(to: &page, after: after) {
            try await self.addListed(to: &page, after: nil, pushed: after == nil ? Set(page.entries.map(\.digest)) : nil)
        }
        return page
    }

    /// - Returns: whether all of them are on this page or earlier ones.
    private func addPushed(to page: inout ReferrerPage, after: String?) async throws -> Bool {
        let found = try await self.content.list(ContentQuery(self.edges(self.type), after: after, limit: ReferrerPage.mostEntries))
        let records = try await self.content.context.compute.run { found.rows.map { JSON.value(ManifestRecord.self, from: $0.attributes) } }
        var last = after
        var read = 0
        for (row, record) in zip(found.rows, records) {
            if record?.hasMoreAnnotations == true { read += 1 }
            guard read <= ReferrerPage.mostReads else {
                page.next = last
                return false
            }
            let annotations = record?.hasMoreAnnotations == true ? try await self.annotations(of: row.name) : record?.annotations
            let entry = Referrer(
                mediaType: row.contentType, digest: row.name, size: row.size, artifactType: row.artifactType.isEmpty ? nil : row.artifactType,
                annotations: annotations)
            guard page.add(entry) else {
                page.next = last
                return false
            }
            last = row.name
        }
        page.next = found.more ? last : nil
        return !found.more
    }

    /// - Parameter pushed: all that were pushed and are of the type, as they were read; nil: they are on earlier pages.
    private func addListed(to page: inout ReferrerPage, after: String?, pushed: Set<String>?) async throws {
        let entries = try await self.listed(after: after)
        var last = after ?? ""
        for (count, entry) in entries.enumerated() {
            // What was pushed with its subject is listed already, and says of itself what it is. Each costs a query, so a page has few.
            var fits = count < ReferrerPage.mostEntries
            if fits, try await self.isNew(entry, pushed) { fits = page.add(entry) }
            guard fits else {
                page.next = "\(Self.listedByClients)\(last)"
                return
            }
            last = entry.digest
        }
    }

    /// By digest, each once.
    private func listed(after: String?) async throws -> [Referrer] {
        guard let tag = try? Tag(referrersOf: self.subject),  // always a tag: a short word, a hyphen and hex digits
            let pointer = try await self.content.resolve(self.request(tag: tag)), let digest = try? ContentDigest(image: pointer.target),  // as written
            let bytes = try await self.bytes(of: digest)
        else { return [] }
        let type = self.type
        return try await self.content.context.compute.run {
            var seen: Set<String> = []
            return try Manifest.referrers(in: bytes)
                .filter { (type == nil || $0.artifactType == type) && $0.digest > after ?? "" && seen.insert($0.digest).inserted }
                .sorted { $0.digest < $1.digest }
        }
    }

    private func request(tag: Tag) -> PointerRequest {
        var request = self.image.request(tag: tag, on: self.content.context.compute)
        if !self.asksUpstream { request.upstream = nil }
        return request
    }

    /// Whether it is on no page yet.
    private func isNew(_ entry: Referrer, _ pushed: Set<String>?) async throws -> Bool {
        guard let row = try await self.pushed(entry) else { return true }
        // Pushed as itself after the others were read, it would be on no page at all.
        guard let pushed else { return false }
        return !pushed.contains(entry.digest) && (self.type == nil || row.artifactType == self.type)
    }

    private func pushed(_ entry: Referrer) async throws -> ContentRow? {
        guard let last = entry.digest.unicodeScalars.last, let before = Unicode.Scalar(last.value &- 1) else { return nil }
        // The row of this name: the first after all that end in the character before its last.
        let after = String(entry.digest.unicodeScalars.dropLast()) + String(before) + "~"
        let query = ContentQuery(self.edges(nil), after: after, limit: 1)
        return try await self.content.list(query).rows.first { $0.name == entry.digest }
    }

    private func edges(_ type: String?) -> ContentQuery.Subject {
        .edges(to: self.subject, in: self.image.package, kind: OCIFormat.subjectKind, artifactType: type)
    }

    private func annotations(of version: String) async throws -> [String: String]? {
        guard let digest = try? ContentDigest(image: version), let bytes = try await self.bytes(of: digest) else { return nil }  // deleted meanwhile
        return try await self.content.context.compute.run { try Manifest.annotations(in: bytes) }
    }

    /// A manifest's; nil where it is no longer here.
    private func bytes(of digest: ContentDigest) async throws -> ByteBuffer? {
        var request = self.image.request(manifest: digest, on: self.content.context.compute)
        if !self.asksUpstream { request.upstream = nil }
        // All of it, whatever part of the list the client asked for.
        request.delivery = .whole
        guard let found = try await self.content.content(request), let size = found.head.size else { return nil }
        return try await found.source.readAll(size, on: self.content.context.compute)
    }
}
