/// What a request brings to show who sends it.
public enum Credentials: Hashable, Sendable {
    case none
    case basic(name: String, secret: String)
    case bearer(String)
    /// A header that is no credential of ours: another scheme, bad Base64, several headers.
    case unreadable
}
