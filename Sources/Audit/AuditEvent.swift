import struct Crypto.SHA256
public import ArtifactModel

/// One thing that somebody did, or was kept from doing. Values as they are: a line is made of it off the event loops.
public struct AuditEvent: Sendable {
    public enum Kind: String, Sendable, CaseIterable {
        case pull, push, delete
        /// Lists, and questions that have no artifact for an answer; recorded where they are refused.
        case read
        case login
        /// The configuration that counts from here on.
        case configuration
        /// Users, tokens and what else is done by a command or the admin API.
        case administration
    }
    public var time: Timestamp
    public var kind: Kind
    /// What `X-Request-ID` says; empty where it was no request.
    public var request = ""
    /// Empty: nobody in particular.
    public var principal = ""
    /// How it is known who it is: `password`, `token ci`, `ticket`, `session`, `socket`; empty: it is not.
    public var means = ""
    /// The address that it came from; `unix` at the socket.
    public var client = ""
    public var repository = ""
    /// The format's word: `manifest.read`.
    public var operation = ""
    /// The coordinates: the image, package or file, and what of it: `team/app:1.0`.
    public var subject = ""
    /// `sha256:…`; empty where there is none.
    public var digest = ""
    /// HTTP's status; 0 where it was no request.
    public var status = 0
    /// In bytes, of the body that was really sent or received.
    public var bytes: Int64 = 0
    /// What decided where it was refused: `grant`, `routingRule no-secrets`, `credentials`, `writePolicy`; empty: nothing did.
    public var rule = ""
    /// The answer broke off.
    public var cut = false
    /// For people; of configuration and administration.
    public var detail = ""

    public init(time: Timestamp, kind: Kind) {
        self.time = time
        self.kind = kind
    }
}

/// Takes what happened.
public protocol AuditSink: Sendable {
    /// Quick, and never waits: called on event loops.
    func record(_ event: AuditEvent)
    /// Why nothing more may be done because it could not be recorded; nil: go on.
    var refusal: String? { get }
}

/// `audit: { enabled: false }`.
public struct NoAudit: AuditSink {
    public init() {}
    public func record(_ event: AuditEvent) {}
    public var refusal: String? { nil }
}

extension AuditEvent {
    /// `sha256:…` of a text, where what was put in force is to be told from what was before.
    public static func digest(of text: String) -> String {
        "sha256:" + SHA256.hash(data: Array(text.utf8)).map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
