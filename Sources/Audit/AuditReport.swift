/// What a verification found.
public struct AuditReport: Codable, Hashable, Sendable {
    /// One thing that is not as it was written.
    public struct Finding: Codable, Hashable, Sendable {
        public enum Kind: String, Codable, Hashable, Sendable {
            /// A line is not what its successor, or the metadata, says it was.
            case changed
            /// Lines between two others are gone.
            case missing
            /// A line that the chain does not have.
            case inserted
            /// A line that stands in another place than it was written to.
            case reordered
            /// Bytes at a segment's end that are no whole line.
            case torn
            case segmentMissing
            /// Lines that were written after the last one that is there.
            case endMissing
        }
        public var kind: Kind
        /// Its file's name; the one before which, or at whose end, something is missing.
        public var segment: String
        /// In the file, from 1 on; the line before which something is missing; 0: at the end.
        public var line: Int64
        /// How many lines are alike, one after the other.
        public var count: Int64
        /// The number of the first of them in the chain; nil: it has none.
        public var seq: Int64?
        /// For people.
        public var message: String
    }

    public var segments = 0
    /// With those that begin a segment.
    public var lines: Int64 = 0
    public var bytes: Int64 = 0
    public var firstSeq: Int64?
    public var lastSeq: Int64?
    /// As the line has it.
    public var firstTime: String?
    public var lastTime: String?
    /// The first of them, at most `mostFindings`.
    public var findings: [Finding] = []
    public var findingCount = 0
    /// How many lines come after the last one that the metadata knows, where nobody writes: a process that was killed leaves some.
    public var behindMark: Int64 = 0
    /// Whether beginning and end were compared with what the metadata remembers; otherwise lines that were cut off the end are not missed.
    public var isCompared = false

    public static let mostFindings = 1000
    public var isSound: Bool { self.findingCount == 0 }

    public init() {}
}

/// How far a reading of the trail came.
public struct AuditProgress: Hashable, Sendable {
    public var lines: Int64 = 0
    public var bytes: Int64 = 0
    public var totalBytes: Int64 = 0
    public init() {}
}
