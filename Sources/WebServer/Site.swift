import ArtifactModel
import Audit
import FormatAPI
import HTTPTypes
import NIOCore
import RepositoryEngine
import Synchronization

/// What all connections share.
struct Site: Sendable {
    let configuration: WebServerConfiguration
    let handler: any ArtifactHandler
    let probes: ServerProbes
    let pool: any BlockingPool
    let metrics: ServerMetrics
    let accessLog: AccessLog
    let requestNumbers = RequestNumbers()
    let hostRules: HostRules
    let securityHeaders: SecurityHeaders
    let limits: RequestLimits?
    let identities: [TLSIdentity]
    let control: ControlRoutes
    let pages: any PageHandler
    let audit: any AuditSink
    let now: WallClock
    let connections = OpenConnections()
    let pageCache = PageCache()
    let ready: ReadyAnswers
    /// Beginnings of fields that no answer depends on.
    let idleFields: [[UInt8]]
    private let dates = DateHeader()

    init(
        _ configuration: WebServerConfiguration, _ handler: any ArtifactHandler, _ probes: ServerProbes, _ pool: any BlockingPool,
        _ metrics: ServerMetrics, _ accessLog: AccessLog, _ control: ControlRoutes, _ pages: any PageHandler, _ audit: any AuditSink,
        now: @escaping WallClock,
        steady: @escaping SteadyClock, identities: [TLSIdentity]
    ) {
        self.identities = identities
        self.ready = ReadyAnswers(files: configuration.limits.readyFiles)
        self.pages = pages
        self.audit = audit
        self.configuration = configuration
        self.handler = handler
        self.idleFields = handler.idleFields.map { Array($0.utf8) }
        self.probes = probes
        self.pool = pool
        self.metrics = metrics
        self.accessLog = accessLog
        self.hostRules = HostRules(configuration)
        self.securityHeaders = SecurityHeaders(configuration)
        self.limits = RequestLimits(configuration.limits, now: steady)
        self.control = control
        self.now = now
    }

    var isDraining: Bool { self.connections.isDraining }
    func date() -> String { self.date(self.now()) }
    func date(_ now: Timestamp) -> String { self.dates.text(seconds: now.milliseconds / 1000) }

    /// - Parameter peer: an address, or `unix`.
    func trusts(_ peer: String) -> Bool {
        guard !self.configuration.trustedProxies.isEmpty, let address = peer == "unix" ? .unix : NetworkAddress(peer) else { return false }
        return self.configuration.trustedProxies.contains { $0.contains(address) }
    }

    func answer(_ request: IncomingRequest, at entrance: ListenerEntrance) async -> RequestOutcome {
        if entrance.isControl { return await self.control.answer(request, self.audit) }
        guard request.ownRoot == nil else { return await self.handler.respond(to: request) }
        switch request.target.path {
        case ["health", "live"], ["health", "ready"], ["metrics"]:
            guard request.method == .get || request.method == .head else {
                return RequestOutcome(ArtifactResponse(.methodNotAllowed, headers: [.allow: "GET, HEAD"]), operation: "page")
            }
            if request.target.path == ["metrics"], let refused = await self.pages.refusalOfMetrics(request) { return refused }
            return RequestOutcome(await self.page(request), operation: "page")
        default:
            if let page = await self.pages.answer(request) { return page.asPage }
            guard request.target.path.isEmpty else { return await self.handler.respond(to: request) }
            return RequestOutcome(Self.text(.ok, Self.welcome, type: "text/html; charset=utf-8"), operation: "page").asPage
        }
    }

    private func page(_ request: IncomingRequest) async -> ArtifactResponse {
        switch request.target.path.last {
        case "live": return Self.text(.ok, "live")
        case "ready":
            let problems = self.isDraining ? ["the server is ending"] : await self.probes.problems()
            return problems.isEmpty ? Self.text(.ok, "ready") : Self.text(.serviceUnavailable, problems.joined(separator: "\n"))
        case "metrics":
            let text = self.metrics.text(openConnections: self.connections.count, others: self.samples + (await self.probes.samples()))
            return Self.text(.ok, text, type: MetricsText.contentType)
        default: return Self.text(.notFound, "there is no such page")
        }
    }

    private static func text(_ status: HTTPResponse.Status, _ text: String, type: String = "text/plain; charset=utf-8") -> ArtifactResponse {
        let text = text.hasSuffix("\n") ? text : text + "\n"
        return ArtifactResponse(status, headers: [.contentType: type, .cacheControl: "no-store"], body: .bytes(ByteBuffer(string: text)))
    }

    private static let welcome = """
        <!doctype html><html lang="en"><meta charset="utf-8"><title>Entrepot</title>
        <h1>Entrepot</h1>
        <p>Artifacts are at <code>/repository/&lt;name&gt;/</code>, container images at <code>/v2/</code>.</p>
        <p><a href="/health/ready">Health</a> · <a href="/metrics">Metrics</a></p></html>
        """
}

/// The connections that are open, and whether the server is ending.
final class OpenConnections: Sendable {
    private let channels = Mutex<[ObjectIdentifier: any Channel]>([:])
    private let draining = Atomic(false)

    func opened(_ channel: any Channel) { self.channels.withLock { $0[ObjectIdentifier(channel)] = channel } }
    func closed(_ channel: any Channel) { self.channels.withLock { $0[ObjectIdentifier(channel)] = nil } }
    var count: Int { self.channels.withLock { $0.count } }
    var isDraining: Bool { self.draining.load(ordering: .relaxed) }
    func drain() { self.draining.store(true, ordering: .relaxed) }

    func closeAll() {
        for channel in self.channels.withLock({ Array($0.values) }) { channel.close(promise: nil) }
    }
}
