public import ArtifactModel

/// What a request came to, beyond its status: for the audit trail.
public struct AuditNote: Sendable {
    /// What it needed the right to; nil: nothing.
    public var action: Action?
    /// It was for one artifact, and not for a list.
    public var isFetch = false
    /// The coordinates: `team/app:1.0`.
    public var subject = ""
    public var digest = ""
    /// What decided where it was refused: `grant`, `credentials`, `routingRule no-secrets`.
    public var rule = ""
    /// What was changed of users, tokens or the configuration; empty: nothing.
    public var change = ""
    /// Credentials were exchanged for something that lasts, or were refused.
    public var isLogin = false
    /// Whom refused credentials were for, where they came in a body: a name that may be nobody's.
    public var claimedName = ""
    public init() {}

    /// Of a dry run only what it was about: nothing was sent, and nobody was kept from anything.
    static func explanation(of note: AuditNote) -> AuditNote {
        var explanation = AuditNote()
        explanation.action = .explain
        explanation.subject = note.subject
        return explanation
    }
}
