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

    private let flights = Mutex<[Key: Flight]>([:])

    /// - Parameters:
    ///   - deadline: since the question was sent, whoever sent it; nil: as long as it takes.
    ///   - start: runs a job that outlives the request; false: it cannot any more.
    /// - Throws: what `question` throws; `UpstreamError` `.timedOut` after the deadline; `CancellationError`.
    func answer(
        _ key: Key, within deadline: Duration?, start: (@escaping @Sendable () async -> Void) -> Bool,
        _ question: @escaping @Sendable () async throws -> Answer
    ) async throws -> Answer {
        let (flight, isNew) = self.flights.withLock { flights in
            if let flight = flights[key] { return (flight, false) }
            let flight = Flight()
            flights[key] = flight
            return (flight, true)
        }
        if isNew {
            let isStarted = start {
                let result: Result<Answer, any Error>
                do { result = .success(try await question()) } catch { result = .failure(error) }
                self.flights.withLock { $0[key] = nil }
                flight.end(result)
            }
            if !isStarted {
                self.flights.withLock { $0[key] = nil }
                flight.end(.failure(FormatError(.unavailable, "the server is busy or ending; try again", retryAfter: .seconds(2))))
            }
        }
        let left = deadline.map { max(.zero, $0 - (ContinuousClock.now - flight.began)) }
        return try await Deadline.run(left) { try await flight.answer() }
    }
}

/// One question on its way.
private final class Flight: Sendable {
    private struct State {
        var result: Result<Refreshes.Answer, any Error>?
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var serial = 0
    }

    let began = ContinuousClock.now
    private let state = Mutex(State())

    func end(_ result: Result<Refreshes.Answer, any Error>) {
        let waiters = self.state.withLock { state in
            state.result = result
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    func answer() async throws -> Refreshes.Answer {
        let number = self.state.withLock { state in
            state.serial += 1
            return state.serial
        }
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let isParked = self.state.withLock { state in
                    guard state.result == nil, !Task.isCancelled else { return false }
                    state.waiters[number] = continuation
                    return true
                }
                if !isParked { continuation.resume() }
            }
        } onCancel: {
            self.state.withLock { $0.waiters.removeValue(forKey: number) }?.resume()
        }
        guard let result = self.state.withLock({ $0.result }) else { throw CancellationError() }
        return try result.get()
    }
}
