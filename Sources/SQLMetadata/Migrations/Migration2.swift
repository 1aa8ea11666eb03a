extension Migrations {
    /// Who may come in, and what is shared by all processes of an installation.
    ///
    /// Tokens name their owner by text: it may be a user of the configuration, who has no row.
    static let accounts: StaticString = """
        CREATE TABLE accounts (
          name          TEXT    PRIMARY KEY,
          kind          TEXT    NOT NULL CHECK (kind IN ('user', 'robot')),
          password_hash TEXT    NOT NULL,
          epoch         BLOB    NOT NULL,
          roles         TEXT    NOT NULL,
          created_at    INTEGER NOT NULL,
          created_by    TEXT    NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- «hash» is SHA-256 of the token's text, which is nowhere. 0 stands for no moment.
        CREATE TABLE tokens (
          id           INTEGER PRIMARY KEY,
          owner        TEXT    NOT NULL,
          name         TEXT    NOT NULL,
          hash         BLOB    NOT NULL UNIQUE,
          grants       TEXT    NOT NULL,
          created_at   INTEGER NOT NULL,
          created_by   TEXT    NOT NULL,
          expires_at   INTEGER NOT NULL,
          revoked_at   INTEGER NOT NULL,
          last_used_at INTEGER NOT NULL,
          last_address TEXT    NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX tokens_name ON tokens (owner, name) WHERE revoked_at = 0;
        CREATE INDEX tokens_owner ON tokens (owner, id);

        -- The newest of a purpose signs, older ones are still believed until they go.
        CREATE TABLE signing_keys (
          id         TEXT    PRIMARY KEY,
          purpose    TEXT    NOT NULL,
          secret     BLOB    NOT NULL,
          created_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX signing_keys_purpose ON signing_keys (purpose, created_at, id);

        CREATE TABLE markers (name TEXT PRIMARY KEY, text TEXT NOT NULL) STRICT, WITHOUT ROWID;
        """
}
