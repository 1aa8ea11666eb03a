import Compression
import NIOCore
public import AccessControl
public import ArtifactModel
public import FormatAPI
public import StorageAPI

/// Makes a repository's content for a request, by its role: the one place that tells roles apart.
public struct ContentMaker: Sendable {
    let metadata: any MetadataStore
    let uploads: UploadBook
    let compute: any BlockingPool
    let now: WallClock
    let small: SmallBlobs
    public let fills: Fills
    let refreshes = Refreshes()
    let misses = Misses()
    public let usages: UsageBook
    let documents: Documents
    /// nil: no answer is given twice.
    let changes: ChangeCounters?

    /// - Parameters:
    ///   - smallBlobs: bytes of memory for small blobs that are asked for often.
    ///   - changes: of `metadata`.
    public init(
        metadata: any MetadataStore, uploads: UploadBook, fills: Fills, compute: any BlockingPool, now: @escaping WallClock,
        smallBlobs: Int = 16 << 20, usages: UsageBook = UsageBook(), documents: Documents,
        changes: ChangeCounters? = nil
    ) {
        self.changes = changes
        self.documents = documents
        self.usages = usages
        self.metadata = metadata
        self.uploads = uploads
        self.fills = fills
        self.compute = compute
        self.now = now
        self.small = SmallBlobs(capacity: smallBlobs)
    }

    /// Takes a blob's bytes out of memory: what they were read from was found bad.
    public func forget(_ digest: ContentDigest) { self.small.forget(digest) }

    /// Of a repository and of those that it is made of.
    func marks(of repository: Repository, in catalogue: Catalogue) -> [ChangeCounters.Mark]? {
        self.changes?.marks(of: [repository.id] + (catalogue.members[repository.name] ?? []).map(\.id))
    }

    private func library(
        _ name: RepositoryName, for principal: Principal, _ request: String, in catalogue: Catalogue, _ authorizer: any Authorizer
    ) -> (any ArtifactLibrary)? {
        guard let repository = catalogue.repositories[name], let format = catalogue.formats[repository.format] else { return nil }
        let changes = self.marks(of: repository, in: catalogue)?.sum ?? 0
        return format.library(of: self.content(of: repository, for: principal, request: request, in: catalogue, authorizer), changes: changes) { access in
            authorizer.refused([access], of: name, by: principal).isEmpty
        }
    }

    /// Has upstreams asked again for what they did not have.
    public func forgetMisses() { self.misses.removeAll() }

    /// - Parameter destination: where another path of the request's host leads.
    public func content(
        of repository: Repository, for principal: Principal, request: String, _ delivery: Delivery = .whole, in catalogue: Catalogue,
        _ authorizer: any Authorizer, notes: RequestNotes = RequestNotes(),
        destination: @escaping @Sendable (_ path: [String]) -> (repository: RepositoryName, path: [String])? = { _ in nil }
    ) -> any RepositoryContent {
        self.content(
            of: repository, for: principal, request: request, delivery, in: catalogue, authorizer, asked: nil, notes: notes, publicBase: "",
            destination: destination)
    }

    /// - Parameter asked: what the client asks for: members of a group whose rules do not allow it are as if they were not there.
    func content(
        of repository: Repository, for principal: Principal, request: String, _ delivery: Delivery, in catalogue: Catalogue,
        _ authorizer: any Authorizer, asked: AskedPath?, notes: RequestNotes, publicBase: String, account: (any OwnAccount)? = nil,
        destination: @escaping @Sendable (_ path: [String]) -> (repository: RepositoryName, path: [String])?
    ) -> any RepositoryContent {
        let target = catalogue.target(of: repository) ?? repository
        var context = RequestContext(
            repository: repository.name, principal: principal.name, requestID: request, delivery: delivery, compute: self.compute, notes: notes,
            publicBase: publicBase,
            isAllowed: { access in authorizer.refused([access], of: access.action == .read ? repository.name : target.name, by: principal).isEmpty },
            account: account, destination: destination)
        if case .hosted(let policy) = target.part { context.replaces = policy == .allow }
        context.now = self.now
        context.mayShow = { catalogue.mayAsk(target, about: $0) }
        context.library = { self.library($0, for: principal, request, in: catalogue, authorizer) }
        context.digest = { bytes in
            var hasher = MultiHasher([])
            hasher.update([bytes])
            return hasher.digests().first
        }
        context.decompress = { [compute] bytes, limit in try await compute.run { try Self.decompressed(bytes, upTo: limit) } }
        switch repository.part {
        case .proxy(let part):
            return ProxyContent(context: context, repository: repository, part: part, maker: self) { catalogue.mayAsk(repository, about: $0) }
        case .hosted(let policy):
            return HostedContent(
                context: context,
                repository: repository, policy: policy, maker: self, links: LinkSources(principal: principal, catalogue: catalogue, authorizer: authorizer))
        case .group(let part):
            let allowed = (catalogue.members[repository.name] ?? []).filter { member in
                let isAllowed = asked.map { member.allows($0) } ?? true
                if !isAllowed { notes.trace?.add(member.name, asked?.text ?? "", "not asked: its routing rule does not allow this") }
                return isAllowed
            }
            let members = allowed.map { member in
                GroupContent.Member(repository: member) {
                    self.content(
                        of: member, for: principal, request: request, delivery, in: catalogue, authorizer, asked: nil, notes: notes,
                        publicBase: publicBase, destination: destination)
                }
            }
            return GroupContent(
                context: context, repository: repository, part: part, members: members, maker: self,
                links: LinkSources(principal: principal, catalogue: catalogue, authorizer: authorizer))
        }
    }
}

extension ContentMaker {
    /// nil: longer than so many bytes.
    private static func decompressed(_ bytes: ByteBuffer, upTo limit: Int) throws(FormatError) -> ByteBuffer? {
        var (input, whole) = (bytes, ByteBuffer())
        let decoder = GzipDecoder()
        do {
            while var piece = try decoder.decode(&input) {
                guard whole.readableBytes + piece.readableBytes <= limit else { return nil }
                whole.writeBuffer(&piece)
            }
            try decoder.finish()
            return whole
        } catch {
            throw FormatError(.invalidRequest, "the body says that it is gzip, and cannot be read as such", cause: error)
        }
    }
}

/// The repositories that a link may take bytes from: of one principal, during one request.
struct LinkSources: Sendable {
    let principal: Principal
    let catalogue: Catalogue
    let authorizer: any Authorizer

    /// Those of the edit's links that may be read and keep their bytes in the same store; others look as if they were not there.
    func allowed(for edit: Edit, from repository: Repository) -> [RepositoryName: RepositoryID] {
        var sources: [RepositoryName: RepositoryID] = [:]
        for case .link(_, let name, let path, let subject) in edit.changes {
            guard let source = self.catalogue.repositories[name], source.allows(AskedPath(path.text)), source.shelf.id == repository.shelf.id,
                source.format == repository.format,
                self.authorizer.refused([Access(.read, path: subject ?? path.text)], of: name, by: self.principal).isEmpty
            else { continue }
            sources[name] = source.id
        }
        return sources
    }
}

extension ContentMaker {
    /// Notes that a kept file is answered with, and that it is being read for as long as somebody has what comes back.
    func serving(
        _ source: any ContentSource, of path: AssetPath, in repository: RepositoryID, to delivery: Delivery, _ notes: RequestNotes
    ) -> any ContentSource {
        let note: @Sendable () -> Void = { [usages, now] in usages.note(path, in: repository, now: now(), downloads: delivery == .head ? 0 : 1) }
        note()
        notes.add(note)
        // What is small is in memory by now.
        guard delivery != .head, (source.length ?? .max) > SmallBlobs.largest else { return source }
        return UsedContent(source, self.usages.reading(path, in: repository))
    }

    /// Whether somebody reads this file, or it is arriving.
    public func isInUse(_ path: AssetPath, in repository: RepositoryID) -> Bool {
        self.usages.isRead(path, in: repository) || self.fills.running(Fill.Key(repository: repository, path: path)) != nil
    }

    /// A blob's bytes, small ones from memory; nil: the store has none.
    func source(of digest: ContentDigest, size: Int64, in shelf: BlobShelf, on compute: any BlockingPool) async throws -> (any ContentSource)? {
        let isSmall = size <= SmallBlobs.largest
        if isSmall, let bytes = self.small.bytes(of: digest) { return MemoryContent(bytes) }
        let epoch = self.small.epoch
        guard let stored = try await shelf.store.open(digest) else { return nil }
        guard isSmall else { return stored }
        let bytes = try await stored.readAll(size, on: compute)
        guard Int64(bytes.readableBytes) == size else {
            throw FormatError(.internalFailure, "the blob store has other bytes than it should", cause: BlobStoreError(.io, "\(digest) is torn"))
        }
        self.small.keep(bytes, of: digest, since: epoch)
        return MemoryContent(bytes)
    }
}
