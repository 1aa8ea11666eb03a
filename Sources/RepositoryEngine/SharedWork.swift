import FormatAPI
import Synchronization

/// Work that many ask for at once and that is done once. It goes on to its end even when nobody waits any more; whoever is cancelled leaves at once.
final class SharedWork<Key: Hashable & Sendable, Value: Sendable>: Sendable {
    private let flights = Mutex<[Key: Flight<Value>]>([:])

    /// - Parameters:
    ///   - deadline: since the work began, whoever began it; nil: as long as it takes.
    ///   - start: runs a job that outlives the request; false: it cannot any more.
    /// - Throws: what `work` throws; `UpstreamError` `.timedOut` after the deadline; `CancellationError`.
    func value(
        _ key: Key, within deadline: Duration? = nil, start: (@escaping @Sendable () async -> Void) -> Bool,
        _ work: @escaping @Sendable () async throws -> Value
    ) async throws -> Value {
        let flight = self.begin(key, start: start, work)
        let left = deadline.map { max(.zero, $0 - (ContinuousClock.now - flight.began)) }
        return try await Deadline.run(left) { try await flight.value() }
    }

    /// Has it done where nobody waits for it.
    func prepare(_ key: Key, start: (@escaping @Sendable () async -> Void) -> Bool, _ work: @escaping @Sendable () async throws -> Value) {
        _ = self.begin(key, start: start, work)
    }

    private func begin(
        _ key: Key, start: (@escaping @Sendable () async -> Void) -> Bool, _ work: @escaping @Sendable () async throws -> Value
    ) -> Flight<Value> {
        let (flight, isNew) = self.flights.withLock { flights in
            if let flight = flights[key] { return (flight, false) }
            let flight = Flight<Value>()
            flights[key] = flight
            return (flight, true)
        }
        if isNew {
            let isStarted = start {
                let result: Result<Value, any Error>
                do { result = .success(try await work()) } catch { result = .failure(error) }
                self.flights.withLock { $0[key] = nil }
                flight.end(result)
            }
            if !isStarted {
                self.flights.withLock { $0[key] = nil }
                flight.end(.failure(FormatError(.unavailable, "the server is busy or ending; try again", retryAfter: .seconds(2))))
            }
        }
        return flight
    }
}

/// One piece of it on its way.
private final class Flight<Value: Sendable>: Sendable {
    private struct State {
        var result: Result<Value, any Error>?
        var waiters: [Int: CheckedContinuation<Void, Never>] = [:]
        var serial = 0
    }

    let began = ContinuousClock.now
    private let state = Mutex(State())

    func end(_ result: Result<Value, any Error>) {
        let waiters = self.state.withLock { state in
            state.result = result
            defer { state.waiters = [:] }
            return Array(state.waiters.values)
        }
        for waiter in waiters { waiter.resume() }
    }

    func value() async throws -> Value {
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
