public import ArtifactModel
import Synchronization

/// What is found out while a request is answered, and concerns the answer where it has no content that could say so.
public final class RequestNotes: Sendable {
    private let report = Mutex<CacheReport?>(nil)
    private let terms = Mutex(RepetitionTerms())
    /// nil: nobody asks why.
    public let trace: DecisionTrace?

    public init(trace: DecisionTrace? = nil) { self.trace = trace }

    /// What a cache had to say last; nil: none was asked.
    public var cache: CacheReport? { self.report.withLock { $0 } }
    public func add(_ cache: CacheReport) { self.report.withLock { $0 = cache } }

    // MARK: What the same request would be answered

    /// How the answer depends on time; nil: on more than rows, bytes and time, so that it must not be given again unasked.
    public var repetition: RepetitionTerms? { self.terms.withLock { $0.open == 0 && !$0.isOnce ? $0 : nil } }
    /// A cache is asked. Unless it says that what it gives stands, the answer is good for once.
    public func beginQuestion() { self.terms.withLock { $0.open += 1 } }
    /// What the cache that was asked gives stays right as long as its rows do not change.
    /// - Parameter until: and no longer than that; nil: for good.
    public func stands(until: Timestamp?) { self.terms.withLock { $0.settle(until) } }
    /// The answer is right once.
    public func standsOnce() { self.terms.withLock { $0.isOnce = true } }
    /// - Parameter use: what has to be noted each time that the answer is given.
    public func add(_ use: @escaping @Sendable () -> Void) { self.terms.withLock { $0.uses.append(use) } }
}

/// On what, beside rows and bytes, an answer depends that may be given again.
public struct RepetitionTerms: Sendable {
    /// Questions to caches that have not said that their answer stands.
    fileprivate var open = 0
    fileprivate var isOnce = false
    /// nil: time changes nothing.
    public private(set) var until: Timestamp?
    /// To be called each time that the answer is given.
    public fileprivate(set) var uses: [@Sendable () -> Void] = []

    fileprivate mutating func settle(_ until: Timestamp?) {
        self.open -= 1
        guard let until else { return }
        self.until = self.until.map { min($0, until) } ?? until
    }
}
