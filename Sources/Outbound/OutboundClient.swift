public import ArtifactModel
import AsyncHTTPClient
public import HTTPTypes
public import NIOCore
import NIOHTTP1
import NIOSSL

/// The head of an answer. Letting go of it without pulling the body to its end hangs up.
public struct OutboundAnswer: Sendable {
    public var status: HTTPResponse.Status
    public var headers: HTTPFields
    /// Its length is what the head declares, of an answer to HEAD too. Throws `OutboundError`.
    public var body: ByteStream
    /// Ends it before its end, and frees its connection for others, where letting go of it would come too late. Not beside a pull.
    public var hangUp: @Sendable () -> Void
}

/// HTTP/1.1 to one upstream and to wherever that sends us: two pools of connections, so that none that was made without the guard is
/// used where the guard must hold. Nothing is followed, decompressed or retried; bodies are pulled. Safe to use from many tasks.
public final class OutboundClient: Sendable {
    public enum Reach: Hashable, Sendable {
        /// The operator named this origin: any address.
        case configured
        /// Somebody's document or redirect named it: what `AddressGuard` permits.
        case elsewhere
    }

    private let settings: OutboundSettings
    private let addresses: AddressGuard
    private let configured: HTTPClient
    private let guarded: HTTPClient
    private let slots: ConnectionSlots
    private let pace: Pace?
    private let names: any BlockingPool
    private let lookUp: LookUp

    /// The addresses that a name has; none: it is unknown. Blocks.
    typealias LookUp = @Sendable (_ host: String) -> [IPAddress]

    /// Reads the file of certificate authorities: not for event loops. `shutdown` must be called before the last reference goes.
    /// - Parameter names: where names are looked up, which may take seconds.
    public convenience init(_ settings: OutboundSettings, _ limits: OutboundLimits, group: any EventLoopGroup, names: any BlockingPool) throws {
        try self.init(settings, limits, group: group, names: names, time: .real) { Resolver.addresses(of: $0) }
    }

    init(
        _ settings: OutboundSettings, _ limits: OutboundLimits, group: any EventLoopGroup, names: any BlockingPool, time: Pace.Time,
        lookUp: @escaping LookUp
    ) throws {
        self.settings = settings
        self.lookUp = lookUp
        self.addresses = AddressGuard(allowed: settings.allowPrivate)
        self.slots = ConnectionSlots(limits.connections)
        self.pace = limits.bandwidth.map { Pace(rate: $0, time: time) }
        self.names = names
        var configuration = try Self.configuration(settings, limits)
        let idle = TimeAmount(limits.idleTimeout)
        configuration.http1_1ConnectionDebugInitializer = { channel in Self.prepare(channel, idle) }
        self.configured = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
        let (addresses, isDirect) = (self.addresses, settings.proxy == nil)
        configuration.http1_1ConnectionDebugInitializer = { channel in
            // A name may have led elsewhere since it was checked. Behind an egress proxy the peer is the proxy.
            if isDirect, let refusal = Self.refusal(of: channel.remoteAddress, addresses) {
                return channel.close().flatMapErrorThrowing { _ in }.flatMapThrowing { throw refusal }
            }
            return Self.prepare(channel, idle)
        }
        self.guarded = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    /// Ends every connection. Requests that run fail.
    public func shutdown() async throws {
        try await self.configured.shutdown()
        try await self.guarded.shutdown()
    }

    /// Returns when the head of the answer is there. Cancelling the task hangs up.
    /// - Parameter body: small, and sent as a whole; nil: none.
    public func send(
        _ method: HTTPRequest.Method, _ destination: Destination, _ headers: HTTPFields, body: ByteBuffer? = nil, reach: Reach
    ) async throws(OutboundError) -> OutboundAnswer {
        do {
            if reach == .elsewhere { try await self.check(destination.origin) }
            let slot = try await self.slots.enter()
            var request = HTTPClientRequest(url: destination.text)
            request.method = HTTPMethod(rawValue: method.rawValue)
            for field in headers { request.headers.add(name: field.name.rawName, value: field.value) }
            if let body { request.body = .bytes(body) }
            let client = reach == .configured ? self.configured : self.guarded
            let response = try await client.execute(request, deadline: .distantFuture)
            return self.answer(response, from: destination.origin, slot)
        } catch {
            throw OutboundError(error, destination.origin)
        }
    }

    private func answer(_ response: HTTPClientResponse, from origin: WebOrigin, _ slot: ConnectionSlots.Slot) -> OutboundAnswer {
        var headers = HTTPFields()
        for (name, value) in response.headers {
            // What is no field's name in HTTP's grammar is left out.
            if let name = HTTPField.Name(name) { headers.append(HTTPField(name: name, value: value)) }
        }
        let length = headers[.contentLength].flatMap { Int64($0) }
        let hasBody = response.history.first?.request.method != .HEAD && response.status != .notModified && response.status != .noContent
        let body = OutboundBody(response, from: origin, declared: hasBody ? length : nil, slot: slot, pace: self.pace)
        let status = HTTPResponse.Status(code: Int(response.status.code))
        return OutboundAnswer(status: status, headers: headers, body: ByteStream(length: length) { try await body.next() }) { body.end() }
    }

    // MARK: The guard

    /// Before anything is sent: of all addresses of the name each must do.
    private func check(_ origin: WebOrigin) async throws {
        let found: [IPAddress]
        if let address = IPAddress(origin.host) {
            found = [address]
        } else {
            let lookUp = self.lookUp
            found = try await self.names.run { lookUp(origin.host) }
            // Behind an egress proxy names may be unknown here: it is the proxy that looks them up, and that must hold its own rules.
            guard !found.isEmpty || self.settings.proxy != nil else { throw OutboundError(.unreachable, "\(origin) is not known to DNS") }
        }
        if let address = found.first(where: { !self.addresses.permits($0) }) { throw Self.refusal(of: address) }
    }

    private static func refusal(of address: SocketAddress?, _ addresses: AddressGuard) -> OutboundError? {
        guard let address = address?.ipAddress.flatMap({ IPAddress($0.prefix { $0 != "%" }) }) else {
            return OutboundError(.forbidden, "the peer's address is not known")
        }
        return addresses.permits(address) ? nil : Self.refusal(of: address)
    }

    private static func refusal(of address: IPAddress) -> OutboundError {
        OutboundError(.forbidden, "an upstream named a place at \(address), which is not public and not in outbound.allowPrivate")
    }

    // MARK: Connections

    private static func configuration(_ settings: OutboundSettings, _ limits: OutboundLimits) throws -> HTTPClient.Configuration {
        var tls = TLSConfiguration.makeClientConfiguration()
        if let path = settings.certificateAuthorities { tls.additionalTrustRoots = [.certificates(try NIOSSLCertificate.fromPEMFile(path))] }
        var configuration = HTTPClient.Configuration(
            tlsConfiguration: tls, redirectConfiguration: .disallow,
            // That nothing is read is `SilenceWatch`'s matter: the library's own clock goes on while nobody pulls.
            timeout: .init(connect: TimeAmount(limits.connectTimeout), write: TimeAmount(limits.idleTimeout)),
            connectionPool: .init(idleTimeout: .seconds(30), concurrentHTTP1ConnectionsPerHostSoftLimit: max(1, limits.connections)),
            decompression: .disabled)
        configuration.httpVersion = .http1Only
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.proxy = settings.proxy.map { proxy in
            .server(host: proxy.host, port: proxy.port, authorization: proxy.user.map { .basic(username: $0.name, password: $0.password) })
        }
        return configuration
    }

    /// Large reads: fewer system calls, and fewer writes to disk. And a bound on silence.
    private static func prepare(_ channel: any Channel, _ patience: TimeAmount) -> EventLoopFuture<Void> {
        channel.setOption(.recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 4 << 10, initial: 64 << 10, maximum: 256 << 10)).flatMapThrowing {
            try channel.pipeline.syncOperations.addHandler(SilenceWatch(patience: patience, now: channel.eventLoop.now), position: .first)
        }
    }
}
