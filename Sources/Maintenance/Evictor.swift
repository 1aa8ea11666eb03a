public import ArtifactModel
public import RepositoryEngine
public import StorageAPI
import Synchronization

/// Keeps proxies' caches within their bounds, while they serve: asks what `Eviction` wants to know, and does what it says, in small transactions.
///
/// Rows go here; the bytes that nothing names any more are the collector's, which keeps its hands off what came within its grace.
public final class Evictor: Sendable {
    /// A bounded cache.
    struct Ground: Sendable {
        var repository: Repository
        var bound: Int64
        var structure: ContentStructure
    }

    /// What went since the start.
    public struct Figures: Hashable, Sendable {
        /// Of rows: what else names the same blobs keeps them.
        public var bytes: Int64 = 0
        public var components: Int64 = 0
        /// In no component, parts included.
        public var files: Int64 = 0
        public init() {}
    }

    static let page = 200
    static let slice = 1000
    let grounds: [RepositoryID: Ground]
    let ledger: any CacheLedger & PartLedger & UsageLedger
    let metadata: any MetadataStore
    let contents: ContentMaker
    public let meter: CacheMeter
    private let now: WallClock
    private let sums = Mutex<[RepositoryID: Figures]>([:])
    private let running = Mutex<Set<RepositoryID>>([])

    /// - Parameter metadata: what requests commit to as well, so that nothing is remembered of what went.
    public init(
        _ catalogue: Catalogue, meter: CacheMeter, ledger: any CacheLedger & PartLedger & UsageLedger, metadata: any MetadataStore, contents: ContentMaker,
        now: @escaping WallClock
    ) {
        let grounds = catalogue.repositories.values.compactMap { repository -> Ground? in
            guard let bound = meter.bounds[repository.id], case .proxy = repository.part, let structure = catalogue.structure(of: repository) else {
                return nil
            }
            return Ground(repository: repository, bound: bound, structure: structure)
        }
        self.grounds = Dictionary(grounds.map { ($0.repository.id, $0) }, uniquingKeysWith: { first, _ in first })
        self.ledger = ledger
        self.metadata = metadata
        self.contents = contents
        self.meter = meter
        self.now = now
    }

    public var repositories: [Repository] { self.grounds.values.map(\.repository).sorted { $0.name < $1.name } }

    public func figures(of repository: RepositoryID) -> Figures { self.sums.withLock { $0[repository] ?? Figures() } }

    /// In bytes, each blob once: what the bound is compared with. Reads an index entry of each of the repository's assets, in slices.
    public func measure(_ repository: RepositoryID) async throws -> Int64 {
        let before = self.meter.arrived(in: repository)
        var sum: Int64 = 0
        var after: String? = ""
        while let start = after {
            try Task.checkCancellation()
            let slice = try await self.ledger.measure(repository, after: start, limit: Self.slice)
            sum += slice.bytes
            after = slice.next
        }
        self.meter.counted(sum, in: repository, arrivedBefore: before)
        return sum
    }

    /// Lets go of what was used longest ago, where more is kept than the bound; returns at once where that is running already.
    /// - Returns: what went.
    /// - Throws: `MetadataError`; what went before it stays gone.
    public func run(_ repository: RepositoryID) async throws -> Figures {
        guard let ground = self.grounds[repository], self.running.withLock({ $0.insert(repository).inserted }) else { return Figures() }
        defer { _ = self.running.withLock { $0.remove(repository) } }
        // Known not to be more than it may: nothing is counted.
        if let size = self.meter.size(of: repository), size <= ground.bound { return Figures() }
        let kept = try await self.measure(repository)
        guard kept > ground.bound else { return Figures() }
        try await self.contents.usages.flush(to: self.ledger, now: self.now(), everything: true, of: repository)
        let before = self.figures(of: repository)
        let result = await Result { try await self.evict(from: ground, kept: kept) }
        let after = self.figures(of: repository)
        _ = try await self.measure(repository)
        try result.get()
        var sum = Figures()
        (sum.bytes, sum.components, sum.files) = (after.bytes - before.bytes, after.components - before.components, after.files - before.files)
        return sum
    }

    private func evict(from ground: Ground, kept: Int64) async throws {
        var eviction = Eviction(kept: kept, bound: ground.bound)
        while true {
            try Task.checkCancellation()
            var step = eviction.next()
            if case .weigh(let component) = step {
                guard let next = eviction.weighed(try await self.weight(of: component, in: ground)) else { continue }
                step = next
            }
            switch step {
            case .look(let mark):
                let page = try await self.ledger.leastRecent(in: ground.repository.id, after: mark, limit: Self.page)
                eviction.found(page, isLast: page.count < Self.page)
            case .probe(let asset): eviction.probed(isFree: try await self.isFree(asset, in: ground))
            case .renew(let component, let moment):
                let assets = try await self.ledger.component(component, in: ground.repository.id)?.assets ?? []
                try await self.ledger.renew(assets.map(\.id), to: moment)
            case .evict(let component): eviction.freed(try await self.evict(component, from: ground))
            case .remove(let files): eviction.freed(try await self.remove(files, from: ground))
            case .weigh: break
            case .done: return
            }
        }
    }

    func count(_ repository: RepositoryID, bytes: Int64, components: Int = 0, files: Int = 0) {
        self.sums.withLock { sums in
            sums[repository, default: Figures()].bytes += bytes
            sums[repository, default: Figures()].components += Int64(components)
            sums[repository, default: Figures()].files += Int64(files)
        }
    }

    func moment() -> Timestamp { self.now() }
}

extension Result where Failure == any Error, Success: Sendable {
    /// What `work` came to, so that what comes after it runs either way.
    fileprivate init(_ work: () async throws -> Success) async {
        do { self = .success(try await work()) } catch { self = .failure(error) }
    }
}
