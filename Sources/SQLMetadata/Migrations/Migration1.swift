extension Migrations {
    /// The tables, drawn by who points to whom:
    ///
    /// ```
    /// blob_stores ◀─ repositories ◀─ packages ◀─ components ◀─ edges, fragments
    ///      ▲              ▲              ▲           ▲
    ///    blobs ◀──────── assets ─────────┼───────────┘ (or in no component)
    ///                     ▲            pointers (a target is text: it may name what is not kept yet)
    ///                   usages
    /// ```
    ///
    /// No NULL in a key, '' instead. Times are milliseconds since 1970. Text is ordered byte by byte. Every list is paged by the last key
    /// seen, on an index named here. Numbers of rows come from `id_blocks` and are never given twice.
    static let first: StaticString = """
        CREATE TABLE id_blocks (name TEXT PRIMARY KEY, next INTEGER NOT NULL) STRICT, WITHOUT ROWID;

        CREATE TABLE blob_stores (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE) STRICT;

        -- «revision» grows with every change of the configuration. A deleted repository keeps its row and its number until it is emptied.
        CREATE TABLE repositories (
          id            INTEGER PRIMARY KEY,
          name          TEXT    NOT NULL,
          format        TEXT    NOT NULL,
          role          TEXT    NOT NULL CHECK (role IN ('hosted', 'proxy', 'group')),
          store_id      INTEGER NOT NULL REFERENCES blob_stores (id),
          origin        TEXT    NOT NULL CHECK (origin IN ('yaml', 'api')),
          configuration TEXT    NOT NULL,
          revision      INTEGER NOT NULL,
          deleted_at    INTEGER
        ) STRICT;
        CREATE UNIQUE INDEX repositories_name ON repositories (name) WHERE deleted_at IS NULL;

        -- Bytes, once for each store. The digests beside SHA-256 are those that somebody asked for while the bytes passed.
        --   state 0: there; 1: the collector has taken it, and a writer waits until the row is gone;
        --          2: lost, as a verification found: look-ups say absent until a commit links bytes that came anew
        --   held_until: the collector keeps away until then, whoever refers to it
        --   durable 0: not fsynced yet; looked at anew after an unclean stop
        CREATE TABLE blobs (
          id         INTEGER PRIMARY KEY,
          store_id   INTEGER NOT NULL REFERENCES blob_stores (id),
          sha256     BLOB    NOT NULL CHECK (length(sha256) = 32),
          size       INTEGER NOT NULL CHECK (size >= 0),
          sha512     BLOB,
          sha1       BLOB,
          md5        BLOB,
          state      INTEGER NOT NULL DEFAULT 0,
          durable    INTEGER NOT NULL DEFAULT 1,
          created_at INTEGER NOT NULL,
          held_until INTEGER NOT NULL,
          UNIQUE (store_id, sha256)
        ) STRICT;
        CREATE INDEX blobs_sha512 ON blobs (sha512, store_id) WHERE sha512 IS NOT NULL;
        CREATE INDEX blobs_sha1 ON blobs (sha1) WHERE sha1 IS NOT NULL;
        CREATE INDEX blobs_volatile ON blobs (id) WHERE durable = 0;
        CREATE INDEX blobs_doomed ON blobs (id) WHERE state = 1;
        CREATE INDEX blobs_sizes ON blobs (store_id, size);

        -- «label» is what lists show and are ordered by: namespace/name, or the bare name.
        CREATE TABLE packages (
          id            INTEGER PRIMARY KEY,
          repository_id INTEGER NOT NULL REFERENCES repositories (id),
          namespace     TEXT    NOT NULL,
          name          TEXT    NOT NULL,
          label         TEXT    NOT NULL,
          attributes    TEXT    NOT NULL,
          created_at    INTEGER NOT NULL,
          UNIQUE (repository_id, namespace, name)
        ) STRICT;
        CREATE INDEX packages_label ON packages (repository_id, label);

        CREATE TABLE components (
          id            INTEGER PRIMARY KEY,
          repository_id INTEGER NOT NULL REFERENCES repositories (id),
          package_id    INTEGER NOT NULL REFERENCES packages (id),
          version       TEXT    NOT NULL,
          sort_key      BLOB    NOT NULL,
          attributes    TEXT    NOT NULL,
          created_at    INTEGER NOT NULL,
          created_by    TEXT    NOT NULL,
          UNIQUE (package_id, version)
        ) STRICT;
        CREATE INDEX components_ordered ON components (package_id, sort_key, id);
        CREATE INDEX components_recent ON components (repository_id, created_at, id);

        -- A path and the bytes it names. «position»: its place in its component, 0 the first. «edit_id»: which edit wrote it last, so that
        -- putting a component anew can remove those of its assets that the new one does not have.
        CREATE TABLE assets (
          id            INTEGER PRIMARY KEY,
          repository_id INTEGER NOT NULL REFERENCES repositories (id),
          component_id  INTEGER REFERENCES components (id) ON DELETE CASCADE,
          position      INTEGER NOT NULL,
          edit_id       INTEGER NOT NULL,
          path          TEXT    NOT NULL,
          blob_id       INTEGER NOT NULL REFERENCES blobs (id),
          content_type  TEXT    NOT NULL,
          attributes    TEXT    NOT NULL,
          created_at    INTEGER NOT NULL,
          created_by    TEXT    NOT NULL,
          UNIQUE (repository_id, path)
        ) STRICT;
        CREATE INDEX assets_blob ON assets (blob_id);
        CREATE INDEX assets_component ON assets (component_id, position) WHERE component_id IS NOT NULL;

        CREATE TABLE pointers (
          package_id INTEGER NOT NULL REFERENCES packages (id),
          kind       TEXT    NOT NULL,
          name       TEXT    NOT NULL,
          target     TEXT    NOT NULL,
          updated_at INTEGER NOT NULL,
          updated_by TEXT    NOT NULL,
          PRIMARY KEY (package_id, kind, name)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX pointers_target ON pointers (package_id, target);

        -- «package_id» and «version» are the component's, here so that one index gives the referrers of a digest in order.
        CREATE TABLE edges (
          component_id  INTEGER NOT NULL REFERENCES components (id) ON DELETE CASCADE,
          kind          TEXT    NOT NULL,
          target        TEXT    NOT NULL,
          package_id    INTEGER NOT NULL REFERENCES packages (id),
          version       TEXT    NOT NULL,
          artifact_type TEXT    NOT NULL,
          PRIMARY KEY (component_id, kind, target)
        ) STRICT, WITHOUT ROWID;
        CREATE INDEX edges_target ON edges (package_id, target, kind, version, artifact_type);

        -- What one component adds to a hosted document, rendered at publish; «slots» are where public URLs go.
        CREATE TABLE fragments (
          id            INTEGER PRIMARY KEY,
          repository_id INTEGER NOT NULL REFERENCES repositories (id),
          document      TEXT    NOT NULL,
          section       TEXT    NOT NULL,
          name          TEXT    NOT NULL,
          sort_key      BLOB    NOT NULL,
          component_id  INTEGER NOT NULL REFERENCES components (id) ON DELETE CASCADE,
          bytes         BLOB    NOT NULL,
          slots         BLOB    NOT NULL,
          UNIQUE (repository_id, document, section, name)
        ) STRICT;
        CREATE INDEX fragments_component ON fragments (component_id);

        -- The clock of every document: what was composed at an equal generation still holds.
        CREATE TABLE generations (
          repository_id INTEGER NOT NULL REFERENCES repositories (id),
          document      TEXT    NOT NULL,
          generation    INTEGER NOT NULL,
          PRIMARY KEY (repository_id, document)
        ) STRICT, WITHOUT ROWID;

        -- What a proxy knows of the upstream's copy of a movable path or pointer.
        CREATE TABLE upstream_states (
          repository_id INTEGER NOT NULL REFERENCES repositories (id),
          subject       TEXT    NOT NULL,
          location      TEXT    NOT NULL,
          entity_tag    TEXT    NOT NULL,
          last_modified TEXT    NOT NULL,
          checked_at    INTEGER NOT NULL,
          PRIMARY KEY (repository_id, subject)
        ) STRICT, WITHOUT ROWID;

        -- Written behind, never in the transaction of a pull.
        CREATE TABLE usages (
          asset_id      INTEGER PRIMARY KEY REFERENCES assets (id) ON DELETE CASCADE,
          repository_id INTEGER NOT NULL,
          last_used_at  INTEGER NOT NULL,
          downloads     INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX usages_oldest ON usages (repository_id, last_used_at, asset_id);

        -- Who may go on with an upload; how far it came is the length of its bytes. «state» is the store's own.
        CREATE TABLE uploads (
          id            TEXT    PRIMARY KEY,
          repository_id INTEGER NOT NULL REFERENCES repositories (id),
          scope         TEXT    NOT NULL,
          owner         TEXT    NOT NULL,
          state         BLOB    NOT NULL,
          expires_at    INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX uploads_expiring ON uploads (expires_at, id);

        CREATE TABLE leases (name TEXT PRIMARY KEY, owner TEXT NOT NULL, fence INTEGER NOT NULL, expires_at INTEGER NOT NULL) STRICT;
        """
}
