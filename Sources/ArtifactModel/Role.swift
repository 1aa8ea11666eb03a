/// A repository's part: it keeps what is pushed, fetches from elsewhere, or merges others.
public enum Role: String, Hashable, Sendable, CaseIterable { case hosted, proxy, group }

/// What may be written to a hosted repository. `allowOnce`: everything, once; equal content may be sent again.
public enum WritePolicy: String, Hashable, Sendable, CaseIterable { case allow, allowOnce, deny }
