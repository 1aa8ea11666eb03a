import ArtifactModel
import FormatAPI
import FoundationEssentials
import HTTPTypes

/// What the headers of a PUT say about the file: its type, what it must hash to, and what must be there now.
struct FileUpload: Hashable, Sendable {
    enum Condition: Hashable, Sendable {
        case none
        /// `If-None-Match: *`
        case absent
        /// `If-Match`: entity tags with their quotes, or `*`.
        case oneOf([String])
    }
    let contentType: String
    let expected: [ContentDigest]
    let condition: Condition

    /// - Throws: `.invalidRequest` for `Content-Range` (a part would be kept as the whole: RFC 9110, section 14.4), for digests that are
    ///   none, and for types that are none; `.unsupported` for encoded bodies, whose encoding would be lost.
    init(_ head: RequestHead, _ path: AssetPath) throws(FormatError) {
        guard head.headers[.contentRange] == nil else {
            throw FormatError(.invalidRequest, "a PUT holds the whole file; Content-Range is not taken, and nothing was kept")
        }
        if let encoding = head.headers[.contentEncoding], encoding.lowercased() != "identity" {
            throw FormatError(.unsupported, "Content-Encoding is not kept; send the file as it is to be stored")
        }
        self.contentType = try Self.contentType(head.headers[.contentType], path)
        self.expected = try Self.digests(head.headers)
        self.condition = try Self.condition(head.headers)
    }

    private static func contentType(_ sent: String?, _ path: AssetPath) throws(FormatError) -> String {
        // `curl --data-binary` says form for everything, so it says nothing.
        guard let sent, !sent.isEmpty, !sent.lowercased().hasPrefix("application/x-www-form-urlencoded") else { return FileTypes.type(of: path.text) }
        guard sent.utf8.count <= 255, sent.contains("/"), sent.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
            throw FormatError(.invalidRequest, "Content-Type is not a media type")
        }
        return sent
    }

    static func condition(_ headers: HTTPFields) throws(FormatError) -> Condition {
        // RFC 9110, 13.1: a condition that is not looked at must not be ignored.
        guard headers[.ifUnmodifiedSince] == nil, headers[.ifMatch] == nil || headers[.ifNoneMatch] == nil else {
            throw FormatError(.invalidRequest, "a write takes If-Match or If-None-Match: *, and no other condition")
        }
        if let text = headers[.ifNoneMatch] {
            guard text == "*" else { throw FormatError(.invalidRequest, "a PUT takes If-None-Match: * only") }
            return .absent
        }
        guard let text = headers[.ifMatch] else { return .none }
        return .oneOf(text.split(separator: ",").map { Self.trimmed($0) })
    }

    private static func digests(_ headers: HTTPFields) throws(FormatError) -> [ContentDigest] {
        var found: [ContentDigest] = []
        for (name, algorithm) in [(HTTPField.Name.checksumSHA256, ContentDigest.Algorithm.sha256), (.checksumSHA1, .sha1), (.checksumMD5, .md5)] {
            guard let text = headers[name] else { continue }
            do {
                found.append(try ContentDigest("\(algorithm.rawValue):\(text.lowercased())"))
            } catch {
                throw FormatError(.invalidRequest, "\(name.rawName) is not \(algorithm.length * 2) hex digits")
            }
        }
        if let text = headers[.contentMD5] { found.append(try Self.digest(.md5, text, HTTPField.Name.contentMD5.rawName)) }
        for name in [HTTPField.Name.bodyDigest, .representationDigest, .oldDigest] {
            for value in headers[values: name] { found += try Self.dictionary(value, name.rawName) }
        }
        return found
    }

    /// `sha-256=:base64:` as in RFC 9530, or `SHA-256=base64` as in RFC 3230; algorithms that we do not know are passed over, as both say.
    private static func dictionary(_ text: String, _ name: String) throws(FormatError) -> [ContentDigest] {
        var found: [ContentDigest] = []
        for member in text.split(separator: ",") {
            let sides = member.split(separator: "=", maxSplits: 1).map { Self.trimmed($0) }
            guard sides.count == 2, let algorithm = Self.algorithm(sides[0].lowercased()) else { continue }
            let framed = sides[1].count >= 2 && sides[1].hasPrefix(":") && sides[1].hasSuffix(":")
            found.append(try Self.digest(algorithm, framed ? String(sides[1].dropFirst().dropLast()) : sides[1], name))
        }
        return found
    }

    private static func algorithm(_ name: String) -> ContentDigest.Algorithm? {
        switch name {
        case "sha-256", "sha256": .sha256
        case "sha-512", "sha512": .sha512
        case "sha", "sha-1": .sha1
        case "md5": .md5
        default: nil
        }
    }

    private static func digest(_ algorithm: ContentDigest.Algorithm, _ base64: String, _ name: String) throws(FormatError) -> ContentDigest {
        guard let bytes = Data(base64Encoded: base64), let digest = ContentDigest(algorithm, bytes) else {
            throw FormatError(.invalidRequest, "\(name) is not the base64 of a \(algorithm.rawValue) hash")
        }
        return digest
    }

    private static func trimmed(_ text: Substring) -> String {
        String(text.drop { $0 == " " || $0 == "\t" }.reversed().drop { $0 == " " || $0 == "\t" }.reversed())
    }
}
