import FormatAPI
import HTTPTypes

extension Delivery {
    /// What a request says of the bytes it wants. What cannot be read as one range is as if nothing were said: the server cuts it out of the
    /// whole later.
    init(_ method: HTTPRequest.Method, _ headers: HTTPFields) {
        guard method != .head else {
            self = .head
            return
        }
        // With a condition the whole may be what is sent.
        guard method == .get, headers[.ifRange] == nil, let range = headers[.range].flatMap(Self.first) else {
            self = .whole
            return
        }
        self = .part(range)
    }

    /// A part of no bytes, which no file has.
    var isOfNothing: Bool {
        switch self {
        case .part(.last(0)): true
        case .part(.from(let start)): start >= Self.farthest
        case .part(.closed(let range)): range.lowerBound >= Self.farthest
        case .whole, .head, .part(.last): false
        }
    }

    /// No file is so large, and sums of such numbers stay numbers.
    private static let farthest: Int64 = 1 << 60

    private static func first(_ header: String) -> PartialRange? {
        guard header.lowercased().hasPrefix("bytes=") else { return nil }
        guard let part = header.dropFirst(6).split(separator: ",").first else { return nil }
        let sides = part.split(separator: "-", omittingEmptySubsequences: false).map { $0.filter { $0 != " " && $0 != "\t" } }
        guard sides.count == 2 else { return nil }
        if sides[0].isEmpty { return Self.number(sides[1]).map { .last($0) } }
        guard let first = Self.number(sides[0]) else { return nil }
        if sides[1].isEmpty { return .from(first) }
        guard let last = Self.number(sides[1]), last >= first, last < .max else { return nil }
        return .closed(first..<last + 1)
    }

    private static func number(_ text: String) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64(text)
    }
}
