import ArtifactModel
import Audit
import FormatAPI
public import HTTPTypes
public import NIOCore
import RepositoryEngine

/// What command-line tools may ask of the running server over its socket. Who can open the socket may do everything.
public struct ControlRoute: Sendable {
    public var method: HTTPRequest.Method
    /// `/repositories/invalidate`, matched whole.
    public var path: String
    /// Whether it does what must not be done unrecorded: it is refused while the audit trail refuses.
    public var changes: @Sendable (ControlRequest) -> Bool
    public var answer: @Sendable (ControlRequest) async -> ControlResponse

    /// - Parameter changes: nil: all but GET do.
    public init(
        _ method: HTTPRequest.Method, _ path: String, changes: (@Sendable (ControlRequest) -> Bool)? = nil,
        answer: @escaping @Sendable (ControlRequest) async -> ControlResponse
    ) {
        self.method = method
        self.path = path
        self.changes = changes ?? { _ in method != .get }
        self.answer = answer
    }
}

public struct ControlRequest: Sendable {
    public var query: [(name: String, value: String)]
    /// At most 1 MiB.
    public var body: ByteBuffer

    /// The first value of a query parameter.
    public func query(_ name: String) -> String? { self.query.first { $0.name == name }?.value }
}

public struct ControlResponse: Sendable {
    enum Body: Sendable {
        case json(ByteBuffer)
        case job(@Sendable (JobReporter) async -> ByteBuffer)
    }
    var status: HTTPResponse.Status
    var body: Body

    public init(_ status: HTTPResponse.Status = .ok, json: ByteBuffer) {
        self.status = status
        self.body = .json(json)
    }

    /// Lines of JSON while `job` runs. It runs in a task of its own, off the event loops, which is cancelled when the client hangs up.
    /// - Parameter job: gives the last line, which says what came of it; without a newline. What it reports before are the others.
    public init(job: @escaping @Sendable (JobReporter) async -> ByteBuffer) {
        self.status = .ok
        self.body = .job(job)
    }
}

/// The routes, by method and path.
struct ControlRoutes: Sendable {
    static let longestBody = 1 << 20

    let routes: [ControlRoute]

    /// - Parameter audit: says why nothing may be done that could not be recorded.
    func answer(_ request: IncomingRequest, _ audit: any AuditSink) async -> RequestOutcome {
        let path = "/" + request.target.path.joined(separator: "/")
        guard let route = self.routes.first(where: { $0.path == path && $0.method == request.method }) else {
            return Self.outcome(.init(.notFound, json: ByteBuffer(string: "{\"error\":\"there is no such command\"}")), "none")
        }
        do {
            guard let body = try await request.body.collect(upTo: Self.longestBody) else {
                return Self.outcome(.init(.contentTooLarge, json: ByteBuffer(string: "{\"error\":\"the request is longer than 1 MiB\"}")), path)
            }
            let asked = ControlRequest(query: request.target.query, body: body)
            // In plain words: commands print them as they are.
            if let refusal = audit.refusal, route.changes(asked) { return Self.outcome(.init(.serviceUnavailable, json: ByteBuffer(string: refusal)), path) }
            return Self.outcome(await route.answer(asked), path)
        } catch {
            var outcome = Self.outcome(.init(.badRequest, json: ByteBuffer(string: "{\"error\":\"the request broke off\"}")), path)
            outcome.cause = error
            return outcome
        }
    }

    private static func outcome(_ response: ControlResponse, _ operation: String) -> RequestOutcome {
        let (type, body) =
            switch response.body {
            case .json(let bytes): ("application/json", ArtifactResponse.Body.bytes(bytes))
            case .job(let job): ("application/x-ndjson", ArtifactResponse.Body.stream(JobContent(job)))
            }
        let headers: HTTPFields = [.contentType: type, .cacheControl: "no-store"]
        return RequestOutcome(ArtifactResponse(response.status, headers: headers, body: body), operation: "control \(operation)")
    }
}
