/// What a `Range` header asks for. RFC 9110, 14.2.
enum ByteRanges: Hashable {
    static let most = 64

    /// No such header, another unit, or one that is malformed: it is as if it were not there.
    case ignored
    case tooMany
    case unsatisfiable
    /// In ascending order, none touching another.
    case ranges([Range<Int64>])

    init(_ header: String?, size: Int64) {
        guard let header, let equals = header.firstIndex(of: "="), header[..<equals].trimmedSpace.lowercased() == "bytes" else {
            self = .ignored
            return
        }
        let parts = header[header.index(after: equals)...].split(separator: ",").map(\.trimmedSpace).filter { !$0.isEmpty }
        guard parts.count <= Self.most else {
            self = .tooMany
            return
        }
        var ranges: [Range<Int64>] = []
        for part in parts {
            switch Self.range(part, size) {
            case nil:
                self = .ignored
                return
            case .some(let range) where range.isEmpty: continue
            case .some(let range): ranges.append(range)
            }
        }
        self = parts.isEmpty ? .ignored : ranges.isEmpty ? .unsatisfiable : .ranges(Self.joined(ranges))
    }

    /// nil where malformed; empty where it lies outside.
    private static func range(_ text: Substring, _ size: Int64) -> Range<Int64>? {
        let sides = text.split(separator: "-", omittingEmptySubsequences: false).map(\.trimmedSpace)
        guard sides.count == 2 else { return nil }
        if sides[0].isEmpty {
            guard let count = Self.number(sides[1]) else { return nil }
            return max(0, size - count)..<size
        }
        guard let first = Self.number(sides[0]) else { return nil }
        guard !sides[1].isEmpty else { return min(first, size)..<size }
        guard let last = Self.number(sides[1]) else { return nil }
        // Of a range that ends before it begins a client means some part; given all of it, one that resumes appends it. RFC 9110, 14.2.
        guard last >= first else { return size..<size }
        return min(first, size)..<(last < size ? last + 1 : size)
    }

    /// Digits alone; what does not fit is as good as the greatest number.
    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        return Int64(text) ?? .max
    }

    private static func joined(_ ranges: [Range<Int64>]) -> [Range<Int64>] {
        var out: [Range<Int64>] = []
        for range in ranges.sorted(by: { $0.lowerBound < $1.lowerBound }) {
            if let last = out.last, range.lowerBound <= last.upperBound {
                out[out.count - 1] = last.lowerBound..<max(last.upperBound, range.upperBound)
            } else {
                out.append(range)
            }
        }
        return out
    }
}
