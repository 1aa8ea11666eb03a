import ArtifactModel
import BlockingWork
import Crypto
import Foundation
import SQLMetadata
import SQLiteDriver
import StorageAPI
import Synchronization
import Testing

@testable import AccessControl

/// Time that stands still until a test moves it: both clocks together.
final class TestTime: Sendable {
    private let passed = Mutex(Duration.zero)
    func advance(by duration: Duration) { self.passed.withLock { $0 += duration } }
    var passedBy: Duration { self.passed.withLock { $0 } }
    var access: AccessTime {
        AccessTime(now: { Timestamp(milliseconds: 1_763_930_000_000) + self.passedBy }, uptime: { .seconds(5) + self.passedBy })
    }
    var now: Timestamp { self.access.now() }
}

/// Hashes at once and counts how often; may hold them up.
final class CountingScheme: Sendable {
    private let counts = Mutex((made: 0, compared: [String]()))
    private let gate = Mutex<DispatchSemaphore?>(nil)

    var compared: [String] { self.counts.withLock { $0.compared } }

    /// Comparisons wait until `release`, as often as that is called.
    func hold() { self.gate.withLock { $0 = DispatchSemaphore(value: 0) } }
    func release(_ count: Int = 1) { for _ in 0..<count { self.gate.withLock { $0 }?.signal() } }
    func unhold(_ waiting: Int = 64) {
        let old = self.gate.withLock { gate in
            defer { gate = nil }
            return gate
        }
        for _ in 0..<waiting { old?.signal() }
    }

    var scheme: PasswordScheme {
        PasswordScheme(
            make: { password in Self.hash(password) },
            matches: { password, hash in
                self.counts.withLock { $0.compared.append(password) }
                self.gate.withLock { $0 }?.wait()
                return hash == Self.hash(password)
            })
    }

    static func hash(_ password: String) -> PasswordHash {
        PasswordHash(cost: .standard, salt: Array(repeating: 1, count: 16), hash: Array(SHA256.hash(data: Array(password.utf8))))
    }
}

/// A gate over a real database in memory, with quick hashes and a clock that a test turns.
struct AccessFixture: Sendable {
    static let audience = "http://127.0.0.1:8081"
    static let password = "correct horse"

    let time: TestTime
    let hashes: CountingScheme
    let ledger: FaultyLedger
    let policy: AccessPolicy
    let hasher: PasswordHasher
    let gate: AccessGate
    let administration: AccountAdministration
    /// Where the first password goes.
    let file: String

    func principal(_ credentials: Credentials, from client: String = "192.0.2.1", audience: String = Self.audience) async throws -> Principal {
        try await self.gate.principal(for: credentials, from: client, audience: audience)
    }

    func basic(_ name: String, _ secret: String = Self.password, from client: String = "192.0.2.1") async throws -> Principal {
        try await self.principal(.basic(name: name, secret: secret), from: client)
    }

    func failure(_ work: () async throws -> Void) async -> AccessFailure.Code? {
        do {
            try await work()
            return nil
        } catch {
            return (error as? AccessFailure)?.code
        }
    }

    func addAnn(roles: [String] = ["deployer"]) async throws {
        _ = try await self.administration.add("ann", password: .given(Self.password), roles: roles, by: "test")
    }

    func token(_ name: String = "ci", of owner: String = "ann", grants: [String] = [], lifetime: Duration? = nil) async throws -> (
        text: String, token: TokenRecord
    ) {
        try await self.administration.makeToken(name, for: owner, grants: grants, lifetime: lifetime, by: "test")
    }

    /// Another process over the same database.
    func another() async throws -> AccessGate {
        try await AccessGate.open(self.policy, ledger: self.ledger, hasher: self.hasher, time: self.time.access)
    }

    static func policy() throws -> AccessPolicy {
        AccessPolicy(
            roles: ["deployer": [try Grant("write:local:acme/**")], "reader": [try Grant("read:*")], "public": [try Grant("read:hub")]],
            groups: [.init(name: "devs", members: [try AccountName("ann"), try AccountName("eve")], roles: ["reader", "deployer"])],
            users: [.init(name: try AccountName("eve"), passwordHash: CountingScheme.hash(Self.password), roles: ["deployer"])])
    }
}

func withAccess(_ policy: AccessPolicy? = nil, waiting: Int = 32, _ body: (AccessFixture) async throws -> Void) async throws {
    let pool = ThreadPool(threads: 4)
    let folder = FileManager.default.temporaryDirectory.appendingPathComponent("entrepot-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: folder) }
    do {
        let database = try await SQLiteDatabase.open(.memory, on: pool)
        let (time, hashes, policy) = (TestTime(), CountingScheme(), try policy ?? AccessFixture.policy())
        let ledger = FaultyLedger(try await SQLMetadataStore.open(database, program: "test", now: time.now))
        let hasher = PasswordHasher(pool, waiting: waiting, scheme: hashes.scheme)
        let gate = try await AccessGate.open(policy, ledger: ledger, hasher: hasher, time: time.access)
        let file = folder.appendingPathComponent("admin-password").path
        let administration = AccountAdministration(
            policy, ledger: ledger, hasher: hasher, gate: gate, passwordFile: file, files: pool, now: { time.now })
        try await body(
            AccessFixture(
                time: time, hashes: hashes, ledger: ledger, policy: policy, hasher: hasher, gate: gate, administration: administration, file: file))
        try await database.close()
    } catch {
        try await pool.shutdown()
        throw error
    }
    try await pool.shutdown()
}

/// The real ledgers, of which the n-th write fails, and whose reads are counted.
final class FaultyLedger: AccountLedger, TokenLedger, KeyLedger {
    private let store: SQLMetadataStore
    private let state = Mutex((reads: 0, writes: 0, failing: Int?.none, isBroken: false))

    init(_ store: SQLMetadataStore) { self.store = store }

    var reads: Int { self.state.withLock { $0.reads } }
    /// - Parameter write: counted from now; nil: none fails.
    func fail(write: Int?) { self.state.withLock { ($0.writes, $0.failing) = (0, write) } }

    /// While `body` runs, nothing can be read.
    func breakReads(_ body: () async throws -> Void) async throws {
        self.state.withLock { $0.isBroken = true }
        try await body()
        self.state.withLock { $0.isBroken = false }
    }

    private func read() throws(MetadataError) {
        let isBroken = self.state.withLock { state in
            state.reads += 1
            return state.isBroken
        }
        if isBroken { throw MetadataError(.io, "broken, as the test wants it") }
    }
    private func write() throws(MetadataError) {
        let fails = self.state.withLock { state in
            state.writes += 1
            return state.writes == state.failing
        }
        if fails { throw MetadataError(.io, "failing, as the test wants it") }
    }

    func account(_ name: String) async throws(MetadataError) -> AccountRecord? {
        try self.read()
        return try await self.store.account(name)
    }
    func accounts(after name: String, limit: Int) async throws(MetadataError) -> [AccountRecord] { try await self.store.accounts(after: name, limit: limit) }
    func add(_ account: AccountRecord) async throws(MetadataError) -> Bool {
        try self.write()
        return try await self.store.add(account)
    }
    func change(_ name: String, _ change: AccountChange) async throws(MetadataError) -> Bool {
        try self.write()
        return try await self.store.change(name, change)
    }
    func removeAccount(_ name: String) async throws(MetadataError) -> Bool {
        try self.write()
        return try await self.store.removeAccount(name)
    }
    func token(hash: [UInt8]) async throws(MetadataError) -> TokenRecord? {
        try self.read()
        return try await self.store.token(hash: hash)
    }
    func token(id: Int64) async throws(MetadataError) -> TokenRecord? {
        try self.read()
        return try await self.store.token(id: id)
    }
    func tokens(of owner: String?, after id: Int64, limit: Int) async throws(MetadataError) -> [TokenRecord] {
        try await self.store.tokens(of: owner, after: id, limit: limit)
    }
    func add(_ token: TokenRecord) async throws(MetadataError) -> TokenRecord? {
        try self.write()
        return try await self.store.add(token)
    }
    func revoke(token id: Int64, at moment: Timestamp) async throws(MetadataError) -> Bool {
        try self.write()
        return try await self.store.revoke(token: id, at: moment)
    }
    func note(_ uses: [TokenUse]) async throws(MetadataError) {
        try self.write()
        try await self.store.note(uses)
    }
    func keys(for purpose: String) async throws(MetadataError) -> [KeyRecord] { try await self.store.keys(for: purpose) }
    func add(_ key: KeyRecord, after newest: String?, dropping oldest: Timestamp) async throws(MetadataError) -> Bool {
        try self.write()
        return try await self.store.add(key, after: newest, dropping: oldest)
    }
    func marker(_ name: String) async throws(MetadataError) -> String? { try await self.store.marker(name) }
    func setMarker(_ name: String, _ text: String) async throws(MetadataError) { try await self.store.setMarker(name, text) }
}
