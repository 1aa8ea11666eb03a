public import ArtifactModel
public import RepositoryEngine
public import StorageAPI

/// Compares what the metadata says of blobs with what the stores have, beside running writers and collectors, and repairs what it is
/// told to. A page of rows and one of files are in memory at a time, and a batch of bytes.
public struct Verifier: Sendable {
    public struct Options: Hashable, Sendable {
        public var repair = false
        /// Compares sizes only; bytes are hashed where those differ.
        public var quick = false
        /// nil: every store.
        public var store: String?
        public init() {}
    }

    /// How far it came.
    public struct Progress: Hashable, Sendable {
        public var blobs: Int64 = 0
        /// Looked at, in bytes.
        public var bytes: Int64 = 0
        /// By the metadata when it began.
        public var totalBytes: Int64 = 0
    }

    static let page = 500
    private let shelves: [BlobShelf]
    private let ledger: any BlobLedger & BlobAudit
    private let compute: any BlockingPool
    private let now: WallClock
    private let forget: @Sendable (ContentDigest) -> Void

    /// - Parameter forget: called when a blob's row or bytes were changed: whoever remembers them must not go on.
    public init(
        _ shelves: [BlobShelf], ledger: any BlobLedger & BlobAudit, compute: any BlockingPool, now: @escaping WallClock,
        forget: @escaping @Sendable (ContentDigest) -> Void
    ) {
        self.shelves = shelves
        self.ledger = ledger
        self.compute = compute
        self.now = now
        self.forget = forget
    }

    /// - Parameter progress: told after each batch of bytes and each page.
    /// - Throws: `BlobStoreError`, `MetadataError`; `CancellationError`, after which what was repaired stays so.
    public func run(_ options: Options, progress tell: @escaping @Sendable (Progress) async -> Void = { _ in }) async throws -> VerificationReport {
        var report = VerificationReport()
        var progress = Progress()
        let shelves = self.shelves.filter { options.store == nil || $0.name == options.store }
        for shelf in shelves { progress.totalBytes += try await self.ledger.totals(in: shelf.id).bytes }
        for shelf in shelves {
            var after: ContentDigest?
            repeat {
                after = try await self.verifyPage(of: shelf, after: after, options, &report, &progress, tell)
                await tell(progress)
            } while after != nil
            try await self.lookForMarks(on: shelf, options, &report)
            report.quarantine += try await shelf.store.asides(limit: VerificationReport.listed).map { "\($0.digest)" }
        }
        report.blobs = progress.blobs
        report.bytes = progress.bytes
        return report
    }

    /// - Returns: where the next page begins.
    private func verifyPage(
        of shelf: BlobShelf, after: ContentDigest?, _ options: Options, _ report: inout VerificationReport, _ progress: inout Progress,
        _ tell: @Sendable (Progress) async -> Void
    ) async throws -> ContentDigest? {
        let files = try await shelf.store.list(after: after, limit: Self.page)
        let rows = try await self.ledger.blobs(in: shelf.id, after: after, limit: Self.page)
        // What is behind the last of a full page may be on the other side's next one.
        let ends = [files.count < Self.page ? nil : files.last?.digest, rows.count < Self.page ? nil : rows.last?.digest].compactMap(\.self)
        let end = ends.min { $0.bytes.lexicographicallyPrecedes($1.bytes) }
        let sizes = Dictionary(files.map { ($0.digest, $0.size) }, uniquingKeysWith: { first, _ in first })
        let known = Dictionary(rows.map { ($0.digest, $0) }, uniquingKeysWith: { first, _ in first })
        let digests = Set(sizes.keys).union(known.keys).filter { digest in end.map { !$0.bytes.lexicographicallyPrecedes(digest.bytes) } ?? true }
        for digest in digests.sorted(by: { $0.bytes.lexicographicallyPrecedes($1.bytes) }) {
            try Task.checkCancellation()
            progress.blobs += 1
            guard try await self.isSuspect(digest, known[digest], sizes[digest], shelf, options, &progress, tell) else { continue }
            if let fault = try await self.settle(digest, shelf, options) { report.add(fault) }
        }
        return end
    }

    private func isSuspect(
        _ digest: ContentDigest, _ row: BlobRow?, _ size: Int64?, _ shelf: BlobShelf, _ options: Options, _ progress: inout Progress,
        _ tell: @Sendable (Progress) async -> Void
    ) async throws -> Bool {
        guard let row, let size, row.state == .there, row.size == size else { return true }
        if options.quick {
            progress.bytes += size
            return false
        }
        var moved = progress
        let health = try await shelf.inspect(digest, on: self.compute) { bytes in
            moved.bytes += bytes
            await tell(moved)
        }
        progress = moved
        return health != .good(size)
    }

    private func settle(_ digest: ContentDigest, _ shelf: BlobShelf, _ options: Options) async throws -> BlobFault? {
        guard options.repair else { return try await self.diagnose(digest, shelf)?.fault }
        return try await shelf.mending(digest) {
            guard let found = try await self.diagnose(digest, shelf) else { return nil }
            var fault = found.fault
            fault.outcome = try await self.repair(found, digest, shelf)
            return fault
        }
    }

    private func diagnose(_ digest: ContentDigest, _ shelf: BlobShelf) async throws -> BlobDiagnosis? {
        try await BlobDiagnosis.of(digest, on: shelf, self.ledger, compute: self.compute, now: self.now) { _ in }
    }

    private func repair(_ found: BlobDiagnosis, _ digest: ContentDigest, _ shelf: BlobShelf) async throws -> BlobFault.Outcome {
        defer { self.forget(digest) }
        guard let row = found.row else {
            let now = self.now()
            let held = try await self.ledger.hold([digest], size: found.fault.size, in: shelf.id, now: now, until: now)
            return held ? .leftToCollector : .reported
        }
        if case .good(let size) = found.health {
            try await self.ledger.amend(row.id, .there(size: size))
            return .corrected
        }
        if found.fault.referrerCount > 0 {
            for other in self.shelves where other.id != shelf.id {
                guard let size = try await shelf.fetch(digest, from: other, on: self.compute) else { continue }
                try await self.ledger.amend(row.id, .there(size: size))
                return .copied
            }
        }
        // The row before the bytes: whoever finds no bytes then asks the row, and is told of an absence.
        try await self.ledger.amend(row.id, .lost)
        self.forget(digest)
        if case .bad = found.health { try await shelf.store.setAside(digest) }
        return found.fault.referrerCount > 0 ? .markedLost : .leftToCollector
    }

    /// Rows that are marked while no collection runs were left by a process that died.
    private func lookForMarks(on shelf: BlobShelf, _ options: Options, _ report: inout VerificationReport) async throws {
        let marked = try await shelf.collecting {
            var count = 0
            var after: Int64 = 0
            while true {
                let page = try await self.ledger.doomed(in: shelf.id, after: after, limit: Self.page)
                guard let last = page.last else { return count }
                count += page.count
                after = last.id
            }
        }
        report.leftMarked += marked
        guard options.repair, marked > 0 else { return }
        _ = try await Collector(shelf, ledger: self.ledger, now: self.now).run()
        report.leftMarkedRemoved += marked
    }
}
