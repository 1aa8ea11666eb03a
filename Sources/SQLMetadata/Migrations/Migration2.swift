extension Migrations {
    /// Who may come in: accounts, the tokens of accounts and of the configuration's users, secrets that all processes of an installation share.
    ///
    /// A token's owner is a name and no reference: users of the configuration have tokens too. Where an account is made or removed, the tokens
    /// that bear its name go in the same transaction, so that none ever passes to another person.
    static let second: StaticString = """
        -- «epoch» is new with every password: what was signed for an older one is dead. «roles» is a JSON array of names.
        CREATE TABLE accounts (
          name          TEXT    PRIMARY KEY,
          kind          TEXT    NOT NULL CHECK (kind IN ('user', 'robot')),
          password_hash TEXT    NOT NULL,
          epoch         BLOB    NOT NULL CHECK (length(epoch) = 16),
          roles         TEXT    NOT NULL,
          created_at    INTEGER NOT NULL,
          created_by    TEXT    NOT NULL
        ) STRICT, WITHOUT ROWID;

        -- «hash» is the SHA-256 of its text, which is nowhere. «grants» is a JSON array. A revoked one stays for the list, and leaves its name free.
        CREATE TABLE tokens (
          id           INTEGER PRIMARY KEY,
          owner        TEXT    NOT NULL,
          name         TEXT    NOT NULL,
          hash         BLOB    NOT NULL UNIQUE CHECK (length(hash) = 32),
          grants       TEXT    NOT NULL,
          created_at   INTEGER NOT NULL,
          created_by   TEXT    NOT NULL,
          expires_at   INTEGER,
          revoked_at   INTEGER,
          last_used_at INTEGER,
          last_address TEXT    NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX tokens_name ON tokens (owner, name) WHERE revoked_at IS NULL;
        CREATE INDEX tokens_owner ON tokens (owner, id);

        CREATE TABLE signing_keys (
          id         TEXT    PRIMARY KEY,
          purpose    TEXT    NOT NULL,
          secret     BLOB    NOT NULL,
          created_at INTEGER NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX signing_keys_newest ON signing_keys (purpose, created_at, id);

        CREATE TABLE markers (name TEXT PRIMARY KEY, content TEXT NOT NULL) STRICT, WITHOUT ROWID;
        """
}
