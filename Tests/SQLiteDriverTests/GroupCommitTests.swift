import ArtifactModel
import SQLMetadata
import StorageAPI
import Testing

@testable import SQLiteDriver

@Suite("A group of batches")
struct GroupCommitTests {
    private static func connection(_ settings: String = "") throws -> SQLiteConnection {
        let connection = try SQLiteConnection(.memory, for: .writing, SQLiteOptions())
        try connection.script("CREATE TABLE t (n INTEGER PRIMARY KEY, b BLOB) STRICT;" + settings)
        return connection
    }

    private static func insert(_ number: Int64, bytes: Int = 0) -> SQLStep {
        .run(SQLStatement("INSERT INTO t (n, b) VALUES ($1, $2)", [.integer(number), .bytes(Array(repeating: 1, count: bytes))]))
    }

    private static func numbers(_ connection: SQLiteConnection) throws -> [Int64] {
        var numbers: [Int64] = []
        try connection.rows(SQLStatement("SELECT n FROM t ORDER BY n"), limit: .max) { numbers.append($0.integer(0)) }
        return numbers
    }

    private static func codes(_ outcomes: [GroupCommit.Outcome]) -> [MetadataError.Code?] {
        outcomes.map { outcome in
            switch outcome {
            case .success: nil
            case .failure(let error): error.code
            }
        }
    }

    @Test("keeps those that hold, and takes back the one whose requirement does not")
    func refusal() throws {
        let connection = try Self.connection()
        let never = SQLStep.require(SQLStatement("SELECT n FROM t WHERE n = 99"), .someRow, orElse: .refused(.requirement(3)))
        let outcomes = GroupCommit(connection: connection).run([[Self.insert(1)], [Self.insert(2), never], [Self.insert(3)]])
        #expect(Self.codes(outcomes) == [nil, .refused(.requirement(3)), nil])
        #expect(try Self.numbers(connection) == [1, 3])
        #expect(!connection.isInTransaction)
    }

    @Test("takes back one that breaks a constraint, and the others stay")
    func constraint() throws {
        let connection = try Self.connection()
        let outcomes = GroupCommit(connection: connection).run([[Self.insert(1)], [Self.insert(2), Self.insert(1)], [Self.insert(3)]])
        #expect(Self.codes(outcomes) == [nil, .io, nil])
        #expect(try Self.numbers(connection) == [1, 3])
    }

    @Test("is run again batch by batch when a full database ended its transaction: only the batch that does not fit fails")
    func full() throws {
        let connection = try Self.connection("PRAGMA max_page_count = 20;")
        let outcomes = GroupCommit(connection: connection).run([[Self.insert(1)], [Self.insert(2, bytes: 1 << 20)], [Self.insert(3)]])
        #expect(Self.codes(outcomes) == [nil, .noSpace, nil])
        #expect(try Self.numbers(connection) == [1, 3])
        #expect(!connection.isInTransaction)
    }

    @Test("of sixteen batches in a database that fills up on the way keeps those that were told so, and no other")
    func sixteen() throws {
        let connection = try Self.connection("PRAGMA max_page_count = 12;")
        let batches = (1...16).map { [Self.insert(Int64($0), bytes: $0.isMultiple(of: 2) ? 12_000 : 10)] }
        let codes = Self.codes(GroupCommit(connection: connection).run(batches))
        let told = zip(Int64(1)..., codes).filter { $0.1 == nil }.map(\.0)
        #expect(try Self.numbers(connection) == told)
        #expect(codes.allSatisfy { $0 == nil || $0 == .noSpace })
        #expect(told.contains(15) && !told.contains(16), "small ones fit after a large one did not")
        #expect(!connection.isInTransaction)
    }

    @Test("whose COMMIT fails is run again batch by batch: the one that broke it fails, and the others are kept")
    func failedCommit() throws {
        let connection = try Self.connection(
            "CREATE TABLE child (n INTEGER REFERENCES t (n) DEFERRABLE INITIALLY DEFERRED) STRICT;")
        let dangling = SQLStep.run(SQLStatement("INSERT INTO child (n) VALUES ($1)", [.integer(99)]))
        let outcomes = GroupCommit(connection: connection).run([[Self.insert(1)], [Self.insert(2), dangling], [Self.insert(3)]])
        #expect(Self.codes(outcomes) == [nil, .io, nil])
        #expect(try Self.numbers(connection) == [1, 3])
        #expect(!connection.isInTransaction)
    }

    @Test("is run again batch by batch when one of them ended the transaction, and loses none that went well")
    func ended() throws {
        let connection = try Self.connection()
        let ending: [SQLStep] = [Self.insert(2), .define("ROLLBACK; SELECT no_such_function();")]
        let outcomes = GroupCommit(connection: connection).run([[Self.insert(1)], ending, [Self.insert(3)]])
        #expect(Self.codes(outcomes) == [nil, .io, nil])
        #expect(try Self.numbers(connection) == [1, 3])
    }

    @Test("refuses placeholders that PostgreSQL would number otherwise")
    func placeholders() throws {
        let connection = try Self.connection()
        #expect(throws: MetadataError.self) { try connection.run(SQLStatement("INSERT INTO t (n, b) VALUES ($2, $1)", [.integer(1), .bytes([])])) }
        #expect(throws: MetadataError.self) { try connection.run(SQLStatement("INSERT INTO t (n) VALUES ($1)", [])) }
    }
}
