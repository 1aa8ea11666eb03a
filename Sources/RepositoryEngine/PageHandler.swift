/// Answers what is neither an artifact nor a probe: the pages and the server's own API.
public protocol PageHandler: Sendable {
    /// nil: there is no such page, and the address may be an artifact's.
    func answer(_ request: IncomingRequest) async -> RequestOutcome?
    /// Why who sends this may not read `/metrics`; nil: they may.
    func refusalOfMetrics(_ request: IncomingRequest) async -> RequestOutcome?
}

/// No pages, and metrics for everyone.
public struct NoPages: PageHandler {
    public init() {}
    public func answer(_ request: IncomingRequest) async -> RequestOutcome? { nil }
    public func refusalOfMetrics(_ request: IncomingRequest) async -> RequestOutcome? { nil }
}
