import AccessControl
public import ArtifactModel
import FormatAPI
import HTTPTypes

/// How long an answer may be given again to the same request of somebody who is nobody in particular: while nothing has changed in the repositories that
/// it was read from, and while what came from an upstream is fresh.
public struct Standing: Sendable {
    /// So that nothing that was overlooked here can last.
    private static let longest = Duration.seconds(60)

    private let marks: [ChangeCounters.Mark]
    private let since: Timestamp
    private let until: Timestamp
    private let uses: [@Sendable () -> Void]

    /// - Parameter marks: taken before anything was read.
    init(_ marks: [ChangeCounters.Mark], _ terms: RepetitionTerms, now: Timestamp) {
        self.marks = marks
        self.since = now
        self.until = min(terms.until ?? now + Self.longest, now + Self.longest)
        self.uses = terms.uses
    }

    /// Not before it was made either: a clock that is set back must not make it last.
    public func holds(at now: Timestamp) -> Bool { now >= self.since && now < self.until && self.marks.allSatisfy(\.holds) }

    /// What it takes in memory, about, in bytes.
    public var cost: Int { 64 + 32 * self.marks.count + 192 * self.uses.count }

    /// Notes what is noted of every answer: that files are used.
    public func noteUse() {
        for use in self.uses { use() }
    }
}

extension IncomingRequest {
    /// Whether it says all that an answer depends on.
    var isPlain: Bool { (self.method == .get || self.method == .head) && self.credentials == .none && self.explain == .not }
}
