import ArtifactModel
import FormatAPI
import Synchronization

/// Questions about movable names and files, which many ask at once: one goes to the upstream, and who has something in hand waits for its
/// answer only so long. It is asked to its end even when nobody waits any more.
final class Refreshes: Sendable {
    struct Key: Hashable, Sendable {
        var repository: RepositoryID
        /// As `UpstreamState` names it.
        var subject: String
    }

    /// What the upstream said.
    enum Answer: Sendable {
        case absent
        /// There is no such thing any more, and what is kept is to stay.
        case gone
        /// What is kept is still right.
        case same
        /// A pointer leads here.
        case target(String, age: Duration)
        /// A file has changed; whoever wants it enters.
        case arriving(Fill)
    }

    private let questions = SharedWork<Key, Answer>()

    /// - Parameters:
    ///   - deadline: since the question was sent, whoever sent it; nil: as long as it takes.
    ///   - start: runs a job that outlives the request; false: it cannot any more.
    /// - Throws: what `question` throws; `UpstreamError` `.timedOut` after the deadline; `CancellationError`.
    func answer(
        _ key: Key, within deadline: Duration?, start: (@escaping @Sendable () async -> Void) -> Bool,
        _ question: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        try await self.questions.value(key, within: deadline, start: start, question)
    }
}
