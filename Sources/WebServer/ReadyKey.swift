import NIOCore
import NIOHTTP1

/// All of a request that its answer may depend on, as bytes: entrance, method, target, the fields that are looked at, and what trusted proxies say of
/// it. A request with a field that is not known here is answered by asking: what else it may mean is not for this place to know.
struct ReadyKey: Hashable, Sendable {
    private let bytes: [UInt8]
    var cost: Int { self.bytes.count + 192 }

    /// An array's own takes its bytes one by one.
    func hash(into hasher: inout Hasher) { self.bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }

    /// - Parameter idle: beginnings of fields that no answer depends on, in lower case.
    /// - Returns: nil for what is never answered from memory.
    init?(_ head: HTTPRequestHead, _ forwarding: Forwarding?, at entrance: ListenerEntrance, idle: [[UInt8]] = []) {
        guard head.method == .GET || head.method == .HEAD, !entrance.isControl, !entrance.isRedirect, head.version == .http1_1 else { return nil }
        guard let parts = Parts(head.headers, idle), let host = parts.host else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        bytes.append(head.method == .GET ? 0x47 : 0x48)
        bytes.append(contentsOf: head.uri.utf8)
        Self.add(host, to: &bytes)
        Self.add(parts.accept, to: &bytes)
        Self.add(parts.acceptEncoding, to: &bytes)
        Self.add(parts.ifNoneMatch, to: &bytes)
        Self.add(parts.ifModifiedSince, to: &bytes)
        Self.add(forwarding?.scheme, to: &bytes)
        Self.add(forwarding?.host, to: &bytes)
        bytes.append(0)
        bytes.append(contentsOf: entrance.name.utf8)
        bytes.append(entrance.secure ? 1 : 0)
        self.bytes = bytes
    }

    /// NUL is in no value: what is absent is not what is empty.
    private static func add(_ part: String?, to bytes: inout [UInt8]) {
        bytes.append(0)
        guard let part else { return }
        bytes.append(0x3D)
        bytes.append(contentsOf: part.utf8)
    }
}

/// The fields of a request that an answer may depend on.
private struct Parts {
    private(set) var host: String?
    private(set) var accept: String?
    private(set) var acceptEncoding: String?
    private(set) var ifNoneMatch: String?
    private(set) var ifModifiedSince: String?

    private enum Role {
        /// These stand in the key.
        case host, accept, acceptEncoding, ifNoneMatch, ifModifiedSince
        /// Nothing here looks at it.
        case harmless
        /// Only in order that the connection lives on, which it does.
        case keepAlive
    }

    /// By the length of their names. Caches between us and the client heed `Cache-Control` and `Pragma` of a request; an origin need not. RFC 9111, 5.2.1.
    private static let roles: [[(name: [UInt8], role: Role)]] = {
        let parts: [(String, Role)] = [
            ("host", .host), ("accept", .accept), ("accept-encoding", .acceptEncoding), ("if-none-match", .ifNoneMatch),
            ("if-modified-since", .ifModifiedSince),
        ]
        let harmless = [
            "user-agent", "accept-language", "accept-charset", "cache-control", "cache-store", "pragma", "expires", "referer", "dnt",
            "priority", "x-request-id", "traceparent", "tracestate", "upgrade-insecure-requests", "via", "x-real-ip",
            "x-forwarded-port", "x-forwarded-server",
            // What they say is in the key, as far as it is believed.
            "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host", "forwarded",
        ].map { ($0, Role.harmless) }
        var roles: [[(name: [UInt8], role: Role)]] = Array(repeating: [], count: 32)
        for (name, role) in parts + harmless + [("connection", .keepAlive)] { roles[name.utf8.count].append((Array(name.utf8), role)) }
        return roles
    }()
    private static let ofBrowsers = Array("sec-".utf8)

    /// - Returns: nil where there is a field that is not known, or one that is and comes twice.
    init?(_ headers: HTTPHeaders, _ idle: [[UInt8]]) {
        for (name, value) in headers {
            let isTaken: Bool
            switch Self.role(of: name, idle) {
            case .host: isTaken = Self.take(value, &self.host)
            case .accept: isTaken = Self.take(value, &self.accept)
            case .acceptEncoding: isTaken = Self.take(value, &self.acceptEncoding)
            case .ifNoneMatch: isTaken = Self.take(value, &self.ifNoneMatch)
            case .ifModifiedSince: isTaken = Self.take(value, &self.ifModifiedSince)
            case .harmless: isTaken = true
            case .keepAlive: isTaken = value.lowercased() == "keep-alive"
            case nil: isTaken = false
            }
            guard isTaken else { return nil }
        }
    }

    private static func take(_ value: String, _ part: inout String?) -> Bool {
        guard part == nil else { return false }
        part = value
        return true
    }

    private static func role(of name: String, _ idle: [[UInt8]]) -> Role? {
        var name = name
        return name.withUTF8 { name in
            if name.count < Self.roles.count {
                for known in Self.roles[name.count] where Self.matches(name, known.name) { return known.role }
            }
            return Self.matches(name, Self.ofBrowsers) || idle.contains { Self.matches(name, $0) } ? .harmless : nil
        }
    }

    /// Whether the text begins so, however it is written.
    /// - Parameter lowercase: letters and hyphens.
    private static func matches(_ text: UnsafeBufferPointer<UInt8>, _ lowercase: [UInt8]) -> Bool {
        guard text.count >= lowercase.count else { return false }
        for at in lowercase.indices {
            let byte = text[at]
            guard byte == lowercase[at] || byte | 0x20 == lowercase[at] && byte >= 0x41 && byte <= 0x5A else { return false }
        }
        return true
    }
}
