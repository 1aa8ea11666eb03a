/// The fields of a request that an answer may depend on, however they are held: as texts, or as places in what was read.
struct ReadyFields<Value> {
    private(set) var host: Value?
    private(set) var accept: Value?
    private(set) var acceptEncoding: Value?
    private(set) var ifNoneMatch: Value?
    private(set) var ifModifiedSince: Value?
    /// No answer depends on it, but every answer tells it.
    private(set) var requestID: Value?

    /// - Parameter keepsAlive: whether the value is the one that says no more than that the connection lives on, which it does.
    /// - Returns: false for a field that is not known, and for one that is and comes twice: what it may mean is not for this place to know.
    mutating func take(_ role: ReadyRole?, _ value: Value, keepsAlive: @autoclosure () -> Bool) -> Bool {
        switch role {
        case .host: Self.set(&self.host, value)
        case .accept: Self.set(&self.accept, value)
        case .acceptEncoding: Self.set(&self.acceptEncoding, value)
        case .ifNoneMatch: Self.set(&self.ifNoneMatch, value)
        case .ifModifiedSince: Self.set(&self.ifModifiedSince, value)
        case .requestID: Self.set(&self.requestID, value)
        case .harmless: true
        case .connection: keepsAlive()
        case nil: false
        }
    }

    private static func set(_ part: inout Value?, _ value: Value) -> Bool {
        guard part == nil else { return false }
        part = value
        return true
    }

    func map<Other>(_ change: (Value) -> Other) -> ReadyFields<Other> {
        var other = ReadyFields<Other>()
        other.host = self.host.map(change)
        other.accept = self.accept.map(change)
        other.acceptEncoding = self.acceptEncoding.map(change)
        other.ifNoneMatch = self.ifNoneMatch.map(change)
        other.ifModifiedSince = self.ifModifiedSince.map(change)
        other.requestID = self.requestID.map(change)
        return other
    }
}

/// What a request's field is to an answer that is ready.
enum ReadyRole {
    /// These stand in the key.
    case host, accept, acceptEncoding, ifNoneMatch, ifModifiedSince
    case requestID
    /// Nothing looks at it.
    case harmless
    case connection

    /// Caches between us and the client heed `Cache-Control` and `Pragma` of a request; an origin need not. RFC 9111, 5.2.1.
    /// What proxies say (`X-Forwarded-…`, `Forwarded`) is in the key as far as it is believed.
    ///
    /// - Parameters:
    ///   - name: however it is written.
    ///   - idle: beginnings of names that no answer depends on, in lower case.
    /// - Returns: nil: not known.
    init?(_ name: UnsafeRawBufferPointer, _ idle: [[UInt8]]) {
        switch name.count {
        case 3 where Self.is(name, "dnt") || Self.is(name, "via"): self = .harmless
        case 4 where Self.is(name, "host"): self = .host
        case 6 where Self.is(name, "accept"): self = .accept
        case 6 where Self.is(name, "pragma"): self = .harmless
        case 7 where Self.is(name, "referer") || Self.is(name, "expires"): self = .harmless
        case 8 where Self.is(name, "priority"): self = .harmless
        case 9 where Self.is(name, "forwarded") || Self.is(name, "x-real-ip"): self = .harmless
        case 10 where Self.is(name, "user-agent") || Self.is(name, "tracestate"): self = .harmless
        case 10 where Self.is(name, "connection"): self = .connection
        case 11 where Self.is(name, "traceparent") || Self.is(name, "cache-store"): self = .harmless
        case 12 where Self.is(name, "x-request-id"): self = .requestID
        case 13 where Self.is(name, "if-none-match"): self = .ifNoneMatch
        case 13 where Self.is(name, "cache-control"): self = .harmless
        case 14 where Self.is(name, "accept-charset"): self = .harmless
        case 15 where Self.is(name, "accept-encoding"): self = .acceptEncoding
        case 15 where Self.is(name, "accept-language") || Self.is(name, "x-forwarded-for"): self = .harmless
        case 16 where Self.is(name, "x-forwarded-host") || Self.is(name, "x-forwarded-port"): self = .harmless
        case 17 where Self.is(name, "if-modified-since"): self = .ifModifiedSince
        case 17 where Self.is(name, "x-forwarded-proto"): self = .harmless
        case 18 where Self.is(name, "x-forwarded-server"): self = .harmless
        case 25 where Self.is(name, "upgrade-insecure-requests"): self = .harmless
        default:
            // Those of browsers, and those of a format's clients.
            guard Self.is(name, "sec-") || idle.contains(where: { prefix in prefix.withUnsafeBytes { Self.begins(name, $0) } }) else { return nil }
            self = .harmless
        }
    }

    private static func `is`(_ name: UnsafeRawBufferPointer, _ known: StaticString) -> Bool {
        self.begins(name, UnsafeRawBufferPointer(start: known.utf8Start, count: known.utf8CodeUnitCount))
    }

    /// - Parameter lowercase: letters and hyphens.
    static func begins(_ text: UnsafeRawBufferPointer, _ lowercase: UnsafeRawBufferPointer) -> Bool {
        guard text.count >= lowercase.count else { return false }
        for at in 0..<lowercase.count {
            let byte = text[at]
            guard byte == lowercase[at] || byte | 0x20 == lowercase[at] && byte >= 0x41 && byte <= 0x5A else { return false }
        }
        return true
    }
}
