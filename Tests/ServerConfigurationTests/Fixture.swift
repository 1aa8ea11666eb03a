import ArtifactModel
import FormatAPI
import HTTPTypes
import ServerConfiguration

/// An operation of formats that are never run here.
struct NoOperation: FormatOperation {
    var name: StaticString { "none" }
    var accesses: [Access] { [] }
}

/// A format that is configured here and never asked.
protocol StandIn: RepositoryFormat where Operation == NoOperation {}

extension StandIn {
    func parse(_ head: RequestHead) throws(FormatError) -> NoOperation { NoOperation() }
    func respond(to operation: NoOperation, _ request: ArtifactRequest, in content: any RepositoryContent, _ settings: Settings) async throws
        -> ArtifactResponse
    {
        ArtifactResponse(.notFound)
    }
    func render(_ failure: Failure, for head: RequestHead) -> ArtifactResponse { ArtifactResponse(.notFound) }
}

/// A stand-in with the keys that images have.
struct ImageFormat: StandIn {
    enum Children: String, Decodable, CaseIterable { case refuse, allow }

    struct Settings: Decodable, Hashable, Sendable {
        var mutableTags: [String]
        var missingChildren: Children
        var depth: Int?

        private enum CodingKeys: String, CodingKey { case mutableTags, missingChildren, depth, unusedBlobAge }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            self.mutableTags = try values.decodeIfPresent([String].self, forKey: .mutableTags) ?? []
            if let tag = self.mutableTags.first(where: { $0.contains("!") }) {
                throw DecodingError.dataCorruptedError(forKey: .mutableTags, in: values, debugDescription: "«\(tag)» is no pattern of tags")
            }
            self.missingChildren = try values.decodeIfPresent(Children.self, forKey: .missingChildren) ?? .refuse
            // A key of the real format that the project's own files show.
            _ = try values.decodeIfPresent(String.self, forKey: .unusedBlobAge)
            self.depth = try values.decodeIfPresent(Int.self, forKey: .depth)
        }
    }

    struct SiteSettings: Decodable, Hashable, Sendable {
        var defaultRepository: RepositoryName?
        var namespaces: [String: RepositoryName] = [:]

        private enum CodingKeys: String, CodingKey { case defaultRepository, namespaces }

        private struct HostKey: CodingKey {
            var stringValue: String
            var intValue: Int? { nil }
            init(stringValue: String) { self.stringValue = stringValue }
            init?(intValue: Int) { nil }
        }

        init(from decoder: any Decoder) throws {
            let values = try decoder.container(keyedBy: CodingKeys.self)
            self.defaultRepository = try values.decodeIfPresent(String.self, forKey: .defaultRepository).map(RepositoryName.init)
            guard values.contains(.namespaces) else { return }
            let hosts = try values.nestedContainer(keyedBy: HostKey.self, forKey: .namespaces)
            for host in hosts.allKeys {
                do {
                    self.namespaces[host.stringValue] = try RepositoryName(hosts.decode(String.self, forKey: host))
                } catch let error as InvalidName {
                    throw DecodingError.dataCorruptedError(forKey: host, in: hosts, debugDescription: error.description)
                }
            }
        }
    }

    static let id = "docker"
    static let hasLibraries = true
    static func repositories(namedBy settings: SiteSettings) -> [RepositoryName] {
        [settings.defaultRepository].compactMap { $0 } + settings.namespaces.values
    }
    static func objection(to name: RepositoryName) -> String? { name.text == "library" ? "a docker repository cannot be called library" : nil }
}

/// A stand-in without keys of its own.
struct PlainFormat: StandIn {
    static let id = "raw"
    static let aliases = ["files"]
}

/// Another stand-in, whose hosted repositories take nothing twice.
struct PackageFormat: StandIn {
    static let id = "npm"
    static let writePolicy = WritePolicy.allowOnce
}

/// One more, with a key that is a word.
struct ArtifactFormat: StandIn {
    struct Settings: Decodable, Hashable, Sendable { var versionPolicy: String? }
    static let id = "maven2"
}

/// And one that shows what another holds.
struct ChartFormat: StandIn {
    struct Settings: Decodable, Hashable, Sendable {
        var oci: Bool?
        var ociSource: String?
    }
    static let id = "helm"
    static func libraries(namedBy settings: Settings) -> [RepositoryName] { [settings.ociSource].compactMap { $0 }.compactMap { try? RepositoryName($0) } }
}

/// Asks for a key that is not its own.
struct GreedyFormat: StandIn {
    struct Settings: Decodable, Hashable, Sendable { var remote: String? }
    static let id = "greedy"
}

struct NoSuchFile: Error, CustomStringConvertible { var description: String { "no such file" } }

enum Fixture {
    static let formats = [FormatSchema(ImageFormat.self), FormatSchema(PlainFormat.self)]
    /// And those that the project's own configurations have.
    static let all = Self.formats + [FormatSchema(PackageFormat.self), FormatSchema(ArtifactFormat.self), FormatSchema(ChartFormat.self)]
    static let secret = "hunter2-of-the-day"

    static func surroundings(_ environment: [String: String] = [:], files: [String: String] = [:]) -> Surroundings {
        Surroundings(
            workingDirectory: "/srv", environment: { environment[$0] },
            readFile: { path in
                guard let text = files[path] else { throw NoSuchFile() }
                return text
            })
    }

    static func load(
        _ yaml: String, formats: [FormatSchema] = Self.formats, environment: [String: String] = [:], files: [String: String] = [:],
        overrides: Overrides = Overrides()
    ) -> Loaded {
        Configuration.load(Array(yaml.utf8), file: "c.yaml", formats: formats, surroundings: Self.surroundings(environment, files: files), overrides: overrides)
    }

    /// The lines that `config check` prints.
    static func lines(_ loaded: Loaded) -> [String] { loaded.diagnostics.map(\.description) }
}
