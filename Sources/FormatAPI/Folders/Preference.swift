public import HTTPTypes

/// What a client would rather have, by `Accept`: RFC 9110, section 12.5.1.
public struct Preference: Sendable {
    private var ranges: [(type: String, quality: Double)] = []

    public init(_ headers: HTTPFields) {
        for line in headers[values: .accept] {
            for range in line.split(separator: ",") {
                let parts = range.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
                guard let type = parts.first, !type.isEmpty else { continue }
                let quality = parts.dropFirst().first { $0.hasPrefix("q=") }.flatMap { Double($0.dropFirst(2)) } ?? 1
                self.ranges.append((type, min(max(quality, 0), 1)))
            }
        }
    }

    /// Whether the client asks for `type` more than for `other`. What it does not tell apart is no preference.
    public func prefers(_ type: String, to other: String) -> Bool { self.quality(type) > self.quality(other) }

    private func quality(_ type: String) -> Double {
        let family = type.prefix { $0 != "/" } + "/*"
        for wanted in [type, String(family), "*/*"] {
            if let range = self.ranges.first(where: { $0.type == wanted }) { return range.quality }
        }
        return self.ranges.isEmpty ? 1 : 0
    }
}
