import ArtifactModel
import FormatAPI
import HTTPTypes

/// What an upstream's answer says about the file and about which of its bytes follow.
struct AnswerHead: Hashable, Sendable {
    /// Where the body begins.
    var from: Int64
    /// Of the whole file; nil: unknown.
    var length: Int64?
    /// As they came; empty: none.
    var entityTag: String
    var lastModified: String
    /// Empty: not said.
    var contentType: String
    /// Since when the answer is known to hold, as caches on the way say. In seconds.
    var age: Int64
    /// What the format wants to be kept.
    var attributes: [String: String]

    /// - Throws: `.badAnswer`: a range that makes no sense, a page in the place of a file, an encoding that nobody asked for.
    init(_ answer: UpstreamAnswer, for resource: UpstreamResource) throws(UpstreamError) {
        let headers = answer.headers
        // They go on to clients, and back to the upstream: what is none in HTTP's grammar is as if it were not there.
        self.entityTag = headers[.eTag].flatMap(Self.tag) ?? ""
        self.lastModified = headers[.lastModified].flatMap { Self.moment($0) == nil ? nil : $0 } ?? ""
        self.contentType = headers[.contentType].flatMap(Self.type) ?? ""
        self.age = Self.age(headers)
        self.attributes = [:]
        for name in resource.keep {
            if let value = headers[name] { self.attributes[name.canonicalName] = value }
        }
        if let encoding = headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw UpstreamError(.trouble(.badAnswer), "the upstream encoded its answer (\(encoding)), which nobody asked for")
        }
        switch answer.status.code {
        case 206:
            guard let range = Self.range(headers[.contentRange] ?? "") else {
                throw UpstreamError(.trouble(.badAnswer), "the upstream's answer has no Content-Range that can be read")
            }
            if let declared = answer.body.length, declared != range.count {
                throw UpstreamError(.trouble(.badAnswer), "the upstream says it sends \(range.count) bytes, and then \(declared)")
            }
            (self.from, self.length) = (range.from, range.length)
        case 200:
            self.from = 0
            self.length = answer.body.length
        case let code:
            throw UpstreamError(.trouble(.badAnswer), "the upstream answered \(code), which is no answer to what it was asked")
        }
        if Self.isPage(self.contentType), !Self.mayBePage(resource) {
            throw UpstreamError(.trouble(.badAnswer), "the upstream answered with a web page")
        }
    }

    /// What ties two answers together: a strong tag, else a date.
    var validator: String? {
        if !self.entityTag.isEmpty, !self.entityTag.hasPrefix("W/") { return self.entityTag }
        return self.lastModified.isEmpty ? nil : self.lastModified
    }

    /// RFC 9111, 5.1 and 1.2.2: seconds, at most 2^31.
    static func age(_ headers: HTTPFields) -> Int64 { min(headers[.age].flatMap { Self.number($0[...]) } ?? 0, 1 << 31) }

    private static func mayBePage(_ resource: UpstreamResource) -> Bool {
        resource.mayBePage && (resource.accept.isEmpty || resource.accept.contains { Self.isPage($0) || $0 == "*/*" })
    }

    private static func isPage(_ type: String) -> Bool { type.lowercased().hasPrefix("text/html") }

    /// `bytes 0-9/100`, `bytes 0-9/*`. RFC 9110, 14.4.
    static func range(_ text: String) -> (from: Int64, count: Int64, length: Int64?)? {
        guard text.lowercased().hasPrefix("bytes ") else { return nil }
        let sides = text.dropFirst(6).split(separator: "/", omittingEmptySubsequences: false)
        guard sides.count == 2 else { return nil }
        let ends = sides[0].split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let first = Self.number(ends[0]), let last = Self.number(ends[1]), first <= last, last < .max else { return nil }
        if sides[1] == "*" { return (first, last - first + 1, nil) }
        guard let length = Self.number(sides[1]), last < length else { return nil }
        return (first, last - first + 1, length)
    }

    /// Of a 416: `bytes */100`. nil: it does not say.
    static func end(_ headers: HTTPFields) -> Int64? {
        guard let text = headers[.contentRange]?.lowercased(), text.hasPrefix("bytes */") else { return nil }
        return Self.number(text.dropFirst(8))
    }

    /// RFC 9110, 8.8.3. Larger ones break headers' limits on the way.
    static func tag(_ text: String) -> String? {
        let bytes = Array((text.hasPrefix("W/") ? text.dropFirst(2) : text[...]).utf8)
        let quote = UInt8(ascii: "\"")
        guard (2...1024).contains(bytes.count), bytes.first == quote, bytes.last == quote else { return nil }
        return bytes.dropFirst().dropLast().allSatisfy { $0 == 0x21 || (0x23...0x7E).contains($0) } ? text : nil
    }

    /// RFC 9110, 8.3.1: `type/subtype`, and parameters that are not looked at.
    static func type(_ text: String) -> String? {
        let sides = text.prefix { $0 != ";" }.split(separator: "/", omittingEmptySubsequences: false)
        let marks = "!#$%&'*+-.^_`|~".utf8
        guard text.utf8.count <= 256, text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }), sides.count == 2 else { return nil }
        let essence = [sides[0], sides[1].prefix { $0 != " " }]
        return essence.allSatisfy { !$0.isEmpty && $0.utf8.allSatisfy { $0.isASCIILetterOrDigit || marks.contains($0) } } ? text : nil
    }

    static func moment(_ text: String) -> Timestamp? { HTTPDate.seconds(text).map { Timestamp(milliseconds: $0 * 1000) } }

    private static func number(_ text: Substring) -> Int64? {
        guard !text.isEmpty, text.utf8.allSatisfy({ (48...57).contains($0) }) else { return nil }
        // No file is larger than a thousand petabytes, and sums of such numbers stay numbers.
        return Int64(text).flatMap { $0 <= 1 << 60 ? $0 : nil }
    }
}

extension AnswerHead {
    /// The asset's attributes: what the format wants kept, and how to name this copy to clients and to the upstream again.
    var kept: [String: String] {
        var kept = self.attributes
        if !self.entityTag.isEmpty { kept[Self.entityTagKey] = self.entityTag }
        if !self.lastModified.isEmpty { kept[Self.lastModifiedKey] = self.lastModified }
        if self.age > 0 { kept[Self.ageKey] = String(self.age) }
        return kept
    }

    // Headers' names, which formats' own attributes never are.
    static let entityTagKey = "etag"
    static let lastModifiedKey = "last-modified"
    static let ageKey = "age"
}
