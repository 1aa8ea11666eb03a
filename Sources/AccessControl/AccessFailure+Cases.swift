import StorageAPI

extension AccessFailure {
    /// One text for all that is not known, so that it says nothing of what is.
    static let wrong = AccessFailure(.wrong, "the name, the password or the token is not right")
    static let cancelled = AccessFailure(.cancelled, "the request was cancelled")
    static let expired = AccessFailure(.expired, "the credentials have expired; sign in again, or make a new token")
    static let revoked = AccessFailure(.revoked, "the credentials hold no longer; sign in again, or make a new token")
    static let busy = AccessFailure(.busy, "too many are signing in at this moment; try again", retryAfter: .seconds(1))

    static func throttled(_ wait: Duration) -> AccessFailure {
        let seconds = wait.components.seconds + (wait.components.attoseconds > 0 ? 1 : 0)
        return AccessFailure(.throttled, "too many attempts failed; try again in \(seconds) s", retryAfter: .seconds(seconds))
    }

    static func unavailable(_ cause: any Error) -> AccessFailure {
        AccessFailure(.unavailable, "it cannot be found out now who asks; try again", retryAfter: .seconds(1), cause: cause)
    }

    init(_ error: MetadataError) { self = error.code == .cancelled ? .cancelled : .unavailable(error) }
}
