/// Which paths a repository may be asked about, by anyone.
public struct RoutingRule: Hashable, Sendable {
    public enum Mode: String, Hashable, Sendable, CaseIterable { case allow, block }
    public var name: String
    public var mode: Mode
    /// One that is found anywhere in the path is enough.
    public var matchers: [LinearExpression]
    public init(name: String, mode: Mode, matchers: [LinearExpression]) {
        self.name = name
        self.mode = mode
        self.matchers = matchers
    }

    /// - Parameter path: within the repository, decoded once, with its leading slash.
    public func allows(_ path: String) -> Bool {
        self.matchers.contains { $0.isFound(in: path) } == (self.mode == .allow)
    }
}
