import ArtifactModel
public import FormatAPI

/// What the configuration must know of a format: its spellings, and how its own keys are decoded.
public struct FormatSchema: Sendable {
    public let id: String
    public let aliases: [String]
    let writePolicy: WritePolicy
    let objection: @Sendable (RepositoryName) -> String?
    let settings: @Sendable (any Decoder) throws -> DecodedSettings
    let siteSettings: @Sendable (any Decoder) throws -> DecodedSettings
    /// Of what `siteSettings` returned.
    let repositoriesNamed: @Sendable (any Sendable) -> [RepositoryName]
    /// Of what `settings` returned.
    let librariesNamed: @Sendable (any Sendable) -> [RepositoryName]
    let hasLibraries: Bool

    public init<Format: RepositoryFormat>(_ format: Format.Type) {
        self.id = Format.id
        self.aliases = Format.aliases
        self.writePolicy = Format.writePolicy
        self.objection = { Format.objection(to: $0) }
        self.settings = { try DecodedSettings(Format.Settings(from: $0)) }
        self.siteSettings = { try DecodedSettings(Format.SiteSettings(from: $0)) }
        self.repositoriesNamed = { settings in
            guard let settings = settings as? Format.SiteSettings else { return [] }
            return Format.repositories(namedBy: settings)
        }
        self.librariesNamed = { settings in
            guard let settings = settings as? Format.Settings else { return [] }
            return Format.libraries(namedBy: settings)
        }
        self.hasLibraries = Format.hasLibraries
    }

    var spellings: [String] { [self.id] + self.aliases }
}

/// A format's settings, and what they came to with their defaults.
struct DecodedSettings {
    var value: any Sendable
    var effective: Shown

    init(_ settings: some Sendable) {
        self.value = settings
        self.effective = Shown(propertiesOf: settings)
    }
}
