import AccessControl
import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOHTTP1
import NIOHTTPTypesHTTP1
import RepositoryEngine

/// A request that is refused before anyone was asked.
struct IntakeRefusal: Error {
    var status: HTTPResponse.Status
    var message: String
    /// Whether the framing of what follows is in doubt.
    var closes = true
    var retryAfter: Duration?

    var retry: HTTPFields { self.retryAfter.map { [.retryAfter: String(max(1, $0.components.seconds))] } ?? [:] }
}

/// A request's head, read and checked.
struct RequestIntake: Sendable {
    var method: HTTPRequest.Method
    var target: RequestTarget
    var headers: HTTPFields
    var origin: String
    var ownRoot: RepositoryName?
    /// Taken out of the headers: no format and no upstream sees them.
    var credentials: Credentials
    /// nil: chunked.
    var bodyLength: Int64?

    init(_ head: HTTPRequestHead, headers: HTTPFields, forwarding: Forwarding, at entrance: ListenerEntrance, rules: HostRules, limits: Limits)
        throws(IntakeRefusal)
    {
        guard let method = HTTPRequest.Method(rawValue: head.method.rawValue) else { throw IntakeRefusal(status: .badRequest, message: "no such method") }
        self.method = method
        self.headers = headers
        self.credentials = Credentials(authorization: headers[values: .authorization])
        self.headers[.authorization] = nil
        guard head.headers.count <= limits.headers else {
            throw IntakeRefusal(status: .requestHeaderFieldsTooLarge, message: "more than \(limits.headers) header fields")
        }
        self.bodyLength = try Self.bodyLength(head)
        let (authority, path) = try Self.split(head)
        self.target = try Self.target(path)
        if let expectation = headers[.expect], expectation.lowercased() != "100-continue" {
            throw IntakeRefusal(status: .expectationFailed, message: "no such expectation is met here")
        }
        let place = try rules.place(authority, forwarding, at: entrance, exempt: Self.isProbe(self.target, at: entrance))
        self.origin = place.origin
        self.ownRoot = place.ownRoot
    }

    /// Probes come by address, whatever the names of the server.
    private static func isProbe(_ target: RequestTarget, at entrance: ListenerEntrance) -> Bool {
        target.isHealth || target.path == ["metrics"] && !entrance.isRedirect
    }

    private static func target(_ path: Substring) throws(IntakeRefusal) -> RequestTarget {
        guard path.utf8.count <= RequestTarget.longest else {
            throw IntakeRefusal(status: .uriTooLong, message: "the URL is longer than \(RequestTarget.longest) bytes", closes: false)
        }
        do {
            return try RequestTarget(String(path))
        } catch {
            throw IntakeRefusal(status: .badRequest, message: error.message, closes: false)
        }
    }

    /// `Content-Length` beside `Transfer-Encoding` is how requests are smuggled past proxies. RFC 9112, 6.1.
    private static func bodyLength(_ head: HTTPRequestHead) throws(IntakeRefusal) -> Int64? {
        let codings = head.headers[canonicalForm: "transfer-encoding"]
        let lengths = head.headers["content-length"]
        guard codings.isEmpty || lengths.isEmpty else {
            throw IntakeRefusal(status: .badRequest, message: "both Content-Length and Transfer-Encoding")
        }
        guard codings.isEmpty else {
            guard codings.count == 1, codings[0].lowercased() == "chunked", !head.isOld else {
                throw IntakeRefusal(status: .notImplemented, message: "the only transfer coding here is chunked")
            }
            return nil
        }
        guard let length = lengths.first else { return 0 }
        guard lengths.count == 1, let number = Int64(length), number >= 0 else {
            throw IntakeRefusal(status: .badRequest, message: "bad Content-Length")
        }
        // So that no sum of lengths overflows.
        guard number <= 1 << 60 else { throw IntakeRefusal(status: .contentTooLarge, message: "no body is that large") }
        return number
    }

    /// Origin form has its host in `Host`, absolute form its own, which wins. RFC 9112, 3.2.
    private static func split(_ head: HTTPRequestHead) throws(IntakeRefusal) -> (Authority?, Substring) {
        let hosts = head.headers["host"]
        guard hosts.count <= 1, !hosts.isEmpty || head.isOld else {
            throw IntakeRefusal(status: .badRequest, message: "one Host is needed", closes: false)
        }
        let uri = head.uri
        guard !uri.hasPrefix("/") else { return (try hosts.first.flatMap { $0.isEmpty ? nil : $0 }.map(Self.authority), uri[...]) }
        let scheme = uri.prefix(8).lowercased()
        guard scheme.hasPrefix("http://") || scheme == "https://" else {
            throw IntakeRefusal(status: .badRequest, message: "the request's target must be a path or a URL of http")
        }
        let rest = uri.dropFirst(scheme == "https://" ? 8 : 7)
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        let path = rest[end...]
        return (try Self.authority(String(rest[..<end])), path.hasPrefix("/") ? path : "/" + path)
    }

    private static func authority(_ text: String) throws(IntakeRefusal) -> Authority {
        guard let authority = Authority(text) else { throw IntakeRefusal(status: .badRequest, message: "bad Host", closes: false) }
        return authority
    }
}
