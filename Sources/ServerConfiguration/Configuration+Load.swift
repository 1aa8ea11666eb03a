import AccessControl
import ArtifactModel

/// What the command line says instead of the file.
public struct Overrides: Hashable, Sendable {
    /// `--data`.
    public var data: String?
    /// `--listen`.
    public var listen: [String]?
    public init(data: String? = nil, listen: [String]? = nil) {
        self.data = data
        self.listen = listen
    }
}

/// What reading a configuration came to.
public struct Loaded: Sendable {
    /// nil where a diagnostic is an error.
    public var configuration: Configuration?
    /// Errors and warnings in the file's order.
    public var diagnostics: [Diagnostic]
    public var errors: [Diagnostic] { self.diagnostics.filter { $0.severity == .error } }
    public var warnings: [Diagnostic] { self.diagnostics.filter { $0.severity == .warning } }
}

extension Configuration {
    /// Reads and checks a whole configuration. Reports everything that is wrong, not only the first.
    ///
    /// Computes for milliseconds, and reads the files that `${file:…}` names: not for event loops.
    /// - Parameters:
    ///   - bytes: YAML in UTF-8, at most 1 MiB.
    ///   - file: as messages shall name it.
    ///   - formats: those that exist in this build.
    public static func load(
        _ bytes: some Collection<UInt8>, file: String, formats: [FormatSchema], surroundings: Surroundings, overrides: Overrides = Overrides()
    ) -> Loaded {
        let findings = Findings(file: file)
        let source = YAMLSource(findings: findings, interpolation: Interpolation(surroundings: surroundings))
        guard let node = source.read(bytes) else { return Loaded(configuration: nil, diagnostics: findings.sorted) }
        let root = Section(node, key: "", position: Position(line: 1, column: 1), findings: findings)
        let reader = ConfigurationReader(
            findings: findings, formats: formats, surroundings: surroundings, overrides: overrides, repositoryKeys: node.keys(below: "repositories"))
        var configuration = reader.read(root)
        configuration.written = WrittenValues(node)
        return Loaded(configuration: findings.hasErrors ? nil : configuration, diagnostics: findings.sorted)
    }
}

/// Reads the sections in their order. Split by concern: `ConfigurationReader+….swift`.
struct ConfigurationReader {
    typealias Server = Configuration.Server
    typealias BlobStore = Configuration.BlobStore
    typealias Outbound = Configuration.Outbound
    typealias CleanupPolicy = Configuration.CleanupPolicy
    typealias Security = Configuration.Security
    typealias Audit = Configuration.Audit
    typealias Repository = Configuration.Repository

    let findings: Findings
    let formats: [FormatSchema]
    let surroundings: Surroundings
    let overrides: Overrides
    /// Every name below `repositories`, also of those with mistakes.
    let repositoryKeys: [String]

    func read(_ root: Section) -> Configuration {
        _ = root.value("configVersion", .int(1...1), default: 1)
        let server = self.server(root.section("server"))
        let data = self.data(root)
        self.database(root.section("database"))
        let stores = self.blobStores(root.section("blobStores"), data: data)
        let outbound = self.outbound(root.section("outbound"))
        let sites = self.sites(root)
        let rules = self.routingRules(root)
        let drafts = self.repositories(root.section("repositories"), stores: stores.map(\.name), rules: rules.map(\.name))
        let policies = self.cleanupPolicies(root.section("cleanupPolicies"))
        let security = self.security(root.section("security"), repositories: drafts.map(\.name))
        let audit = self.audit(root.section("audit"))
        root.finish()
        let repositories = self.resolved(drafts)
        self.check(sites, against: repositories)
        let configuration = Configuration(
            server: server, data: data, blobStores: stores, outbound: outbound, siteSettings: sites.mapValues(\.value), repositories: repositories,
            routingRules: rules, cleanupPolicies: policies, security: security, audit: audit, shown: root.shown, file: self.findings.file)
        self.checkListeners(configuration)
        self.checkMirrors(configuration)
        return configuration
    }

    private func data(_ root: Section) -> String {
        let path = root.value("data", .path { self.surroundings.absolute($0) }, default: self.surroundings.absolute("data"))
        guard let other = self.overrides.data else { return path }
        root.replaceShown("data", .text(self.surroundings.absolute(other)))
        return self.surroundings.absolute(other)
    }
}
