public import FormatAPI

/// The path and query of a request line, split first and decoded after.
public struct RequestTarget: Sendable {
    /// Longest request target that is read, in bytes.
    public static let longest = 8192

    /// Decoded. A trailing slash leaves an empty last segment; `/` is an empty list.
    public let path: [String]
    /// As they came, one for each of `path`: a URL that is written back keeps the client's spelling.
    public let encoded: [String]
    public let query: [(name: String, value: String)]

    /// - Parameter target: in origin form, `/a/b%2Fc?d=e`.
    /// - Throws: `.invalidRequest` for what is no path, or no safe one: bad escapes, invalid UTF-8, NUL, `.` and `..` segments, empty
    ///   segments but the last, and more than `longest` bytes.
    public init(_ target: String) throws(FormatError) {
        guard target.utf8.count <= Self.longest else { throw FormatError(.invalidRequest, "the URL is longer than \(Self.longest) bytes") }
        guard target.utf8.first == UInt8(ascii: "/") else { throw FormatError(.invalidRequest, "the URL's path must begin with a slash") }
        // By bytes: on the way of every request, and the characters that matter are ASCII.
        let question = target.utf8.firstIndex(of: UInt8(ascii: "?"))
        let path = target.utf8[..<(question ?? target.utf8.endIndex)].dropFirst()
        let segments = path.isEmpty ? [] : path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        self.encoded = segments.map { String(Substring($0)) }
        self.path = try Self.decoded(self.encoded)
        self.query = try question.map { mark throws(FormatError) in try Self.parameters(target[target.utf8.index(after: mark)...]) } ?? []
    }

    /// The same without the parameters of this name.
    public func without(_ parameter: String) -> RequestTarget {
        RequestTarget(path: self.path, encoded: self.encoded, query: self.query.filter { $0.name != parameter })
    }

    /// Another path with the same query.
    func with(path: [String]) -> RequestTarget { RequestTarget(path: path, encoded: path, query: self.query) }

    private init(path: [String], encoded: [String], query: [(name: String, value: String)]) {
        self.path = path
        self.encoded = encoded
        self.query = query
    }

    private static func decoded(_ segments: [String]) throws(FormatError) -> [String] {
        var path: [String] = []
        for (index, segment) in segments.enumerated() {
            guard let decoded = Self.decoded(Substring(segment), plusIsSpace: false) else {
                throw FormatError(.invalidRequest, "the URL's path has a bad percent escape or is not UTF-8")
            }
            guard decoded != ".", decoded != "..", !decoded.utf8.contains(0) else {
                throw FormatError(.invalidRequest, "the URL's path must not hold «.», «..» or NUL")
            }
            guard !decoded.isEmpty || index == segments.count - 1 else {
                throw FormatError(.invalidRequest, "the URL's path has an empty segment")
            }
            path.append(decoded)
        }
        return path
    }

    private static func parameters(_ text: Substring) throws(FormatError) -> [(name: String, value: String)] {
        var out: [(name: String, value: String)] = []
        for pair in text.split(separator: "&") {
            let sides = pair.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard let name = Self.decoded(sides[0], plusIsSpace: true), let value = sides.count == 2 ? Self.decoded(sides[1], plusIsSpace: true) : "" else {
                throw FormatError(.invalidRequest, "the URL's query has a bad percent escape or is not UTF-8")
            }
            out.append((name, value))
        }
        return out
    }

    /// nil: a bad escape, or no UTF-8.
    static func decoded(_ text: Substring, plusIsSpace: Bool) -> String? {
        let bytes = text.utf8
        guard bytes.contains(where: { $0 == UInt8(ascii: "%") || $0 == UInt8(ascii: "+") || $0 >= 0x80 }) else { return String(text) }
        var out: [UInt8] = []
        out.reserveCapacity(bytes.count)
        var at = bytes.startIndex
        while at < bytes.endIndex {
            let byte = bytes[at]
            at = bytes.index(after: at)
            switch byte {
            case UInt8(ascii: "%"):
                guard at < bytes.endIndex, let high = Self.nibble(bytes[at]) else { return nil }
                at = bytes.index(after: at)
                guard at < bytes.endIndex, let low = Self.nibble(bytes[at]) else { return nil }
                at = bytes.index(after: at)
                out.append(high << 4 | low)
            case UInt8(ascii: "+") where plusIsSpace: out.append(UInt8(ascii: " "))
            default: out.append(byte)
            }
        }
        return String(validating: out, as: UTF8.self)
    }

    private static func nibble(_ character: UInt8) -> UInt8? {
        switch character {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
        case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
        default: nil
        }
    }
}
