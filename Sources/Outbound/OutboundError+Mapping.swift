import AsyncHTTPClient
import NIOCore
import NIOHTTP1
import NIOPosix
import NIOSSL

extension OutboundError {
    /// What a library's error means.
    init(_ error: any Error, _ origin: WebOrigin, inBody: Bool = false) {
        switch error {
        case let error as OutboundError: self = error
        case is CancellationError: self.init(.cancelled, "the request was given up")
        case let error as HTTPClientError: self.init(error, origin, inBody)
        case let error as HTTPParserError:
            if error == .invalidEOFState || error == .closedConnection {
                self.init(.cut, "\(origin) closed the connection too early", cause: error)
            } else {
                self.init(.garbage, "\(origin) does not answer in HTTP", cause: error)
            }
        case is NIOSSLError, is BoringSSLError, is NIOSSLExtraError:
            if inBody { self.init(.cut, "\(origin) broke off its answer", cause: error) } else { self.init(.tls, "TLS with \(origin) failed", cause: error) }
        case is NIOConnectionError: self.init(.unreachable, "\(origin) cannot be reached", cause: error)
        case let error as ChannelError:
            if case .connectTimeout = error {
                self.init(.timedOut, "\(origin) does not take the connection", cause: error)
            } else {
                self.init(inBody ? .cut : .unreachable, "the connection with \(origin) is closed", cause: error)
            }
        case let error as IOError:
            let isReset = inBody || error.errnoCode == 104 || error.errnoCode == 32
            self.init(isReset ? .cut : .unreachable, isReset ? "the connection with \(origin) broke" : "\(origin) cannot be reached", cause: error)
        default: self.init(inBody ? .cut : .unreachable, "the request to \(origin) failed", cause: error)
        }
    }

    private init(_ error: HTTPClientError, _ origin: WebOrigin, _ inBody: Bool) {
        switch error {
        case .cancelled: self.init(.cancelled, "the request was given up")
        case .readTimeout, .writeTimeout, .deadlineExceeded: self.init(.timedOut, "\(origin) fell silent", cause: error)
        case .connectTimeout, .getConnectionFromPoolTimeout: self.init(.timedOut, "\(origin) does not take the connection", cause: error)
        case .tlsHandshakeTimeout: self.init(.timedOut, "TLS with \(origin) takes too long", cause: error)
        case .httpProxyHandshakeTimeout, .invalidProxyResponse, .proxyAuthenticationRequired, .socksHandshakeTimeout:
            self.init(.unreachable, "the egress proxy does not connect to \(origin)", cause: error)
        case .remoteConnectionClosed, .uncleanShutdown: self.init(.cut, "\(origin) closed the connection too early", cause: error)
        case .invalidURL, .emptyHost, .invalidHeaderFieldValues([]): self.init(.garbage, "the URL at \(origin) cannot be asked", cause: error)
        default: self.init(inBody ? .cut : .unreachable, "the request to \(origin) failed", cause: error)
        }
    }
}
