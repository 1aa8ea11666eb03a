import Synchronization

/// What is found out while a request is answered, and concerns the answer where it has no content that could say so.
public final class RequestNotes: Sendable {
    private let report = Mutex<CacheReport?>(nil)
    /// nil: nobody asks why.
    public let trace: DecisionTrace?

    public init(trace: DecisionTrace? = nil) { self.trace = trace }

    /// What a cache had to say last; nil: none was asked.
    public var cache: CacheReport? { self.report.withLock { $0 } }
    public func add(_ cache: CacheReport) { self.report.withLock { $0 = cache } }
}
