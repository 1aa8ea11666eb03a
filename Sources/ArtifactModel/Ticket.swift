/// What a token service gives a client: signed by this server, good for what it permits and for a few minutes.
public struct Ticket: Hashable, Sendable {
    public var text: String
    public var issued: Timestamp
    public var lifetime: Duration
    public init(text: String, issued: Timestamp, lifetime: Duration) {
        self.text = text
        self.issued = issued
        self.lifetime = lifetime
    }
}
