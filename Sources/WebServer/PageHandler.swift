public import RepositoryEngine

/// Answers what is neither an artifact nor a probe: the pages and the server's own API.
public protocol PageHandler: Sendable {
    /// nil: there is no such page, and the address may be an artifact's.
    func answer(_ request: IncomingRequest) async -> RequestOutcome?
    /// Whether who sends this may read `/metrics`.
    func mayReadMetrics(_ request: IncomingRequest) async -> Bool
}

/// No pages, and metrics for everyone.
public struct NoPages: PageHandler {
    public init() {}
    public func answer(_ request: IncomingRequest) async -> RequestOutcome? { nil }
    public func mayReadMetrics(_ request: IncomingRequest) async -> Bool { true }
}
