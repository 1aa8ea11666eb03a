import AccessControl
import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore

#if canImport(FoundationEssentials)
    import FoundationEssentials
#else
    import Foundation
#endif

/// A request's decision trace as its answer: JSON, for people and scripts.
struct Explanation: Encodable {
    struct Asked: Encodable {
        var method: String
        var path: String
        var repository: String
        var format: String
        var operation: String
        var principal: String
        var requestID: String
    }
    struct Answer: Encodable {
        var status: Int
        var cache: String?
        /// In seconds.
        var age: Int64?
        var member: String?
        var skippedMembers: [String]
        /// What a client is told that is refused.
        var message: String?
    }
    struct Step: Encodable {
        /// nil: one that the caller may not read.
        var repository: String?
        var question: String
        var answer: String
    }
    var request: Asked
    var answer: Answer
    var steps: [Step]

    init(_ request: IncomingRequest, _ outcome: RequestOutcome, format: String, _ trace: DecisionTrace, mayRead: (RepositoryName) -> Bool) {
        let response = outcome.response
        self.request = Asked(
            method: request.method.rawValue, path: "/" + request.target.encoded.joined(separator: "/"), repository: outcome.repository?.text ?? "",
            format: format, operation: outcome.operation, principal: outcome.principal.name, requestID: request.id)
        self.answer = Answer(status: response.status.code, skippedMembers: [], message: outcome.cause.map { FormatError($0).message })
        var cache = response.cache
        if case .content(let content) = response.body {
            cache = content.cache
            self.answer.member = mayRead(content.member) ? content.member.text : nil
            self.answer.skippedMembers = content.skippedMembers.filter(mayRead).map(\.text)
        }
        self.answer.cache = cache?.outcome.rawValue
        self.answer.age = cache?.age.components.seconds
        self.steps = trace.steps.map { step in
            mayRead(step.repository)
                ? Step(repository: step.repository.text, question: step.question, answer: step.answer)
                : Step(repository: nil, question: "a repository that you may not read", answer: "was asked or passed over")
        }
    }

    func response() -> ArtifactResponse {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        do {
            let bytes = ByteBuffer(bytes: try encoder.encode(self) + [UInt8(ascii: "\n")])
            return ArtifactResponse(.ok, headers: [.contentType: "application/json", .cacheControl: "no-store"], body: .bytes(bytes))
        } catch {
            // Texts and numbers are always JSON.
            return ArtifactResponse(.internalServerError)
        }
    }
}

extension Freshness.Plan {
    /// For people.
    var words: String {
        switch self {
        case .serve: "served as it is"
        case .serveGone: "served although the upstream has it no more"
        case .absent(let since): "not there: the upstream said so \(since.components.seconds) s ago"
        case .ask: "the upstream is asked, for as long as it takes"
        case .askWithin(let bound): "the upstream is asked; what is kept is served where it is in trouble or takes longer than \(bound)"
        }
    }
}
