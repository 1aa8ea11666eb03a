public import ArtifactModel

/// How passwords are hashed; tests have a quicker way.
struct PasswordScheme: Sendable {
    var make: @Sendable (String) throws -> PasswordHash
    var matches: @Sendable (String, PasswordHash) throws -> Bool

    static func scrypt(_ random: @escaping RandomSource) -> PasswordScheme {
        PasswordScheme(make: { try PasswordHash.make($0, random: random) }, matches: { try $1.matches($0) })
    }
}

/// Hashes passwords, two at a time: each takes a processor for a quarter of a second and 16 MiB, and anybody may ask for it. At most 32 wait.
public final class PasswordHasher: Sendable {
    private let pool: any BlockingPool
    private let line: WaitingLine
    private let scheme: PasswordScheme

    init(_ pool: any BlockingPool, atOnce: Int = 2, waiting: Int = 32, scheme: PasswordScheme) {
        self.pool = pool
        self.line = WaitingLine(atOnce: atOnce, waiting: waiting)
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
        try await self.line.run { () throws(AccessFailure) in
            do {
                return try await self.pool.run { [scheme] in try work(scheme) }
            } catch {
                throw error is CancellationError ? .cancelled : .unavailable(error)
            }
        }
    }
}
