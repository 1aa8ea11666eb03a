import ArtifactModel

/// A line of the access log for an answer that is ready, but for what is each request's own.
struct ReadyLine: Sendable {
    let method: [UInt8]
    /// From the operation to the end.
    let rest: [UInt8]

    var cost: Int { self.method.count + self.rest.count }

    init(_ record: AccessRecord) {
        var method = JSONLine.members
        method.add("method", record.method)
        var rest = JSONLine.members
        AccessLog.add(rest: record, to: &rest)
        (self.method, self.rest) = (method.written, rest.finished())
    }
}
