public import ArtifactModel
public import FormatAPI

/// What is asked of a registry.
public struct NpmOperation: FormatOperation {
    enum Kind: Hashable, Sendable {
        case root, ping, whoami
        case packument(NpmName, Packument.Key.Form)
        /// `?write=true`: of what takes the writes alone, with its revision.
        case packumentToWrite(NpmName)
        /// A version or a dist-tag.
        case manifest(NpmName, String)
        case tarball(NpmName, NpmVersion)
        /// A tarball at an address that another registry has for it.
        case moved(NpmName, NpmVersion)
        case publish(NpmName)
        /// The whole packument sent back, changed.
        case change(NpmName, revision: Revision)
        case removePackage(NpmName, revision: Revision)
        case removeTarball(NpmName, NpmVersion, revision: Revision)
        case tags(NpmName)
        case setTag(NpmName, String)
        case removeTag(NpmName, String)
        case search(SearchQuery)
        case advisories, quickAudit, keys
        case attestations(NpmName, NpmVersion)
        case access(NpmName, AccessQuestion)
        /// Of whoever asks, or of a scope: which packages they may change.
        case packages(of: String)
        case user(String)
        case signIn(String)
        case signOut(token: String)
        case tokens, makeToken, profile
        case revokeToken(String)
    }
    enum AccessQuestion: Hashable, Sendable { case collaborators, visibility, change }

    let kind: Kind
    init(_ kind: Kind) { self.kind = kind }

    public var name: StaticString {
        switch self.kind {
        case .root: "root"
        case .ping: "ping"
        case .whoami: "whoami"
        case .packument: "packument.read"
        case .packumentToWrite: "packument.edit"
        case .manifest: "manifest.read"
        case .tarball: "tarball.read"
        case .moved: "tarball.move"
        case .publish: "publish"
        case .change: "package.change"
        case .removePackage: "package.unpublish"
        case .removeTarball: "version.unpublish"
        case .tags: "tags.list"
        case .setTag: "tag.write"
        case .removeTag: "tag.delete"
        case .search: "search"
        case .advisories, .quickAudit: "advisories"
        case .keys: "keys"
        case .attestations: "attestations"
        case .access: "access"
        case .packages: "packages.list"
        case .user: "user"
        case .signIn: "sign-in"
        case .signOut: "sign-out"
        case .tokens: "tokens.list"
        case .makeToken: "token.create"
        case .revokeToken: "token.revoke"
        case .profile: "profile"
        }
    }

    public var accesses: [Access] {
        switch self.kind {
        case .packument(let name, _), .manifest(let name, _), .tarball(let name, _), .moved(let name, _), .tags(let name), .attestations(let name, _),
            .access(let name, .collaborators), .access(let name, .visibility):
            [Access(.read, path: name.text)]
        case .packumentToWrite(let name): [Access(.read, path: name.text)]
        case .publish(let name), .change(let name, _), .setTag(let name, _), .removeTag(let name, _), .access(let name, .change):
            [Access(.write, path: name.text)]
        case .removePackage(let name, _), .removeTarball(let name, _, _): [Access(.delete, path: name.text)]
        case .search, .advisories, .quickAudit, .keys, .packages, .root: [.some(.read, below: "")]
        case .ping, .whoami, .user, .signIn, .signOut, .tokens, .makeToken, .revokeToken, .profile: []
        }
    }

    /// Who reads a packument has fetched nothing of what it is about.
    public var isFetch: Bool {
        if case .tarball = self.kind { true } else { false }
    }

    public var subject: String {
        switch self.kind {
        case .manifest(let name, let version): "\(name)@\(version)"
        case .tarball(let name, let version), .moved(let name, let version), .removeTarball(let name, let version, _), .attestations(let name, let version):
            "\(name)@\(version)"
        case .setTag(let name, let tag), .removeTag(let name, let tag): "\(name)@\(tag)"
        default: self.accesses.first?.path ?? ""
        }
    }
}

/// What a client believes that it is changing: CouchDB's `_rev`, which begins with how often the packument has changed.
struct Revision: Hashable, Sendable {
    /// nil: the client does not say.
    var generation: Int64?

    static let any = Revision(generation: nil)

    /// - Throws: `.invalidRequest`.
    init(_ text: String) throws(FormatError) {
        // What npm makes of a packument without one.
        if text == "undefined" {
            self.generation = nil
            return
        }
        guard let generation = Int64(text.prefix { $0 != "-" }), generation >= 0 else {
            throw FormatError(.invalidRequest, "«\(text.prefix(64))» is not a revision of this registry: get the package with ?write=true, and send its _rev")
        }
        self.generation = generation
    }

    init(generation: Int64?) { self.generation = generation }

    var text: String { "\(self.generation ?? 0)-0" }
}

/// `?text=&size=&from=`
struct SearchQuery: Hashable, Sendable {
    static let usual = 20
    static let largest = 250
    static let farthest = 10_000
    var text: String
    var size: Int
    var from: Int

    /// What is no number, or too large a one, is the nearest that is.
    init(_ head: RequestHead) {
        self.text = head.query("text") ?? ""
        self.size = min(max(head.query("size").flatMap { Int($0) } ?? Self.usual, 0), Self.largest)
        self.from = min(max(head.query("from").flatMap { Int($0) } ?? 0, 0), Self.farthest)
    }
}
