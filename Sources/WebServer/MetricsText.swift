/// Prometheus' text exposition format, version 0.0.4: families in the order of their first sample.
struct MetricsText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    private var families: [String: (kind: MetricSample.Kind, help: String, lines: [String])] = [:]
    private var order: [String] = []

    mutating func add(_ sample: MetricSample) {
        self.add(sample.name, sample.kind, sample.help, sample.name + sample.suffix, sample.labels, sample.value)
    }

    mutating func add(_ name: String, help: String, labels: [(name: String, value: String)], _ histogram: Histogram) {
        var below: Int64 = 0
        for (index, bound) in Histogram.bounds.enumerated() {
            below += histogram.counts[index]
            self.add(name, .histogram, help, name + "_bucket", labels + [("le", Self.number(bound))], Double(below))
        }
        below += histogram.counts[Histogram.bounds.count]
        self.add(name, .histogram, help, name + "_bucket", labels + [("le", "+Inf")], Double(below))
        self.add(name, .histogram, help, name + "_sum", labels, histogram.sum)
        self.add(name, .histogram, help, name + "_count", labels, Double(below))
    }

    var text: String {
        self.order.map { name in
            guard let family = self.families[name] else { return "" }
            return "# HELP \(name) \(family.help)\n# TYPE \(name) \(family.kind.rawValue)\n" + family.lines.joined()
        }.joined()
    }

    private mutating func add(
        _ family: String, _ kind: MetricSample.Kind, _ help: String, _ name: String, _ labels: [(name: String, value: String)], _ value: Double
    ) {
        if self.families[family] == nil {
            self.families[family] = (kind, help, [])
            self.order.append(family)
        }
        let inner = labels.map { "\($0.name)=\"\(Self.escaped($0.value))\"" }.joined(separator: ",")
        self.families[family]?.lines.append("\(name)\(inner.isEmpty ? "" : "{\(inner)}") \(Self.number(value))\n")
    }

    private static func number(_ value: Double) -> String {
        value == value.rounded() && abs(value) < 1e15 ? String(Int64(value)) : "\(value)"
    }

    private static func escaped(_ text: String) -> String {
        var out = ""
        for character in text {
            switch character {
            case "\\": out += "\\\\"
            case "\"": out += "\\\""
            case "\n": out += "\\n"
            default: out.append(character)
            }
        }
        return out
    }
}

/// Seconds, in fixed buckets.
struct Histogram: Sendable {
    static let bounds: [Double] = [0.001, 0.005, 0.025, 0.1, 0.5, 1, 5, 30, 120, 600]

    /// One for each bound, and one for what is beyond them; not cumulative.
    private(set) var counts = [Int64](repeating: 0, count: Histogram.bounds.count + 1)
    private(set) var sum = 0.0

    mutating func add(_ seconds: Double) {
        self.counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
        self.sum += seconds
    }

    mutating func add(_ other: Histogram) {
        for index in self.counts.indices { self.counts[index] += other.counts[index] }
        self.sum += other.sum
    }
}
