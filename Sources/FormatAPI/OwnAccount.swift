public import ArtifactModel

/// Signing in by a client's own words, and the tokens of who has: all that a format may do about accounts.
///
/// Throws `FormatError`: `.unauthenticated` for a wrong name or password, `.throttled` after too many, `.forbidden` where somebody who signed in with a
/// token asks for more of them.
public protocol OwnAccount: Sendable {
    /// Who asks; empty: nobody in particular.
    var name: String { get }
    /// A new token with all the rights of whose name and password these are; its text is shown once. It ends after 90 days.
    /// - Parameter client: what it is named for, such as `npm on build-7`.
    func signIn(_ name: String, password: String, for client: String) async throws -> String
    /// Those that hold.
    func tokens() async throws -> [AccountToken]
    /// - Parameters:
    ///   - password: once more, so that a token that was found makes no others.
    ///   - grants: to which it is confined; empty: to nothing less than its owner.
    func makeToken(_ name: String, password: String, grants: [String]) async throws -> (text: String, token: AccountToken)
    /// - Returns: false: who asks has no such token.
    func revokeToken(_ id: Int64) async throws -> Bool
    /// Ends the token that the request was made with, where it is this one: signing out.
    /// - Returns: false: it was made with something else.
    func revokeOwnToken(_ text: String) async throws -> Bool
}

/// A token, without what makes it one.
public struct AccountToken: Hashable, Sendable {
    public var id: Int64
    public var name: String
    public var grants: [String]
    public var created: Timestamp
    public var expires: Timestamp?
    public init(id: Int64, name: String, grants: [String], created: Timestamp, expires: Timestamp?) {
        self.id = id
        self.name = name
        self.grants = grants
        self.created = created
        self.expires = expires
    }
}
