public import ArtifactModel
public import StorageAPI
import Synchronization

/// Look-ups of assets and pointers, remembered. For the one process that owns its database: every commit passes through here.
///
/// A row read before a commit must not be remembered after it. Each reader takes the epoch before it reads, each commit raises it
/// when it is through, and a row is kept only where the epoch has not moved.
public final class CachedMetadata: MetadataStore {
    private struct AssetKey: Hashable, Sendable {
        var repository: RepositoryID
        var path: AssetPath
    }
    private struct PointerKey: Hashable, Sendable {
        var repository: RepositoryID
        var name: PointerName
    }
    private struct StateKey: Hashable, Sendable {
        var repository: RepositoryID
        var subject: String
        static func == (a: Self, b: Self) -> Bool { a.repository == b.repository && ByteText.equal(a.subject, b.subject) }
        func hash(into hasher: inout Hasher) {
            hasher.combine(self.repository)
            ByteText.hash(self.subject, into: &hasher)
        }
    }
    private struct PackageKey: Hashable, Sendable {
        var repository: RepositoryID
        var package: PackageName
    }
    private struct Holding: Sendable {
        var isHeld: Bool
        var marks: [ChangeCounters.Mark]
    }
    private struct State: Sendable {
        var epoch: UInt64 = 0
        var upstreams: LeastRecentlyUsed<StateKey, UpstreamState>
        var assets: LeastRecentlyUsed<AssetKey, StoredAsset>
        var pointers: LeastRecentlyUsed<PointerKey, String>
        /// What is not there: a group asks its members one after the other. Apart, so that whoever asks for many such names drives nothing out.
        var absentAssets: LeastRecentlyUsed<AssetKey, Bool>
        var absentPointers: LeastRecentlyUsed<PointerKey, Bool>
        var generations: LeastRecentlyUsed<DocumentPlace, Int64>
        /// A group asks each time whether a hosted member has a package.
        var holdings: LeastRecentlyUsed<PackageKey, Holding>

        mutating func remove(_ key: AssetKey) { self.assets.remove(key) }
        mutating func removeAssets() {
            self.assets.removeAll()
            self.absentAssets.removeAll()
        }
        mutating func remove(_ key: PointerKey) {
            self.pointers.remove(key)
            self.absentPointers.remove(key)
        }
    }

    private let store: any MetadataStore
    private let state: Mutex<State>
    private let onCommit: @Sendable (RepositoryEdit) -> Void
    /// Raised by everything that passes here.
    public let changes = ChangeCounters()

    /// - Parameter rows: how many assets, and as many pointers, are remembered.
    /// - Parameter onCommit: told of every edit that was committed.
    public init(_ store: any MetadataStore, rows: Int = 4096, onCommit: @escaping @Sendable (RepositoryEdit) -> Void = { _ in }) {
        self.store = store
        self.onCommit = onCommit
        self.state = Mutex(
            State(
                upstreams: LeastRecentlyUsed(capacity: rows), assets: LeastRecentlyUsed(capacity: rows), pointers: LeastRecentlyUsed(capacity: rows),
                absentAssets: LeastRecentlyUsed(capacity: rows), absentPointers: LeastRecentlyUsed(capacity: rows),
                generations: LeastRecentlyUsed(capacity: rows), holdings: LeastRecentlyUsed(capacity: rows)))
    }

    public func asset(at path: AssetPath, in repository: RepositoryID) async throws(MetadataError) -> StoredAsset? {
        let key = AssetKey(repository: repository, path: path)
        let (kept, isAbsent, epoch) = self.state.withLock { state in
            let kept = state.assets.value(of: key)
            return (kept, kept == nil && state.absentAssets.value(of: key) != nil, state.epoch)
        }
        if kept != nil || isAbsent { return kept }
        let asset = try await self.store.asset(at: path, in: repository)
        self.state.withLock { state in
            guard state.epoch == epoch else { return }
            if let asset { state.assets.insert(asset, for: key) } else { state.absentAssets.insert(true, for: key) }
        }
        return asset
    }

    public func pointer(_ name: PointerName, in repository: RepositoryID) async throws(MetadataError) -> String? {
        let key = PointerKey(repository: repository, name: name)
        let (kept, isAbsent, epoch) = self.state.withLock { state in
            let kept = state.pointers.value(of: key)
            return (kept, kept == nil && state.absentPointers.value(of: key) != nil, state.epoch)
        }
        if kept != nil || isAbsent { return kept }
        let target = try await self.store.pointer(name, in: repository)
        self.state.withLock { state in
            guard state.epoch == epoch else { return }
            if let target { state.pointers.insert(target, for: key) } else { state.absentPointers.insert(true, for: key) }
        }
        return target
    }

    public func upstreamState(of subject: String, in repository: RepositoryID) async throws(MetadataError) -> UpstreamState? {
        let key = StateKey(repository: repository, subject: subject)
        let (kept, epoch) = self.state.withLock { ($0.upstreams.value(of: key), $0.epoch) }
        if let kept { return kept }
        let state = try await self.store.upstreamState(of: subject, in: repository)
        if let state {
            self.state.withLock { if $0.epoch == epoch { $0.upstreams.insert(state, for: key) } }
        }
        return state
    }

    public func generations(of documents: [DocumentPlace]) async throws(MetadataError) -> [Int64] {
        let (kept, epoch) = self.state.withLock { state in (documents.map { state.generations.value(of: $0) }, state.epoch) }
        if case let all = kept.compactMap({ $0 }), all.count == documents.count { return all }
        let generations = try await self.store.generations(of: documents)
        self.state.withLock { state in
            guard state.epoch == epoch else { return }
            for (document, generation) in zip(documents, generations) { state.generations.insert(generation, for: document) }
        }
        return generations
    }

    public func fragments(of document: DocumentPlace, after mark: StoredFragment?, limit: Int) async throws(MetadataError) -> [StoredFragment] {
        try await self.store.fragments(of: document, after: mark, limit: limit)
    }

    public func bytes(ofFragments numbers: [Int64]) async throws(MetadataError) -> [[UInt8]?] { try await self.store.bytes(ofFragments: numbers) }

    public func expireUpstreamStates(_ prefix: String, in repository: RepositoryID) async throws(MetadataError) -> Int {
        defer {
            self.state.withLock { state in
                state.epoch += 1
                state.upstreams.removeAll()
            }
            self.changes.raise(repository)
        }
        return try await self.store.expireUpstreamStates(prefix, in: repository)
    }

    public func rows(_ query: ContentQuery, in repository: RepositoryID) async throws(MetadataError) -> ContentPage {
        try await self.store.rows(query, in: repository)
    }

    public func holds(_ package: PackageName, in repository: RepositoryID) async throws(MetadataError) -> Bool {
        let key = PackageKey(repository: repository, package: package)
        if let kept = self.state.withLock({ $0.holdings.value(of: key) }), kept.marks.allSatisfy(\.holds) { return kept.isHeld }
        let marks = self.changes.marks(of: [repository])
        let isHeld = try await self.store.holds(package, in: repository)
        // Read before a commit, it is no answer after it: its marks do not hold then.
        self.state.withLock { $0.holdings.insert(Holding(isHeld: isHeld, marks: marks), for: key) }
        return isHeld
    }

    public func commit(_ edit: RepositoryEdit) async throws(MetadataError) {
        do {
            try await self.store.commit(edit)
        } catch {
            // An error may come after the transaction took effect (an IOERR at the end), so what was remembered is not trusted.
            self.forget(edit)
            throw error
        }
        self.forget(edit)
        self.onCommit(edit)
    }

    /// Forgets every asset: a blob's row has changed, and many may name it.
    public func forgetAssets() {
        self.state.withLock { state in
            state.epoch += 1
            state.removeAssets()
        }
        self.changes.raiseAll()
    }

    private func forget(_ edit: RepositoryEdit) {
        self.state.withLock { state in
            state.epoch += 1
            for upstream in edit.states {
                state.upstreams.remove(StateKey(repository: edit.repository, subject: upstream.subject))
            }
            for change in edit.edit.changes { Self.forget(change, in: edit.repository, &state) }
            // Bytes that were lost and have come again are there under every path that names them.
            if edit.edit.addsAssets { state.absentAssets.removeAll() }
            Self.forgetDocuments(of: edit, &state)
        }
        self.changes.raise(edit.repository)
    }

    /// Of a component that is put anew or removed, the documents that it was in are known to the store alone.
    private static func forgetDocuments(of edit: RepositoryEdit, _ state: inout State) {
        for document in edit.edit.touches { state.generations.remove(DocumentPlace(edit.repository, document)) }
        for change in edit.edit.changes {
            switch change {
            case .put, .remove: return state.generations.removeAll()
            case .extend(let component, _):
                for fragment in component.fragments { state.generations.remove(DocumentPlace(edit.repository, fragment.document)) }
            case .removeFragment(let document, _, _): state.generations.remove(DocumentPlace(edit.repository, document))
            case .setPackage, .patchPackage, .putAsset, .removeAsset, .link, .renew, .point, .unpoint: break
            }
        }
    }

    private static func forget(_ change: Edit.Change, in repository: RepositoryID, _ state: inout State) {
        switch change {
        // Of a component with one asset, the path follows from its coordinates; of others, some may have gone that are not named here.
        case .put(let component) where component.assets.count != 1: state.removeAssets()
        case .put(let component), .extend(let component, _):
            for asset in component.assets { state.remove(AssetKey(repository: repository, path: asset.path)) }
        // The rows that go with a component are known to the store alone; removals are rare.
        case .remove:
            state.removeAssets()
            state.pointers.removeAll()
        case .setPackage, .patchPackage, .removeFragment: break
        case .putAsset(let asset, _): state.remove(AssetKey(repository: repository, path: asset.path))
        case .removeAsset(let path): state.remove(AssetKey(repository: repository, path: path))
        case .link(let path, _, _, _), .renew(let path): state.remove(AssetKey(repository: repository, path: path))
        case .point(let name, _, _): state.remove(PointerKey(repository: repository, name: name))
        case .unpoint(let name): state.remove(PointerKey(repository: repository, name: name))
        }
    }
}

extension Edit {
    fileprivate var addsAssets: Bool {
        self.changes.contains { change in
            switch change {
            case .put, .extend, .putAsset, .link: true
            case .setPackage, .patchPackage, .remove, .removeFragment, .removeAsset, .renew, .point, .unpoint: false
            }
        }
    }
}
