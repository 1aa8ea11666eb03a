public import ArtifactModel

/// A root that a format answers at, and all repositories of the format that whoever asks may see.
public protocol Site: Sendable {
    /// Who asks; empty: nobody in particular.
    var principal: String { get }
    /// Whether who is nobody in particular is to be told to sign in. Not where there is no access control, and not at a root with `mirror: true`.
    var asksToSignIn: Bool { get }
    /// false: what who asks has brought was signed for something else than lists.
    var maySeeLists: Bool { get }
    /// Those that something may be read of, in byte-wise order.
    func readable() async throws -> [RepositoryName]
    /// The one that bare names go to (`docker.defaultRepository`) is the format's own matter; nil where there is no such repository
    /// or nothing of it may be read: the two look alike.
    func content(of repository: RepositoryName) async throws -> (any RepositoryContent)?
    /// Where a GET of another path of this request's host would lead: as `RequestContext.destination`.
    func destination(of path: [String]) -> (repository: RepositoryName, path: [String])?
    /// Of the actions, those that who asks may do.
    func allowed(_ permit: Permit) -> [Action]
    /// Signs what was found allowed, for this root.
    func ticket(_ permits: [Permit], catalog: Bool) async throws -> Ticket
    /// What a client may keep instead of its password; reusable.
    func renewal() async throws -> String
    /// The same root, for who this is.
    /// - Throws: `.unauthenticated`, `.throttled`, `.unavailable`.
    func signedIn(_ name: String, secret: String) async throws -> any Site
    func signedIn(renewal: String) async throws -> any Site
}
