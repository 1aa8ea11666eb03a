import ArtifactModel
import StorageAPI

/// The schema's history: numbered from 1, forward only, each applied once and recorded in `schema_versions` in its own transaction.
struct Migrations {
    static let all: [StaticString] = [Migrations.first, Migrations.second]

    let database: any SQLDatabase
    let program: String
    let now: Timestamp

    func run() async throws(MetadataError) {
        try await self.database.commit([.define(self.database.dialect.words(Self.register))])
        let version = try await self.database.first(SQLStatement("SELECT COALESCE(MAX(version), 0) FROM schema_versions")) { Int($0.integer(0)) } ?? 0
        guard version <= Self.all.count else {
            throw MetadataError(
                .corrupt,
                "the database has schema \(version), but this program knows only up to \(Self.all.count): a newer program has opened it; run that one, or restore a backup made before"
            )
        }
        for number in version + 1..<Self.all.count + 1 { try await self.apply(number) }
    }

    private func apply(_ number: Int) async throws(MetadataError) {
        try await self.database.commit([
            .require(
                SQLStatement("SELECT version FROM schema_versions WHERE version = $1", [.integer(Int64(number))]), .noRow,
                orElse: .busy),
            .define(self.database.dialect.words(Self.all[number - 1])),
            .run(
                SQLStatement(
                    "INSERT INTO schema_versions (version, applied_at, program) VALUES ($1, $2, $3)",
                    [.integer(Int64(number)), .integer(self.now.milliseconds), .text(self.program)])),
        ])
    }

    private static let register: StaticString = """
        CREATE TABLE IF NOT EXISTS schema_versions (version INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL, program TEXT NOT NULL) STRICT;
        """
}

extension SQLDialect {
    /// Definitions are written in SQLite's words; PostgreSQL's are whole words replaced.
    func words(_ definitions: StaticString) -> String {
        let text = definitions.description
        guard self == .postgresql else { return text }
        var out = ""
        var word = ""
        for character in text + "\n" {
            if character.isLetter || character == "_" {
                word.append(character)
            } else {
                out += Self.postgresqlWords[word] ?? word
                word = ""
                out.append(character)
            }
        }
        return out.replacing(") STRICT, WITHOUT ROWID;", with: ");").replacing(") STRICT;", with: ");")
    }

    /// `COLLATE "C"`: text is ordered byte by byte, as in SQLite.
    private static let postgresqlWords = ["INTEGER": "BIGINT", "BLOB": "BYTEA", "TEXT": #"TEXT COLLATE "C""#]
}
