/// How far long work has come: for people at a terminal, and nothing to compute with.
struct JobProgress: Codable, Hashable, Sendable {
    /// «verified»: what was done to so many items and bytes.
    var work: String
    var items: Int64
    /// nil: not known.
    var totalItems: Int64?
    var bytes: Int64?
    /// nil: not known.
    var totalBytes: Int64?
    var note: String?

    init(_ work: String, items: Int64, totalItems: Int64? = nil, bytes: Int64? = nil, totalBytes: Int64? = nil, note: String? = nil) {
        self.work = work
        self.items = items
        self.totalItems = totalItems
        self.bytes = bytes
        self.totalBytes = totalBytes
        self.note = note
    }
}

typealias JobReporter = @Sendable (JobProgress) async -> Void

/// A line of a job's answer. Exactly one field is there; the last line has `report` or `error`, and an answer without either broke off.
struct JobEvent<Report: Codable & Sendable>: Codable, Sendable {
    var progress: JobProgress?
    var report: Report?
    var error: String?
}
