import ArtifactModel
import FormatAPI
import StorageAPI

/// Upload sessions of one scope (an image) of a hosted repository.
struct HostedUploads: UploadSessions {
    let content: HostedContent
    let scope: String
    let book: UploadBook

    private var store: any BlobStore { self.content.repository.shelf.store }

    func begin() async throws -> String {
        try self.content.refuseIfReadOnly()
        let writer = try await self.store.create()
        do {
            try await self.book.open(writer.id, in: self.content.repository.id, scope: self.scope, owner: self.content.context.principal)
        } catch {
            await self.content.discard(writer.id)
            throw error
        }
        return writer.id.text
    }

    func length(of session: String) async throws -> Int64? {
        guard let record = try await self.record(session) else { return nil }
        if let known = self.book.length(of: record.id) { return known }
        return try await self.store.resume(record.id)?.length()
    }

    func append(_ body: ByteStream, to session: String, at offset: Int64?, exactly: Int64?, whenCut: CutBody) async throws -> Int64 {
        try self.content.refuseIfReadOnly()
        let record = try await self.known(session)
        if let exactly, let declared = body.length, declared != exactly { throw Self.wrongLength(declared, exactly) }
        try await self.content.repository.shelf.admit(body.length)
        return try await self.claimed(record) { writer, progress in
            if let offset, offset != progress.length {
                throw FormatError(.wrongRange, "the upload has \(progress.length) bytes, and this chunk begins at \(offset)")
            }
            try await self.append(body, exactly: exactly, whenCut, to: writer, &progress)
            return progress.length
        } after: {
            try await self.book.touch(record)
        }
    }

    private func append(
        _ body: ByteStream, exactly: Int64?, _ whenCut: CutBody, to writer: any BlobWriter, _ progress: inout UploadBook.Progress
    ) async throws {
        let shelf = self.content.repository.shelf
        let sink = Sink(writer: writer, compute: self.content.context.compute, allowance: { try await shelf.allowance() })
        let start = progress
        // What the session holds already is not counted as used yet.
        let limit = [exactly.map { start.length + $0 }, self.content.repository.shelf.room].compactMap(\.self).min()
        let intake: Sink.Intake
        do {
            intake = try await sink.take(body, at: start.length, hasher: start.hasher, limit: limit)
        } catch {
            // A full disk: what did not become part of the session must not go on filling it. The write's own error is the one to tell.
            try? await writer.truncate(to: start.length)
            throw error
        }
        let received = intake.length - start.length
        // A chunk that the quota cuts short has no wrong length.
        let isOverQuota = intake.excess && limit != exactly.map { start.length + $0 }
        if let exactly, !isOverQuota, received == exactly ? intake.excess : intake.interruption == nil {
            try await writer.truncate(to: start.length)
            throw Self.wrongLength(received, exactly)
        }
        progress = UploadBook.Progress(hasher: intake.hasher, length: intake.length)
        if intake.excess {
            try? await writer.truncate(to: start.length)  // as above
            progress = start
            throw self.content.repository.shelf.overQuota
        }
        guard let interruption = intake.interruption else { return }
        if whenCut == .dropped {
            progress = start
            try await writer.truncate(to: start.length)
        }
        throw interruption
    }

    func finish(_ session: String, expecting digest: ContentDigest) async throws -> StagedBlob {
        try self.content.refuseIfReadOnly()
        let record = try await self.known(session)
        guard case .some(let remembered) = self.book.claim(record.id) else { throw Self.busy }
        var ended = false
        defer { self.book.release(record.id, ended ? nil : remembered) }
        guard let writer = try await self.store.resume(record.id) else { throw Self.unknown(session) }
        let hasher = try await self.hashed(writer, remembered, algorithm: digest.algorithm)
        do {
            try HostedContent.verify(hasher.digests(), are: [digest])
        } catch {
            ended = true
            await self.content.discard(record.id)
            try await self.book.ledger.close(record.id)
            throw error
        }
        do {
            let blob = try await self.content.repository.shelf.keep(record.id, hasher.digests(), size: hasher.length)
            ended = true
            // The bytes are kept; a row that stays is litter, which the sweeper finds.
            try? await self.book.ledger.close(record.id)
            return blob
        } catch let error as BlobStoreError {
            // The system reports a failed write-back once and may have dropped the pages: what is there is not trusted a second time.
            ended = true
            await self.content.discard(record.id)
            try? await self.book.ledger.close(record.id)  // the store's error is the one to tell
            throw error
        }
    }

    func cancel(_ session: String) async throws {
        let record = try await self.known(session)
        guard try await self.book.close(record.id, discardingIn: self.store) else { throw Self.busy }
    }

    /// The state that came with the bytes where it covers all of them; else they are read once more: after a restart, after a failed
    /// write, or where another digest than SHA-256 is asked for.
    private func hashed(_ writer: any BlobWriter, _ progress: UploadBook.Progress?, algorithm: ContentDigest.Algorithm) async throws -> MultiHasher {
        let length = try await writer.length()
        if let progress, let hasher = progress.hasher, hasher.length == length, hasher.algorithms.contains(algorithm) { return hasher }
        if let progress, progress.length < length { try await writer.truncate(to: progress.length) }
        let sink = Sink(writer: writer, compute: self.content.context.compute)
        return try await sink.hash(try await writer.reading(), length: progress?.length ?? length, [algorithm])
    }

    /// Runs `work` as the session's one writer; what it leaves in `progress` is remembered even where it throws.
    private func claimed(
        _ record: UploadRecord, _ work: (any BlobWriter, inout UploadBook.Progress) async throws -> Int64, after: () async throws -> Void
    ) async throws -> Int64 {
        guard case .some(let remembered) = self.book.claim(record.id) else { throw Self.busy }
        var kept = remembered
        defer { self.book.release(record.id, kept) }
        guard let writer = try await self.store.resume(record.id) else { throw Self.unknown(record.id.text) }
        let length = try await writer.length()
        var progress = remembered ?? UploadBook.Progress(hasher: length == 0 ? MultiHasher([]) : nil, length: length)
        if progress.length < length { try await writer.truncate(to: progress.length) }
        if progress.length > length { progress = UploadBook.Progress(hasher: nil, length: length) }
        kept = progress
        defer { kept = progress }
        let result = try await work(writer, &progress)
        try await after()
        return result
    }

    private func record(_ session: String) async throws -> UploadRecord? {
        guard let id = UploadID(session), let record = try await self.book.ledger.upload(id), record.repository == self.content.repository.id,
            record.scope == self.scope, record.owner == self.content.context.principal
        else { return nil }
        return record
    }

    private func known(_ session: String) async throws -> UploadRecord {
        guard let record = try await self.record(session) else { throw Self.unknown(session) }
        return record
    }

    private static func unknown(_ session: String) -> FormatError { FormatError(.notFound, "there is no such upload; begin a new one") }
    private static var busy: FormatError { FormatError(.conflict, "another request is writing to this upload") }
    private static func wrongLength(_ found: Int64, _ declared: Int64) -> FormatError {
        FormatError(.invalidRequest, "the chunk has \(found) bytes, and its range says \(declared); nothing of it was kept")
    }
}
