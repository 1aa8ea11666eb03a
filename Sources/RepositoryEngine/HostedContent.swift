import ArtifactModel
import FormatAPI
import NIOCore
import StorageAPI

/// What is pushed to this server and kept.
struct HostedContent: RepositoryContent {
    let context: RequestContext
    let repository: Repository
    let policy: WritePolicy
    let maker: ContentMaker
    let links: LinkSources

    func content(_ want: ContentRequest) async throws -> Content? {
        let kept = try await self.maker.metadata.asset(at: want.path, in: self.repository.id)
        self.context.notes.trace?.add(self.repository.name, "\(want.path)", kept == nil ? "not here" : "here")
        guard let asset = kept else { return nil }
        // Who asks whether a part is there keeps it from the sweep of unused ones, now and then.
        if want.renewingAfter != nil { self.context.notes.standsOnce() }
        if self.context.notes.trace == nil, let age = want.renewingAfter, self.maker.now() - asset.created > age, self.policy != .deny {
            // At most once in this age for each asset.
            do {
                try await self.commit(Edit(requiring: [.linked([want.path])], [.renew(want.path)]))
            } catch is Edit.Refused {
                // The sweep of unused parts was faster.
                return nil
            } catch {
                // It cannot be written (a full disk): what was asked is true all the same.
            }
        }
        return try await self.content(of: asset, want)
    }

    private func content(of asset: StoredAsset, _ want: ContentRequest) async throws -> Content? {
        guard let digest = asset.digests.first(.sha256) else { throw FormatError(.internalFailure, "the metadata names no bytes for this") }
        let head = ContentHead(
            digests: asset.digests, size: asset.size, contentType: asset.contentType, entityTag: "\"\(digest)\"", lastModified: asset.created,
            attributes: asset.attributes, change: want.change)
        guard let source = try await self.maker.source(of: digest, size: asset.size, in: self.repository.shelf, on: self.context.compute) else {
            // Deleted and collected since the row was read: an absence, or other bytes by now. A link whose bytes are gone is a failure, and
            // never an absence: `blobs verify` finds and names it.
            let again = try await self.maker.metadata.asset(at: want.path, in: self.repository.id)
            guard again?.digests == asset.digests else { return try await self.content(want) }
            let cause = BlobStoreError(.notFound, "no bytes for \(digest)")
            throw FormatError(.internalFailure, "the bytes of this are missing from the blob store", cause: cause)
        }
        guard self.context.notes.trace == nil else { return Content(head: head, member: self.repository.name, source: source) }
        let served = self.maker.serving(source, of: want.path, in: self.repository.id, to: want.delivery ?? self.context.delivery, self.context.notes)
        return Content(head: head, member: self.repository.name, source: served)
    }

    func resolve(_ want: PointerRequest) async throws -> Pointer? {
        let target = try await self.maker.metadata.pointer(want.name, in: self.repository.id)
        self.context.notes.trace?.add(
            self.repository.name, "\(want.name.kind) \(want.name.package.path):\(want.name.name)", target.map { "points to \($0)" } ?? "not here")
        return target.map { Pointer(target: $0, member: self.repository.name) }
    }

    func list(_ query: ContentQuery) async throws -> ContentPage { try await self.maker.metadata.rows(query, in: self.repository.id) }

    func generation(of document: DocumentID) async throws -> Int64 {
        try await self.maker.metadata.generations(of: [DocumentPlace(self.repository.id, document)]).first ?? 0
    }

    func uploads(in scope: String) -> any UploadSessions {
        HostedUploads(content: self, scope: scope, book: self.maker.uploads)
    }

    func commit(_ edit: Edit) async throws {
        try self.refuseIfReadOnly()
        let (linking, granted) = try await self.links.traced(edit, to: self.repository, self.maker.metadata)
        let edit = RepositoryEdit(
            repository: self.repository.id, store: self.repository.shelf.id, edit: linking, policy: self.policy,
            sources: self.links.allowed(for: linking, from: self.repository).merging(granted) { own, _ in own }, principal: self.context.principal,
            now: self.maker.now())
        do {
            try await self.maker.metadata.commit(edit)
        } catch {
            guard case .refused(let refusal) = error.code else { throw error }
            throw refusal
        }
    }

    func refuseIfReadOnly() throws {
        guard self.policy != .deny else {
            throw FormatError(.readOnly, "«\(self.repository.name)» takes no writes (writePolicy: deny)")
        }
    }
}
