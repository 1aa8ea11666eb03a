import ArtifactModel
import RepositoryEngine
import StorageAPI

/// What is wrong with one blob, by fresh reads whose order leaves no room for a writer or a collector to look like a fault:
/// links, row, bytes, and the row again. A row that is another one by then is in motion, and not judged.
struct BlobDiagnosis {
    static let namedReferrers = 20

    var fault: BlobFault
    var row: BlobRow?
    var health: BlobHealth

    static func of(
        _ digest: ContentDigest, on shelf: BlobShelf, _ audit: any BlobAudit, compute: any BlockingPool, now: WallClock, progress: (Int64) async -> Void
    ) async throws -> BlobDiagnosis? {
        guard let before = try await audit.blob(digest, in: shelf.id) else {
            // A writer holds a row before its bytes get their name, so that bytes between two looks without a row have none.
            guard let size = try await shelf.store.open(digest)?.length, try await audit.blob(digest, in: shelf.id) == nil else { return nil }
            return BlobDiagnosis(fault: Self.fault(.orphaned, digest, shelf, size, nil), row: nil, health: .good(size))
        }
        let referrers = try await audit.referrers(of: before.id, limit: Self.namedReferrers)
        let health = try await shelf.inspect(digest, on: compute, progress: progress)
        guard let row = try await audit.blob(digest, in: shelf.id), row.id == before.id, row.state == before.state,
            let kind = Self.kind(row, health, isReferred: referrers.count > 0, now: now())
        else { return nil }
        let size =
            switch health {
            case .absent: row.size
            case .good(let size), .bad(let size): size
            }
        return BlobDiagnosis(fault: Self.fault(kind, digest, shelf, size, referrers), row: row, health: health)
    }

    private static func kind(_ row: BlobRow, _ health: BlobHealth, isReferred: Bool, now: Timestamp) -> BlobFault.Kind? {
        switch (row.state, health) {
        case (.doomed, _): nil
        case (.there, .good(let size)): size == row.size ? nil : .wrongSize
        case (.there, .bad): .corrupt
        // A push between its hold and its rename.
        case (.there, .absent): !isReferred && row.heldUntil > now ? nil : .missing
        case (.lost, .good): .found
        case (.lost, .bad): .corrupt
        // Without links it is the collector's.
        case (.lost, .absent): isReferred ? .lost : nil
        }
    }

    private static func fault(
        _ kind: BlobFault.Kind, _ digest: ContentDigest, _ shelf: BlobShelf, _ size: Int64, _ referrers: BlobReferrers?
    ) -> BlobFault {
        BlobFault(
            kind: kind, store: shelf.name, digest: "\(digest)", size: size, referrerCount: referrers?.count ?? 0,
            referrers: referrers?.places.map { BlobFault.Referrer(repository: $0.repository, path: $0.path) } ?? [])
    }
}
