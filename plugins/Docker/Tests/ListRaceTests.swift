import ArtifactModel
import FormatAPI
import HTTPTypes
import Synchronization
import Testing

@testable import DockerFormat

/// A repository in which something is pushed as the first list has been read.
private final class PushedMeanwhile: RepositoryContent {
    private let content: any RepositoryContent
    private let push: @Sendable () async -> Void
    private let isOver = Mutex(false)

    init(_ content: any RepositoryContent, push: @escaping @Sendable () async -> Void) {
        self.content = content
        self.push = push
    }

    var context: RequestContext { self.content.context }

    func list(_ query: ContentQuery) async throws -> ContentPage {
        let page = try await self.content.list(query)
        let isFirst = self.isOver.withLock { isOver in
            defer { isOver = true }
            return !isOver
        }
        if isFirst { await self.push() }
        return page
    }

    func document<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand) async throws -> Content? {
        try await self.content.document(type, key, demand)
    }
    func outlines<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand) async throws -> Gathered<Outline>? {
        try await self.content.outlines(type, key, demand)
    }
    func entry<Document: DerivedDocument>(
        _ type: Document.Type, _ key: Document.Key, section: String, name: String
    ) async throws -> DocumentEntry? { try await self.content.entry(type, key, section: section, name: name) }
    func content(_ want: ContentRequest) async throws -> Content? { try await self.content.content(want) }
    func resolve(_ want: PointerRequest) async throws -> Pointer? { try await self.content.resolve(want) }
    func stage(_ body: ByteStream, _ demand: StageDemand) async throws -> StagedBlob { try await self.content.stage(body, demand) }
    func uploads(in scope: String) -> any UploadSessions { self.content.uploads(in: scope) }
    func commit(_ edit: Edit) async throws { try await self.content.commit(edit) }
}

@Suite("A referrer that is pushed while referrers are listed")
struct ListRaceTests {
    @Test("and stands under the fallback tag too, is on the list", arguments: ["", "?artifactType=a/x"])
    func both(_ query: String) async throws {
        let client = try await client(OCISettings(missingChildren: .allow))
        let subject = try digest("subject")
        let signature = try image(extra: #","artifactType":"a/x","subject":{"mediaType":"\#(imageType)","digest":"\#(subject)","size":1}"#)
        let name = try digest(signature)
        let entry = #"{"mediaType":"\#(imageType)","digest":"\#(name)","size":1,"artifactType":"a/x"}"#
        let list = #"{"schemaVersion":2,"mediaType":"\#(indexType)","manifests":[\#(entry)]}"#
        #expect(await client.put(list, "\(try Tag(referrersOf: subject))", type: indexType).status == .created)
        let reader = Client(content: PushedMeanwhile(client.content) { _ = await client.put(signature, "\(name)") })
        for _ in 1...2 {
            let answer = text(await reader.send(.get, "app/referrers/\(subject)\(query)"))
            #expect(answer.ranges(of: "\(name)").count == 1, "\(answer)")
        }
    }
}
