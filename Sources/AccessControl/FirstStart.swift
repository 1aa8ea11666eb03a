public import ArtifactModel
public import StorageAPI

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The first user, so that somebody can let the others in: `admin`, with a random password in a file that only the operator reads.
public struct FirstStart: Sendable {
    public static let name = "admin"

    private let policy: AccessPolicy
    private let accounts: any AccountLedger
    private let pool: any BlockingPool
    private let file: String

    /// - Parameter file: where the password goes; removed by whoever changes the password.
    public init(_ policy: AccessPolicy, accounts: any AccountLedger, pool: any BlockingPool, file: String) {
        self.policy = policy
        self.accounts = accounts
        self.pool = pool
        self.file = file
    }

    /// What could not be done, with the file's name: for the operator.
    public struct Failure: Error, CustomStringConvertible {
        public let description: String
    }

    /// The file is on disk before the account is: a process that dies in between writes another.
    /// - Returns: whether `admin` was made; nothing is done where anybody is there who may let others in.
    /// - Throws: `Failure`, `MetadataError`.
    public func run(now: Timestamp) async throws -> Bool {
        let isConfigured = self.policy.users.values.contains { $0.roles.contains(GrantAuthorizer.administrator) }
        guard !isConfigured, try await self.accounts.accounts(after: "", limit: 1).isEmpty else { return false }
        let password = Self.password()
        let file = self.file
        let hash = try await self.pool.run {
            try Self.write(password, to: file)
            return try PasswordHash(hashing: password).description
        }
        let account = AccountRecord(
            name: Self.name, kind: .user, passwordHash: hash, epoch: Randomness.bytes(16), roles: [GrantAuthorizer.administrator], created: now,
            createdBy: "first start")
        return try await self.accounts.add(account)
    }

    /// Nothing to do where it is gone.
    public static func removeFile(_ file: String) { unlink(file) }

    /// 140 random bits in letters that look like no others, in groups that are easy to copy.
    private static func password() -> String {
        let letters = Array("abcdefghijkmnpqrstuvwxyz23456789")
        var generator = SystemRandomNumberGenerator()
        return (0..<7).map { _ in String((0..<4).map { _ in letters[Int.random(in: 0..<letters.count, using: &generator)] }) }.joined(separator: "-")
    }

    private static func write(_ password: String, to file: String) throws {
        // One of a start that died before its account was made.
        unlink(file)
        let descriptor = open(file, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw Failure(description: "cannot write the first password to \(file): \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        let bytes = Array((password + "\n").utf8)
        guard Glibc.write(descriptor, bytes, bytes.count) == bytes.count, fsync(descriptor) == 0 else {
            throw Failure(description: "cannot write the first password to \(file): \(String(cString: strerror(errno)))")
        }
    }
}
