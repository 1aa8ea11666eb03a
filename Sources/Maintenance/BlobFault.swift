/// Something about one blob that is not as it should be.
public struct BlobFault: Hashable, Sendable, Codable {
    public enum Kind: String, Hashable, Sendable, Codable, CaseIterable {
        /// The bytes hash to something else, or the disk does not give them.
        case corrupt
        /// A row without bytes.
        case missing
        /// Bytes without a row.
        case orphaned
        /// A row that says another size than the bytes have.
        case wrongSize
        /// Known as lost; absent for clients until one brings the bytes again.
        case lost
        /// Marked as lost, and the bytes are there and good.
        case found
    }
    public enum Outcome: String, Hashable, Sendable, Codable {
        case reported, corrected, copied, leftToCollector
        /// Nothing had the bytes: clients are told that they are absent, so that they push them again.
        case markedLost
    }
    public struct Referrer: Hashable, Sendable, Codable {
        public var repository: String
        public var path: String
    }
    public var kind: Kind
    public var store: String
    /// `sha256:…`
    public var digest: String
    /// In bytes: of what is stored, or of the row where nothing is.
    public var size: Int64
    public var referrerCount: Int64 = 0
    /// The first of them.
    public var referrers: [Referrer] = []
    public var outcome = Outcome.reported

    public var isRepaired: Bool { self.outcome != .reported && self.outcome != .markedLost }
}

/// What a verification came to.
public struct VerificationReport: Hashable, Sendable, Codable {
    public struct Figure: Hashable, Sendable, Codable {
        public var count = 0
        /// In bytes.
        public var bytes: Int64 = 0
        public var repaired = 0
    }
    /// More are counted and not listed.
    public static let listed = 1000

    public var blobs: Int64 = 0
    /// That were read, in bytes.
    public var bytes: Int64 = 0
    /// By `BlobFault.Kind`; kinds that were not found are not there.
    public var figures: [String: Figure] = [:]
    public var faults: [BlobFault] = []
    /// Rows that a dead process had marked for removal; repaired by a collection.
    public var leftMarked = 0
    public var leftMarkedRemoved = 0
    /// What lies in quarantine, by digest.
    public var quarantine: [String] = []

    /// Nothing is wrong that was not repaired.
    public var isSound: Bool { self.figures.values.allSatisfy { $0.repaired == $0.count } && self.leftMarkedRemoved == self.leftMarked }

    mutating func add(_ fault: BlobFault) {
        var figure = self.figures[fault.kind.rawValue] ?? Figure()
        figure.count += 1
        figure.bytes += fault.size
        if fault.isRepaired { figure.repaired += 1 }
        self.figures[fault.kind.rawValue] = figure
        if self.faults.count < Self.listed { self.faults.append(fault) }
    }
}
