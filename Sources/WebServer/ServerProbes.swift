/// What the server asks the rest of the process for, to answer `/health/ready` and `/metrics`.
public struct ServerProbes: Sendable {
    /// What keeps the process from serving, in words without secrets; empty: it is ready.
    public var problems: @Sendable () async -> [String]
    /// Figures of other parts, read at every scrape: cheap ones.
    public var samples: @Sendable () async -> [MetricSample]

    public init(
        problems: @escaping @Sendable () async -> [String] = { [] }, samples: @escaping @Sendable () async -> [MetricSample] = { [] }
    ) {
        self.problems = problems
        self.samples = samples
    }
}

/// One figure of Prometheus' text format.
public struct MetricSample: Sendable {
    public enum Kind: String, Sendable { case counter, gauge, histogram }
    /// `entrepot_blob_bytes`.
    public var name: String
    public var help: String
    public var kind: Kind
    public var labels: [(name: String, value: String)]
    public var value: Double
    /// Of a histogram's series: `_bucket`, with the label `le`, cumulative; `_sum`; `_count`.
    public var suffix: String

    public init(_ name: String, help: String, kind: Kind = .gauge, labels: [(name: String, value: String)] = [], value: Double, suffix: String = "") {
        self.name = name
        self.suffix = suffix
        self.help = help
        self.kind = kind
        self.labels = labels
        self.value = value
    }
}
