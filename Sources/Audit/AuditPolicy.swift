/// How the trail is kept: `audit` in the configuration.
public struct AuditPolicy: Hashable, Sendable {
    /// When what was written must have reached the disk.
    public enum Sync: Hashable, Sendable {
        /// After every write, before anything else is written.
        case always
        /// At most so long after it was written.
        case every(Duration)
        /// When the system likes: a power failure may cost the last half minute.
        case never
    }

    /// What happens while nothing can be recorded.
    public enum FailureChoice: String, Hashable, Sendable, CaseIterable {
        /// Work goes on; what was not recorded is counted, and a line says so later.
        case `continue`
        /// Nothing more is done until it can be.
        case refuse
    }

    public var sync: Sync = .every(.seconds(1))
    /// Segments whose youngest line is older are removed; nil: none is.
    public var retention: Duration? = .seconds(365 * 86400)
    /// A segment that has so many bytes gets no further line.
    public var segmentBytes: Int64 = 256 << 20
    public var onFailure: FailureChoice = .continue

    public init() {}
}

/// What metrics and status say of the trail.
public struct AuditFigures: Hashable, Sendable {
    /// Lines of events, since the start: `entrepot_audit_events_total`.
    public var written: Int64 = 0
    /// Events that no line tells of, and lines whose file was taken away, since the start: `entrepot_audit_lost_total`.
    public var lost: Int64 = 0
    /// Nothing can be recorded now: `entrepot_audit_failing`.
    public var isFailing = false
    /// Events that are not written yet: `entrepot_audit_waiting`.
    public var waiting = 0

    public init() {}
}

/// Why a trail cannot be opened, written or read.
public struct AuditError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Code: Hashable, Sendable {
        case noSpace
        /// The system refused an operation on a file.
        case io
        /// The file that is written was moved or removed; the next attempt goes on in another one.
        case taken
        /// The metadata did not give or take how far the trail goes.
        case metadata
    }
    public var code: Code
    /// For people; names no path.
    public var message: String
    /// For the log; may name files.
    public var cause: String
    public var description: String { "\(self.message) (\(self.cause))" }

    public init(_ code: Code, _ message: String, cause: String) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}
