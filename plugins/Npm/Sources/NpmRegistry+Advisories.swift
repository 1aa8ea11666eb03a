import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore

/// What is known of packages' flaws and signatures: the upstream's, without a word to it about what is ours.
extension NpmRegistry {
    private static let longestAudit = 8 << 20
    /// Each is looked up.
    private static let mostNames = 20_000

    /// `{"<package>": ["<version>", …]}`, to which the answer is `{"<package>": [advisories]}`.
    func advisories(_ request: ArtifactRequest, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let asked = try await request.json(upTo: Self.longestAudit, content.context)
        guard let members = asked.members else { throw FormatError(.invalidRequest, "advisories are asked for with an object of packages and their versions") }
        let others = try await Self.foreign(members.map(\.key), content)
        guard !others.isEmpty else { return .json(.object([])) }
        let foreign = try await content.context.compute.run { JSONValue.object(Self.versions(of: others, in: members)) }
        let reply = try await Self.ask("-/npm/v1/security/advisories/bulk", foreign, within: .milliseconds(1500), content)
        return reply.map { ArtifactResponse(.ok, headers: [.contentType: "application/json"], body: .bytes($0.body)) } ?? .json(.object([]))
    }

    /// What is no version may be another name.
    private static func versions(of names: Set<String>, in members: [JSONValue.Member]) -> [JSONValue.Member] {
        members.filter { names.contains($0.key) }.map { member in
            .init(member.key, .array((member.value.elements ?? []).filter { $0.string.map { NpmVersion(bytes: $0.utf8) != nil } ?? false }))
        }
    }

    /// The older form: a whole tree of dependencies.
    func quickAudit(_ request: ArtifactRequest, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let asked = try await request.json(upTo: Self.longestAudit, content.context)
        let names = try await content.context.compute.run {
            var names: Set<String> = []
            Self.collect(asked, into: &names)
            return Array(names)
        }
        let others = try await Self.foreign(names, content)
        // What is being built, and all that it is called by elsewhere, is nobody else's matter.
        let foreign = try await content.context.compute.run { JSONValue.object(Self.kept(asked, others)) }
        let isEmpty = foreign["dependencies"]?.members?.isEmpty ?? true
        let reply = isEmpty ? nil : try await Self.ask("-/npm/v1/security/audits/quick", foreign, within: .milliseconds(500), content)
        return reply.map { ArtifactResponse(.ok, headers: [.contentType: "application/json"], body: .bytes($0.body)) } ?? .json(Self.nothingFound)
    }

    private static let nothingFound: JSONValue = {
        let counts = ["info", "low", "moderate", "high", "critical"].map { JSONValue.Member($0, .number("0")) }
        let metadata = JSONValue.made([
            "vulnerabilities": .object(counts), "dependencies": .number("0"), "devDependencies": .number("0"), "optionalDependencies": .number("0"),
            "totalDependencies": .number("0"),
        ])
        return .made(["actions": .array([]), "advisories": .object([]), "muted": .array([]), "metadata": metadata])
    }()

    /// Those of the names that an upstream may hear.
    private static func foreign(_ names: [String], _ content: any RepositoryContent) async throws -> Set<String> {
        guard names.count <= Self.mostNames else { throw FormatError(.invalidRequest, "advisories are given for \(Self.mostNames) packages at a time at most") }
        var foreign: Set<String> = []
        for text in names {
            let name: NpmName
            // What is no name is told to nobody.
            do { name = try NpmName(text) } catch { continue }
            if try await content.asksUpstream(about: name.text) { foreign.insert(text) }
        }
        return foreign
    }

    private static func collect(_ tree: JSONValue, into names: inout Set<String>) {
        for member in tree["requires"]?.members ?? [] { names.insert(member.key) }
        for member in tree["dependencies"]?.members ?? [] {
            names.insert(member.key)
            Self.collect(member.value, into: &names)
        }
    }

    /// Names that may be told, and versions that are versions: an alias is written as one, and names another package.
    private static func kept(_ tree: JSONValue, _ names: Set<String>) -> [JSONValue.Member] {
        var members: [JSONValue.Member] = []
        if let version = tree["version"]?.string, NpmVersion(bytes: version.utf8) != nil { members.append(.text("version", version)) }
        if let requires = tree["requires"]?.members {
            members.append(.init("requires", .object(requires.filter { names.contains($0.key) }.map { .text($0.key, "*") })))
        }
        let dependencies = (tree["dependencies"]?.members ?? []).filter { member in
            names.contains(member.key) && member.value["version"]?.string.map { NpmVersion(bytes: $0.utf8) != nil } ?? false
        }
        if !dependencies.isEmpty { members.append(.init("dependencies", .object(dependencies.map { .init($0.key, .object(Self.kept($0.value, names))) }))) }
        return members
    }

    /// nil: no upstream, or it has no such thing.
    /// - Throws: `.notFound` where it cannot be asked now. npm asks again after 10 seconds where it is told of a failure, and an install waits for that.
    private static func ask(_ address: String, _ body: JSONValue, within time: Duration, _ content: any RepositoryContent) async throws -> UpstreamReply? {
        let bytes = try await content.context.compute.run { ByteBuffer(bytes: body.bytes) }
        let post = UpstreamCall.Post(contentType: "application/json", body: bytes)
        let call = UpstreamCall(UpstreamResource(.below(address), accept: ["application/json"], mayBeCompressed: true), limit: 32 << 20, post: post)
        do {
            return try await withThrowingTaskGroup(of: UpstreamReply?.self) { group in
                group.addTask { try await content.forward(call) }
                group.addTask {
                    try await Task.sleep(for: time)
                    throw FormatError(.upstreamTimedOut, "the upstream did not say in time what it knows of these packages")
                }
                defer { group.cancelAll() }
                return try await group.next() ?? nil
            }
        } catch let error as FormatError where error.code != .cancelled {
            throw FormatError(.notFound, "the upstream's advisories cannot be had now: \(error.message)", cause: error)
        }
    }

    // MARK: Signatures

    func keys(_ content: any RepositoryContent) async throws -> ArtifactResponse {
        let call = UpstreamCall(UpstreamResource(.below("-/npm/v1/keys"), accept: ["application/json"]), limit: 1 << 20)
        guard let reply = try await content.forward(call) else { return .json(.made(["keys": .array([])])) }
        return ArtifactResponse(.ok, headers: [.contentType: "application/json"], body: .bytes(reply.body))
    }

    func attestations(_ name: NpmName, _ version: NpmVersion, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        guard try await content.asksUpstream(about: name.text) else { throw Self.unattested(name, version) }
        let call = UpstreamCall(UpstreamResource(.below(name.attestationsPath(version)), accept: ["application/json"]), limit: 16 << 20)
        guard let reply = try await content.forward(call) else { throw Self.unattested(name, version) }
        return ArtifactResponse(.ok, headers: [.contentType: "application/json"], body: .bytes(reply.body))
    }

    private static func unattested(_ name: NpmName, _ version: NpmVersion) -> FormatError {
        FormatError(.notFound, "there are no attestations of \(name)@\(version)")
    }

    // MARK: Who may what

    /// `npm access`: rights are the server's configuration here, and are told as far as npm has words for them.
    func access(_ name: NpmName, _ question: NpmOperation.AccessQuestion, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        switch question {
        case .visibility: return .json(.made(["public": .bool(false)]))
        case .collaborators:
            let person = content.context.principal
            let right = content.context.isAllowed(Access(.write, path: name.text)) ? "write" : "read"
            return .json(.object(person.isEmpty ? [] : [.text(person, right)]))
        case .change:
            throw FormatError(.forbidden, "who may read and write is set in the server's configuration (security.roles), and not by npm access")
        }
    }

    /// Of a scope, or of all: `{"<package>": "write"}`. The owner's name is not looked at: rights do not hang on it.
    func packages(of owner: String, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let prefix = (owner.hasPrefix("@") ? owner : "@" + owner) + "/"
        let (isOwn, isAllowed) = (owner == content.context.principal, content.context.isAllowed)
        var members: [JSONValue.Member] = []
        // Names with a scope stand beside each other.
        var after = isOwn ? nil : String(prefix.dropLast())
        while members.count < 10_000 {
            let page = try await content.list(ContentQuery(.packages, after: after, limit: 1000))
            members += try await content.context.compute.run {
                page.rows.filter { isOwn || $0.name.hasPrefix(prefix) }.map { row in
                    .text(row.name, isAllowed(Access(.write, path: row.name)) ? "write" : "read")
                }
            }
            guard page.more, let last = page.rows.last, isOwn || last.name.hasPrefix(prefix) || ByteText.precedes(last.name, prefix) else { break }
            after = last.name
        }
        return .json(.object(members))
    }
}
