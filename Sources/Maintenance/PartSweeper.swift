public import ArtifactModel
public import RepositoryEngine
public import StorageAPI
import Synchronization

/// Removes parts that nothing uses: layers linked to an image for longer than an age that no manifest of the image names.
///
/// Pages over a repository's assets, asks its format what each loose one is a part of, and removes in slices those that no edge names. The
/// removal requires in its own transaction that this still holds: a manifest, a new push or a renewal meanwhile wins, and a manifest that
/// comes after it is refused by its own requirement that its layers be linked.
public final class PartSweeper: Sendable {
    /// A repository whose format has parts.
    private struct Ground: Sendable {
        var repository: Repository
        var rule: PartRule
    }

    static let slice = 1000
    /// Changes of one transaction.
    static let batch = 100
    private let grounds: [Ground]
    private let ledger: any PartLedger
    private let metadata: any MetadataStore
    private let now: WallClock
    private let lastRuns = Mutex<[RepositoryID: Timestamp]>([:])

    /// - Parameter metadata: what requests commit to as well, so that nothing is remembered of what went.
    public init(_ catalogue: Catalogue, ledger: any PartLedger, metadata: any MetadataStore, now: @escaping WallClock) {
        self.grounds = catalogue.repositories.values.sorted { $0.name < $1.name }.compactMap { repository in
            // A repository that takes no writes is left as it is.
            guard case .hosted(let policy) = repository.part, policy != .deny, let rule = catalogue.parts(of: repository) else { return nil }
            return Ground(repository: repository, rule: rule)
        }
        self.ledger = ledger
        self.metadata = metadata
        self.now = now
    }

    /// - Parameter onlyDue: leaves out repositories that this process swept within a day, or within their age where that is shorter.
    /// - Returns: how many parts are gone.
    /// - Throws: `MetadataError`, after every repository was tried.
    public func run(onlyDue: Bool = false) async throws -> Int {
        var removed = 0
        var failure: (any Error)?
        for ground in self.grounds where !onlyDue || self.isDue(ground) {
            do {
                try await self.sweep(ground, &removed)
                self.lastRuns.withLock { $0[ground.repository.id] = self.now() }
            } catch {
                failure = failure ?? error
            }
        }
        if let failure { throw failure }
        return removed
    }

    private func isDue(_ ground: Ground) -> Bool {
        guard let last = self.lastRuns.withLock({ $0[ground.repository.id] }) else { return true }
        return self.now() - last >= min(.seconds(24 * 3600), ground.rule.age)
    }

    private func sweep(_ ground: Ground, _ removed: inout Int) async throws {
        let cutoff = self.now() - ground.rule.age
        var after: String? = ""
        while let start = after, !Task.isCancelled {
            let slice = try await self.ledger.loose(in: ground.repository.id, after: start, before: cutoff, limit: Self.slice)
            let parts = slice.paths.compactMap { path in ground.rule.part(path).map { LoosePart(path, $0) } }
            var unused = try await self.ledger.unnamed(parts, in: ground.repository.id)[...]
            while !unused.isEmpty {
                let batch = Array(unused.prefix(Self.batch))
                removed += try await self.metadata.remove(unnamed: batch, before: cutoff, in: ground.repository, now: self.now()).count
                unused = unused.dropFirst(Self.batch)
            }
            after = slice.next
        }
        // One that was broken off has not swept, and is due again.
        try Task.checkCancellation()
    }
}
