public import ArtifactModel
public import StorageAPI
import Synchronization

/// How much each bounded cache keeps: what was counted last, and what has come since. Bytes that came twice are counted twice until they are
/// counted anew, and what went is not taken off: a cache never has more than this says.
public final class CacheMeter: Sendable {
    private struct Reading: Sendable {
        var counted: Int64?
        var arrived: Int64 = 0
        var isTold = false
    }

    /// In bytes, by repository.
    public let bounds: [RepositoryID: Int64]
    private let readings = Mutex<[RepositoryID: Reading]>([:])
    private let signal: AsyncStream<RepositoryID>.Continuation
    /// Caches that pass their bounds, as they do. For one reader.
    let overflows: AsyncStream<RepositoryID>

    public init(bounds: [RepositoryID: Int64]) {
        self.bounds = bounds
        (self.overflows, self.signal) = AsyncStream.makeStream(of: RepositoryID.self, bufferingPolicy: .bufferingNewest(max(1, bounds.count)))
    }

    /// Of every edit, after its commit.
    public func committed(_ edit: RepositoryEdit) {
        guard let bound = self.bounds[edit.repository] else { return }
        let bytes = edit.edit.changes.reduce(Int64(0)) { $0 + $1.arriving }
        guard bytes > 0 else { return }
        let passes = self.readings.withLock { readings in
            var reading = readings[edit.repository, default: Reading()]
            defer { readings[edit.repository] = reading }
            reading.arrived += bytes
            guard !reading.isTold, let counted = reading.counted, counted + reading.arrived > bound else { return false }
            reading.isTold = true
            return true
        }
        if passes { self.signal.yield(edit.repository) }
    }

    /// In bytes; nil: not counted since the start.
    public func size(of repository: RepositoryID) -> Int64? {
        self.readings.withLock { readings in readings[repository].flatMap { reading in reading.counted.map { $0 + reading.arrived } } }
    }

    /// To be taken before counting begins.
    func arrived(in repository: RepositoryID) -> Int64 { self.readings.withLock { $0[repository]?.arrived ?? 0 } }

    /// - Parameter before: what had arrived when the count began.
    func counted(_ bytes: Int64, in repository: RepositoryID, arrivedBefore before: Int64) {
        self.readings.withLock { readings in
            var reading = readings[repository, default: Reading()]
            reading.counted = bytes
            reading.arrived -= before
            // Where nothing could be let go of, the next round tries again, and not the next byte.
            reading.isTold = bytes > self.bounds[repository] ?? .max
            readings[repository] = reading
        }
    }
}

extension Edit.Change {
    /// In bytes, of files that are put.
    fileprivate var arriving: Int64 {
        switch self {
        case .put(let component), .extend(let component, _): component.assets.reduce(0) { $0 + $1.blob.size }
        case .putAsset(let asset, _): asset.blob.size
        case .remove, .removeFragment, .setPackage, .patchPackage, .removeAsset, .link, .point, .unpoint, .renew: 0
        }
    }
}
