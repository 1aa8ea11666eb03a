import FormatTestKit
import HTTPTypes
import NIOCore
import Synchronization
import Testing

/// What a client, or the server by itself, does in one go; done again, it comes to the same.
struct Step: Sendable {
    /// The statuses that mean that it is done; others are failures.
    var done: Set<Int>
    /// Those that mean that it had been done before.
    var doneBefore: Set<Int> = []
    var run: @Sendable (World) async throws -> TestResponse?

    static func request(
        _ method: HTTPRequest.Method, _ target: String, _ text: String = "", type: String? = nil, done: Set<Int>, doneBefore: Set<Int> = []
    ) -> Step {
        Step(done: done, doneBefore: doneBefore) { try await $0.ask(method, target, text, type: type) }
    }
    static func push(_ text: String, to image: String = "app") -> Step {
        .request(.post, "/v2/\(image)/blobs/uploads/?digest=\(digest(text))", text, done: [201])
    }
    static func upload(_ text: String, to image: String = "app") -> Step { Step(done: [201]) { try await $0.upload(text, to: image) } }
    static func manifest(_ text: String, _ reference: String) -> Step {
        .request(.put, "/v2/app/manifests/\(reference)", text, type: imageType, done: [201])
    }
    static func delete(_ target: String) -> Step { .request(.delete, target, done: [202, 204], doneBefore: [404]) }
    /// Work without an answer: it is done or throws.
    static func work(_ work: @escaping @Sendable (World) async throws -> Void) -> Step {
        Step(done: []) {
            try await work($0)
            return nil
        }
    }
}

struct Scenario: Sendable, CustomTestStringConvertible {
    var name: String
    /// How many calls it makes at least, so that a test that counts none does not pass.
    var calls: Int
    /// Done before, without faults.
    var prepared: [Step]
    var steps: [Step]
    /// Where a client looks.
    var targets: [String]

    var testDescription: String { self.name }
}

let imageType = "application/vnd.oci.image.manifest.v1+json"

func image(_ layers: String...) -> String {
    let layers = layers.map { #"{"mediaType":"application/octet-stream","digest":"\#(digest($0))","size":\#($0.utf8.count)}"# }.joined(separator: ",")
    return """
        {"schemaVersion":2,"mediaType":"\(imageType)","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"\(digest("{}"))","size":2},
        "layers":[\(layers)]}
        """
}

extension Scenario {
    private static let large = String(repeating: "a layer of some length, ", count: 60_000)
    private static let old = image("layer")
    private static let new = image(large, "layer")
    /// An image with a tag, and another image's blob.
    private static let base: [Step] = [.push("{}"), .push("layer"), .manifest(old, "t"), .push("shared", to: "other")]
    private static let targets =
        ["app/tags/list", "app/manifests/t", "app/manifests/\(digest(old))", "app/manifests/\(digest(new))"].map { "/v2/\($0)" }
        + ["{}", "layer", large, "shared", "loose"].map { "/v2/app/blobs/\(digest($0))" } + ["/v2/other/blobs/\(digest("shared"))"]

    static let all: [Scenario] = [
        Scenario(
            name: "a push that moves a tag", calls: 30, prepared: base, steps: [.upload(large), .push("{}"), .manifest(new, "t")], targets: targets),
        Scenario(
            name: "a mount", calls: 1, prepared: base,
            steps: [.request(.post, "/v2/app/blobs/uploads/?mount=\(digest("shared"))&from=other", done: [201])], targets: targets),
        Scenario(name: "a delete of a tag", calls: 1, prepared: base, steps: [.delete("/v2/app/manifests/t")], targets: targets),
        Scenario(name: "a delete of a manifest", calls: 1, prepared: base, steps: [.delete("/v2/app/manifests/\(digest(old))")], targets: targets),
        Scenario(
            name: "a delete of a blob", calls: 1, prepared: base + [.push("loose")], steps: [.delete("/v2/app/blobs/\(digest("loose"))")], targets: targets),
        Scenario(
            name: "a collection with garbage", calls: 5,
            prepared: base + [.push("loose"), .delete("/v2/app/blobs/\(digest("loose"))"), .push("more"), .delete("/v2/app/blobs/\(digest("more"))")],
            steps: [.work { $0.site.clock.advance(by: .seconds(3601)) }, .work { try await $0.collect() }, .push("loose")], targets: targets),
        Scenario(
            name: "a sweep of uploads", calls: 4, prepared: base + [.begun(large), .begun("loose")],
            steps: [.work { $0.age() }, .work { try await $0.sweepUploads() }], targets: targets),
        Scenario(
            name: "a cancelled upload", calls: 3, prepared: base + [.begun("loose")],
            steps: [
                Step(done: [204], doneBefore: [404]) { world in
                    try await world.ask(.delete, try #require(world.sessions.withLock { $0["loose"] }))
                }
            ], targets: targets),
        Scenario(
            name: "a sweep of unused layers", calls: 3, prepared: base + [.push("loose")],
            steps: [.work { $0.site.clock.advance(by: .seconds(40 * 24 * 3600)) }, .work { try await $0.sweepParts() }], targets: targets),
    ]
}

extension Step {
    /// A session with some bytes, left open.
    fileprivate static func begun(_ text: String) -> Step {
        Step(done: [202]) { world in
            let begun = try await world.ask(.post, "/v2/app/blobs/uploads/")
            let session = try #require(begun.headers[.location])
            world.sessions.withLock { $0[text] = session }
            return try await world.ask(.patch, session, String(text.prefix(3)))
        }
    }
}
