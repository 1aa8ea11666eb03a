public import ArtifactModel
public import FormatAPI
import HTTPTypes
import NIOCore

/// A repository of Helm charts, as Helm and ChartMuseum's clients ask it.
public struct HelmRepository: RepositoryFormat {
    public typealias Operation = HelmOperation
    public typealias Settings = HelmSettings

    public static let id = "helm"
    /// What was published stays what it was.
    public static let writePolicy = WritePolicy.allowOnce

    /// What is remembered of registries that are shown here.
    private let library = ChartLibrary()

    public init() {}

    public static func isGuest(at door: String, _ settings: HelmSettings) -> Bool { door == "v2" && settings.oci }

    public static func libraries(namedBy settings: HelmSettings) -> [RepositoryName] { settings.ociSource.map { [$0] } ?? [] }

    public static func name(at path: AssetPath) -> String { ChartFile(path.text)?.name.text ?? path.text }

    /// - Throws: `.methodNotAllowed`; `.notFound` for what is no address, `.invalidRequest` for names and versions that are none.
    public func parse(_ head: RequestHead) throws(FormatError) -> HelmOperation {
        let address = try HelmAddress(head.path)
        guard address.methods.contains(head.method) else {
            throw FormatError(.methodNotAllowed, "this address takes \(address.methods.map(\.rawValue).joined(separator: ", "))")
        }
        return HelmOperation(head.method, address)
    }

    public func respond(
        to operation: HelmOperation, _ request: ArtifactRequest, in content: any RepositoryContent, _ settings: HelmSettings
    ) async throws -> ArtifactResponse {
        guard settings.oci || !operation.address.isArtifact else {
            throw FormatError(.notFound, "the charts of this repository are not served as OCI artifacts (oci: true)")
        }
        let key = ChartIndex.Key(extra: operation.isList ? try await self.extra(settings, content.context) : nil)
        var response = try await self.answer(operation, request, key, settings, content)
        // It follows from another repository, too.
        if settings.ociSource != nil { response.isRepeatable = false }
        return response
    }

    /// What a registry has beside it.
    func extra(_ settings: HelmSettings, _ context: RequestContext) async throws -> ExtraCharts? {
        guard let source = settings.ociSource else { return nil }
        return try await self.library.charts(of: source, context)
    }

    private func answer(
        _ operation: HelmOperation, _ request: ArtifactRequest, _ key: ChartIndex.Key, _ settings: HelmSettings, _ content: any RepositoryContent
    ) async throws -> ArtifactResponse {
        switch (operation.address, operation.verb) {
        case (.index, _): try await self.index(key, content)
        case (.root, _): try await FolderPaging(request.head).page(of: nil, request.head, content)
        case (.file(let file), .read): try await self.read(file, settings, content)
        case (.file(let file), .write): try await self.put(file, request, content)
        case (.file(let file), .delete): try await self.delete(file, content)
        case (.charts, .write): try await self.upload(request, content)
        case (.provenances, _): try await self.uploadProvenance(request, content)
        case (.charts, _): try await self.charts(request.head, key, content)
        case (.chart(let name), _): try await self.versions(of: name, key, content)
        case (.version(let id), .delete): try await self.delete(id, content)
        case (.version(let id), _): try await self.describe(id, key, content)
        case (.part(let id, let part), _): try await self.part(part, of: id, settings, content)
        case (.manifest(let name, let reference), _): try await self.manifest(name, reference, content)
        case (.blob(let name, let digest), _): try await self.blob(name, digest, content)
        case (.tags(let name), _): try await self.tags(of: name, request.head, content)
        }
    }

    /// `nginx:15.1.0`, `nginx`: a version, or the highest release.
    public func prefetch(
        _ reference: String, _ choice: [String], in content: any RepositoryContent, _ settings: HelmSettings
    ) async throws -> [Prefetch] {
        let words = reference.split(separator: ":", maxSplits: 1).map(String.init)
        guard let first = words.first else { throw FormatError(.invalidRequest, "a chart is named name:version") }
        let name = try ChartName(first)
        guard words.count == 1 else {
            return [Prefetch(try await self.request(ChartID(name: name, version: try ChartVersion(words[1])), content))]
        }
        guard let highest = try await self.entries(of: name, ChartIndex.Key(), content).first(where: { !$0.version.text.contains("-") }) else {
            throw Self.absent(name.text)
        }
        return [Prefetch(try await self.request(highest, content))]
    }

    public func render(_ failure: Failure, for head: RequestHead) -> ArtifactResponse {
        let code = failure.error.code
        let json = Self.isArtifact(head) ? Self.artifactError(failure.error) : Self.error(failure.error)
        var response = ArtifactResponse(code.usualStatus, headers: [.contentType: "application/json"], body: .bytes(ByteBuffer(bytes: json.bytes)))
        if failure.challenge != .none { response.headers[.wwwAuthenticate] = "Basic realm=\"Entrepot\", charset=\"UTF-8\"" }
        if code == .methodNotAllowed { response.headers[.allow] = Self.methods(head) }
        if let delay = failure.error.retryAfter { response.headers[.retryAfter] = String(max(1, delay.components.seconds)) }
        return response
    }

    private static func error(_ error: FormatError) -> JSONText {
        var json = JSONText()
        json.raw("{")
        json.member("error", error.message)
        json.raw("}\n")
        return json
    }

    private static func methods(_ head: RequestHead) -> String {
        do { return try HelmAddress(head.path).methods.map(\.rawValue).joined(separator: ", ") } catch { return "GET, HEAD" }
    }

    static func absent(_ what: String) -> FormatError { FormatError(.notFound, "there is no chart «\(what)» here, or none that you may see") }
}
