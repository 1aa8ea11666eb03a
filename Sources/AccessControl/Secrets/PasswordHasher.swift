public import ArtifactModel
import Synchronization

/// How passwords are hashed; tests have a quicker way.
struct PasswordScheme: Sendable {
    var make: @Sendable (String) throws -> PasswordHash
    var matches: @Sendable (String, PasswordHash) throws -> Bool

    static func scrypt(_ random: @escaping RandomSource) -> PasswordScheme {
        PasswordScheme(make: { try PasswordHash.make($0, random: random) }, matches: { try $1.matches($0) })
    }
}

/// Hashes passwords, few at a time: each takes a processor for a tenth of a second and 16 MiB, and anybody may ask for it.
///
/// Who comes while others are at work waits in line, up to a bound, in the order of coming.
public final class PasswordHasher: Sendable {
    private struct State {
        var running = 0
        var serial = 0
        /// Whether its turn has come; false: it was cancelled.
        var line: [(number: Int, continuation: CheckedContinuation<Bool, Never>)] = []
    }

    private let pool: any BlockingPool
    private let atOnce: Int
    private let waiting: Int
    private let scheme: PasswordScheme
    private let state = Mutex(State())

    init(_ pool: any BlockingPool, atOnce: Int = 2, waiting: Int = 32, scheme: PasswordScheme) {
        self.pool = pool
        self.atOnce = atOnce
        self.waiting = waiting
        self.scheme = scheme
    }

    public convenience init(
        _ pool: any BlockingPool, atOnce: Int = 2, waiting: Int = 32, random: @escaping RandomSource = SystemRandomNumberGenerator.bytes
    ) {
        self.init(pool, atOnce: atOnce, waiting: waiting, scheme: .scrypt(random))
    }

    /// - Parameter password: allowed by `PasswordRule`.
    /// - Throws: `.busy`, `.cancelled`, `.unavailable` where there is not enough memory.
    func hash(_ password: String) async throws(AccessFailure) -> PasswordHash { try await self.run { try $0.make(password) } }

    /// - Parameter password: not empty.
    /// - Throws: as `hash`.
    func matches(_ password: String, _ hash: PasswordHash) async throws(AccessFailure) -> Bool { try await self.run { try $0.matches(password, hash) } }

    private func run<Value: Sendable>(_ work: @escaping @Sendable (PasswordScheme) throws -> Value) async throws(AccessFailure) -> Value {
        try await self.begin()
        defer { self.end() }
        do {
            let scheme = self.scheme
            return try await self.pool.run { try work(scheme) }
        } catch {
            throw error is CancellationError ? .cancelled : .unavailable(error)
        }
    }

    private func begin() async throws(AccessFailure) {
        let number: Int? = try self.state.withLock { state throws(AccessFailure) in
            if state.running < self.atOnce {
                state.running += 1
                return nil
            }
            guard state.line.count < self.waiting else { throw .busy }
            state.serial += 1
            return state.serial
        }
        guard let number else { return }
        let isMyTurn = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in self.enter(number, continuation) }
        } onCancel: {
            self.leave(number)
        }
        if !isMyTurn { throw .cancelled }
    }

    private func enter(_ number: Int, _ continuation: CheckedContinuation<Bool, Never>) {
        let answer: Bool? = self.state.withLock { state in
            // It may have been cancelled before it stood in line, and a place may be free by now.
            if Task.isCancelled { return false }
            if state.running < self.atOnce {
                state.running += 1
                return true
            }
            state.line.append((number, continuation))
            return nil
        }
        if let answer { continuation.resume(returning: answer) }
    }

    private func leave(_ number: Int) {
        let left = self.state.withLock { state in
            state.line.firstIndex { $0.number == number }.map { state.line.remove(at: $0).continuation }
        }
        left?.resume(returning: false)
    }

    /// Passes the place on to whoever is first in line.
    private func end() {
        let next = self.state.withLock { state -> CheckedContinuation<Bool, Never>? in
            if state.line.isEmpty {
                state.running -= 1
                return nil
            }
            return state.line.removeFirst().continuation
        }
        next?.resume(returning: true)
    }
}
