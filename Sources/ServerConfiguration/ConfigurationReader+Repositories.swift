import AccessControl
import ArtifactModel

/// A repository whose references to others are not looked up yet.
struct RepositoryDraft {
    var repository: Configuration.Repository
    var section: Section
    /// Of a group; empty elsewhere.
    var members: [Located<RepositoryName>] = []
    var writeTo: Located<RepositoryName>?
    var name: RepositoryName { self.repository.name }
}

extension ConfigurationReader {
    /// Keys that every repository may have, whatever its format.
    private static let commonKeys = ["format", "type", "blobStore", "host", "listen", "mirror", "routingRule"]
    /// Keys of some roles only.
    private static let roleKeys: [(key: String, roles: [Role])] = [
        ("writePolicy", [.hosted]), ("remote", [.proxy]), ("officialPrefix", [.proxy]), ("authentication", [.proxy]),
        ("trustedHosts", [.proxy]), ("cache", [.proxy]), ("limits", [.proxy]), ("members", [.group]), ("writeTo", [.group]), ("onMemberError", [.group]),
        ("merge", [.group]),
        ("owns", [.hosted, .proxy]),
    ]
    /// No format's own.
    static let reservedKeys = Set(Self.commonKeys + Self.roleKeys.map(\.key))

    func repositories(_ section: Section, stores: [String], rules: [String]) -> [RepositoryDraft] {
        section.members().compactMap { self.repository($0.section, name: $0.name, position: $0.position, stores: stores, rules: rules) }
    }

    private func repository(_ section: Section, name text: String, position: Position, stores: [String], rules: [String]) -> RepositoryDraft? {
        let name = self.repositoryName(text, position, section.key)
        let format = section.required("format", self.formatKind, self.formats.flatMap(\.spellings))
        let role: Role? = section.required("type", .choice(), Role.allCases.map(\.rawValue))
        // Without both nobody can say which keys are known.
        guard let format, let role else { return nil }
        if let name, let objection = format.objection(name) { self.findings.error(position, section.key, objection) }
        let store = section.value("blobStore", .text, default: "default")
        self.check(store, key: "blobStore", of: section, among: stores, "blob store")
        let owns = role == .group ? [] : section.list("owns", .type { text throws(InvalidName) in try Glob(text) }).map(\.value)
        let host = section.optional("host", .type { text throws(InvalidName) in try HostName(text) })
        let listen = section.optional("listen", .type { text throws(InvalidName) in try ListenAddress(text) })
        let mirror = section.value("mirror", .bool, default: false)
        let rule = section.optional("routingRule", .text)
        if let rule { self.check(rule, key: "routingRule", of: section, among: rules, "routing rule") }
        let (kind, members, writeTo) = self.kind(section, role, format)
        let settings = self.settings(section, format)
        section.finish { self.reason(for: $0, role: role) }
        guard let name, let kind, let settings else { return nil }
        let repository = Repository(
            name: name, format: format.id, kind: kind, blobStore: store, owns: owns, host: host, listen: listen, mirror: mirror, routingRule: rule,
            settings: settings, position: position, json: section.shown.json, listenPosition: section.entry("listen")?.value.position)
        return RepositoryDraft(repository: repository, section: section, members: members, writeTo: writeTo)
    }

    private func repositoryName(_ text: String, _ position: Position, _ key: String) -> RepositoryName? {
        do {
            return try RepositoryName(text)
        } catch {
            self.findings.error(position, key, "«\(text)» is not a \(error.kind)", allowed: [error.rule])
            return nil
        }
    }

    private func check(_ name: String, key: String, of section: Section, among names: [String], _ sort: String) {
        guard !names.contains(name) else { return }
        let suggestion = Spelling.suggestion(for: name, among: names)
        let position = section.entry(key)?.value.position ?? section.position
        self.findings.error(position, section.keyPath(key), "«\(name)» is no \(sort)" + suggestion, allowed: names)
    }

    private func reason(for key: String, role: Role) -> String? {
        guard let known = Self.roleKeys.first(where: { $0.key == key }) else { return nil }
        return "belongs to type: \(known.roles.map(\.rawValue).joined(separator: " or ")), and this repository is \(role.rawValue)"
    }

    // MARK: What a role adds

    private func kind(_ section: Section, _ role: Role, _ format: FormatSchema) -> (Repository.Kind?, [Located<RepositoryName>], Located<RepositoryName>?) {
        switch role {
        case .hosted: return (.hosted(.init(writePolicy: section.value("writePolicy", .choice(), default: format.writePolicy))), [], nil)
        case .proxy: return (self.proxy(section).map(Repository.Kind.proxy), [], nil)
        case .group:
            let name = ValueKind<RepositoryName>.type { text throws(InvalidName) in try RepositoryName(text) }
            let members = section.list("members", name)
            let isEmpty = section.entry("members")?.value.isEmptyList ?? true
            if isEmpty {
                self.findings.error(section.position(of: "members"), section.key, "a group needs members", allowed: ["members: [names of repositories]"])
            }
            let writeTo = section.optional("writeTo", name).map {
                Located(value: $0, position: section.entry("writeTo")?.value.position, key: section.keyPath("writeTo"))
            }
            let onMemberError = section.value("onMemberError", .choice(), default: Repository.Group.OnMemberError.fail)
            let merge = section.value("merge", .choice(), default: Repository.Group.Merge.hosted)
            return (.group(.init(members: members.map(\.value), writeTo: writeTo?.value, onMemberError: onMemberError, merge: merge)), members, writeTo)
        }
    }

    private func proxy(_ section: Section) -> Repository.Proxy? {
        let mirrors = section.list("remote", .remoteMirror, orSingle: true) { section in self.mirror(section) }
        let remotes = mirrors.map(\.value.address)
        if let first = mirrors.first, first.value.digestsOnly {
            self.findings.error(first.position, first.key, "the first remote is the canonical one, which says what there is", allowed: ["trust: all"])
        }
        let isMissing = section.entry("remote").map { $0.value.isNull || $0.value.isEmptyList } ?? true
        if isMissing { self.findings.error(section.position, section.key, "a proxy needs a remote", allowed: ["remote: https://host/path, or a list of them"]) }
        let prefix = section.optional("officialPrefix", .text)
        let authentication = section.optionalSection("authentication").flatMap(self.authentication)
        let trustedHosts = section.list("trustedHosts", .type { text throws(InvalidName) in try HostName(text) }).map(\.value)
        let cache = self.cache(section.section("cache"))
        let limits = self.upstreamLimits(section.section("limits"))
        guard !remotes.isEmpty else { return nil }
        return Repository.Proxy(
            remotes: remotes, digestsOnly: Set(mirrors.indices.filter { mirrors[$0].value.digestsOnly }), officialPrefix: prefix,
            authentication: authentication, trustedHosts: trustedHosts, cache: cache, limits: limits)
    }

    private func mirror(_ section: Section) -> Repository.Mirror? {
        defer { section.finish() }
        let trust: Repository.Mirror.Trust = section.value("trust", .choice(), default: .all)
        return section.required("url", .remote).map { Repository.Mirror(address: $0, digestsOnly: trust == .digestsOnly) }
    }

    private func authentication(_ section: Section) -> Repository.Authentication? {
        defer { section.finish() }
        if section.entry("token") != nil {
            let token = section.required("token", .secret)
            section.forbid(["username", "password"], "does not go with token")
            return token.map(Repository.Authentication.token)
        }
        guard let username = section.required("username", .nonEmpty, ["username and password", "token"]), let password = section.required("password", .secret)
        else {
            section.ask("password")
            section.ask("token")
            return nil
        }
        section.ask("token")
        return .basic(username: username, password: password)
    }

    private func cache(_ section: Section) -> Repository.Cache {
        let gone = section.section("onUpstreamDelete")
        let documents: Repository.Cache.Gone = gone.value("documents", .choice(), default: .honour)
        let immutable: Repository.Cache.Gone = gone.value("immutable", .choice(), default: .keep)
        gone.finish()
        let fixed = section.list("fixedTags", .type { text throws(InvalidName) in try Glob(text) }).map(\.value)
        let cache = Repository.Cache(
            maxAge: section.value("maxAge", .duration, default: .seconds(600)),
            negativeMaxAge: section.value("negativeMaxAge", .duration, default: .seconds(60)),
            revalidateDeadline: section.value("revalidateDeadline", .positiveDuration, default: .seconds(2)),
            staleOnError: section.value("staleOnError", .bool, default: true),
            maxStale: section.value("maxStale", .durationOrUnlimited, default: .some(.seconds(30 * 86400))), maxSize: section.optional("maxSize", .size),
            goneDocuments: documents, goneImmutable: immutable, fixedTags: fixed)
        section.finish()
        return cache
    }

    private func upstreamLimits(_ section: Section) -> Repository.Limits {
        let limits = Repository.Limits(
            connections: section.value("connections", .int(1...10_000), default: 64),
            // Less than a connection's buffers hold would look like silence.
            bandwidth: section.optional("bandwidth", .size(from: 16 << 10, to: 1 << 40)),
            idleTimeout: section.value("idleTimeout", .positiveDuration, default: .seconds(60)),
            connectTimeout: section.value("connectTimeout", .positiveDuration, default: .seconds(10)))
        section.finish()
        return limits
    }

    // MARK: What the format adds

    /// - Returns: nil where its keys are wrong; that is reported.
    private func settings(_ section: Section, _ format: FormatSchema) -> (any Sendable)? {
        let reserved = Self.reservedKeys
        let scope = SettingsDecoder.Scope(findings: self.findings, reserved: reserved)
        let decoded = self.decode(section, scope, format.settings)
        for key in scope.asked where reserved.contains(key) {
            self.findings.error(section.position, section.keyPath(key), "the format \(format.id) asks for a key that is not its own: a fault in the format")
        }
        return decoded
    }

    /// Runs a format's decoder over a section, and shows and knows the keys that it asked for.
    func decode(_ section: Section, _ scope: SettingsDecoder.Scope, _ run: (any Decoder) throws -> DecodedSettings) -> (any Sendable)? {
        var decoded: DecodedSettings?
        do {
            decoded = try SettingsDecoder(node: section.node, key: section.key, scope: scope).decode(with: run)
        } catch {
            decoded = nil
        }
        // A format that stops at a mistake has not asked for all its keys: nobody can say yet that the others are unknown.
        if decoded == nil { section.tolerate(section.keys.filter { !scope.reserved.contains($0) }) }
        let own = scope.asked.filter { !scope.reserved.contains($0) }
        for key in own {
            section.ask(key)
            if let shown = section.entry(key)?.value.shown ?? decoded?.effective.member(key) { section.show(key, shown) }
        }
        return decoded?.value
    }
}
