import ArtifactModel
import FormatAPI
import FoundationEssentials
import HTTPTypes
import NIOCore

extension NpmRegistry {
    /// What one repository found.
    private struct Found: Sendable {
        var objects: [JSONValue]
        var total: Int
    }

    /// `/-/v1/search`: each hosted member looks into what it has, and each proxy asks its upstream. What comes first in a group comes first here.
    func search(_ query: SearchQuery, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        var whole = query
        // Of several lists each must reach as far as the page does.
        (whole.from, whole.size) = content.adopts ? (0, min(query.from + query.size, SearchQuery.farthest)) : (query.from, query.size)
        let asked = whole
        let mayRead = content.context.isAllowed
        let isPrivate = try await Self.namesWhatIsOwned(query.text, content)
        let gathered = try await content.gather(nil) { member in
            if let found = isPrivate ? nil : try await self.upstream(asked, member, mayRead) { return found }
            return try await self.local(asked, member, mayRead)
        }
        if gathered.parts.isEmpty, let trouble = gathered.trouble { throw trouble }
        var objects: [JSONValue] = []
        var names: Set<String> = []
        for object in gathered.parts.flatMap(\.objects) {
            guard let name = object["package"]?["name"]?.string, names.insert(name).inserted else { continue }
            objects.append(object)
        }
        var total = gathered.parts.reduce(0) { $0 + $1.total }
        if content.adopts {
            // There is no page beyond what was gathered for this one.
            if objects.count < asked.size { total = min(total, objects.count) }
            objects = Array(objects.dropFirst(query.from))
        }
        var response = ArtifactResponse.json(
            .made([
                "objects": .array(Array(objects.prefix(query.size))), "total": .number("\(total)"), "time": .string(content.context.now().isoText),
            ]))
        response.mark(skipped: gathered.skippedMembers)
        return response
    }

    /// Whether words name a scope or a package that no upstream is to hear of.
    private static func namesWhatIsOwned(_ text: String, _ content: any RepositoryContent) async throws -> Bool {
        for word in text.split(whereSeparator: \.isWhitespace) {
            let bare = word.hasPrefix("scope:") ? "@" + word.dropFirst(6).drop { $0 == "@" } : String(word)
            guard bare.hasPrefix("@"), let name = Self.name(bare.contains("/") ? bare : bare + "/a") else { continue }
            if content.adopts, try await !content.asksUpstream(about: name.text) { return true }
        }
        return false
    }

    /// More than this nobody pages through, and no sum of them is too large to be one.
    private static let mostFound: Int64 = 1_000_000

    private func upstream(
        _ query: SearchQuery, _ member: any RepositoryContent, _ mayRead: @escaping @Sendable (Access) -> Bool
    ) async throws -> Found? {
        let address = "-/v1/search?text=\(Self.encoded(query.text))&size=\(min(query.size, SearchQuery.largest))&from=\(query.from)"
        guard let reply = try await member.forward(UpstreamCall(UpstreamResource(.below(address), accept: ["application/json"]), limit: 16 << 20)) else {
            return nil
        }
        let answer = try await Self.parsed(reply, member)
        var shown: [JSONValue] = []
        let all = answer["objects"]?.elements ?? []
        for object in all {
            // A name that is kept from the upstream is not to be had from there.
            guard let name = object["package"]?["name"]?.string, mayRead(Access(.read, path: name)), try await member.asksUpstream(about: name) else {
                continue
            }
            shown.append(object)
        }
        let total = shown.count == all.count ? answer["total"]?.integer ?? 0 : 0
        return Found(objects: shown, total: max(shown.count, Int(min(max(total, 0), Self.mostFound))))
    }

    private struct Hit: Sendable {
        var package: SearchedPackage
        var score: Int
        var attributes: PackageAttributes

        static func isBefore(_ a: Hit, _ b: Hit) -> Bool {
            a.score != b.score ? a.score > b.score : ByteText.precedes(a.package.package.text, b.package.package.text)
        }
    }

    /// Looks at every package's row, a page at a time, and keeps the best of them as far as the page that is asked for.
    private func local(
        _ query: SearchQuery, _ member: any RepositoryContent, _ mayRead: @escaping @Sendable (Access) -> Bool
    ) async throws -> Found {
        let words = SearchText(query.text)
        var (best, total) = ([Hit](), 0)
        var after: String?
        while true {
            let page = try await member.list(ContentQuery(.packages, after: after, limit: 1000))
            let before = best
            let (found, count) = try await member.context.compute.run {
                let hits = page.rows.compactMap { Self.hit($0, words, mayRead) }
                return (Array((before + hits).sorted(by: Hit.isBefore).prefix(query.from + query.size)), hits.count)
            }
            (best, total) = (found, total + count)
            guard page.more, let last = page.rows.last else { break }
            after = last.name
        }
        return Found(objects: best.dropFirst(query.from).map { Self.object($0.package.package, $0.attributes, score: $0.score) }, total: total)
    }

    /// nil: it is not what is searched for, may not be seen, or has no version that lists could show.
    private static func hit(_ row: ContentRow, _ words: SearchText, _ mayRead: (Access) -> Bool) -> Hit? {
        guard mayRead(Access(.read, path: row.name)), let name = Self.name(row.name) else { return nil }
        let attributes = PackageAttributes(row.attributes.utf8)
        guard attributes.latest != nil else { return nil }
        let package = SearchedPackage(name, attributes)
        return words.score(package).map { Hit(package: package, score: $0, attributes: attributes) }
    }

    private static func name(_ text: String) -> NpmName? {
        do { return try NpmName(text) } catch { return nil }
    }

    private static func object(_ name: NpmName, _ attributes: PackageAttributes, score: Int) -> JSONValue {
        var package: [JSONValue.Member] = [
            .text("name", name.text), .text("scope", name.scope.isEmpty ? "unscoped" : String(name.scope.dropFirst())),
        ]
        package += attributes.latest?.members ?? []
        let maintainers = attributes.maintainers?.elements ?? []
        let people = maintainers.map { person in
            JSONValue.made(["username": person["name"] ?? .string(""), "email": person["email"] ?? .string("")])
        }
        if let first = people.first { package.append(.init("publisher", first)) }
        package.append(.init("maintainers", .array(people)))
        package.append(.init("links", .object([])))
        let share = JSONValue.number(String(min(1, Double(score + 1) / 1001)))
        let detail = JSONValue.made(["quality": share, "popularity": share, "maintenance": share])
        return .made([
            "package": .object(package), "score": .made(["final": share, "detail": detail]), "searchScore": .number("\(score)"),
            "flags": .made(["unstable": .bool(false)]),
        ])
    }

    static func parsed(_ reply: UpstreamReply, _ content: any RepositoryContent) async throws -> JSONValue {
        let body = reply.body
        do {
            return try await content.context.compute.run { try JSONValue(body.readableBytesView) }
        } catch let flaw as JSONFlaw {
            throw FormatError(.upstreamFailed, "the upstream's answer cannot be read: \(flaw.message)", cause: flaw)
        }
    }

    static func encoded(_ text: String) -> String {
        var out = ""
        for byte in text.utf8 {
            let isPlain = byte.isASCIILetterOrDigit || [UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~")].contains(byte)
            out += isPlain ? String(UnicodeScalar(byte)) : "%" + ContentDigest.hex([byte]).uppercased()
        }
        return out
    }
}
