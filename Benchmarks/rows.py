"""Fills a stopped server's data folder with rows as the product writes them.

Nothing here knows what a row looks like: one image, one referrer of it and one file are pushed by HTTP, the rows that each push left are
read, and every further one is a copy with other numbers, digests and names. What a copy could not be told from the template
(a new schema, a table or a number that is not known here) ends the run.
"""
import contextlib
import hashlib
import os
import re
import sqlite3
import sys
from dataclasses import dataclass

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../scripts/clients"))
from registry import MANIFEST, Registry, digest  # noqa: E402

SCHEMA = 1
# Tables that a push may add rows to, with their numbers that differ from copy to copy.
NUMBERS = {
    "blobs": {"id"},
    "packages": {"id"},
    "components": {"id", "package_id"},
    "assets": {"id", "component_id", "edit_id", "blob_id"},
    "edges": {"component_id", "package_id"},
    "pointers": {"package_id"},
}
KEPT = {"store_id", "repository_id"}
DAY = 24 * 3600 * 1000
BUSY, TEMPLATE = "bench/busy", "bench/template"


@dataclass(frozen=True)
class Shape:
    """`images` beside the busy one; each manifest has three layers and a config of its own, and each of these five is an asset."""

    name: str
    busy_manifests: int
    busy_tags: int
    images: int
    manifests: int  # of each image
    tags: int  # of each image
    folders: int
    files: int = 50  # of each folder
    referrers: int = 50  # of the busy image's first manifest

    def text(self):
        manifests = self.busy_manifests + self.images * self.manifests
        assets = 5 * manifests + 3 * self.referrers + self.folders * self.files
        return (
            f"{self.name}: {assets:,} assets, {self.busy_tags + self.images * self.tags:,} tags ({self.busy_tags:,} of one image), "
            f"{self.images + 1:,} images, {self.folders:,} raw folders"
        )


SMALL = Shape("1k", busy_manifests=50, busy_tags=250, images=25, manifests=2, tags=2, folders=10)
LARGE = Shape("1M", busy_manifests=10_000, busy_tags=10_000, images=900, manifests=100, tags=100, folders=10_000)


def image_name(number):
    return f"bench/image-{number:04d}"


def tag_name(number):
    return f"v{number:06d}"


def folder_name(number):
    return f"folder-{number // 100:03d}/part-{number % 100:02d}"


def content(kind, number):
    """The bytes of a layer, config or file, of one length for each kind."""
    return f"{kind} {number:010d} ".encode() * 16


class Group:
    """What one push left in the tables, to be copied with other numbers, bytes and names. `tokens`: text of the template -> its name."""

    def __init__(self, rows, tokens):
        self.lowest = min(row["id"] for table in rows for row in rows[table] if "id" in row)
        self.span = max(row["id"] for table in rows for row in rows[table] if "id" in row) - self.lowest + 1
        self.tables = {table: [self.compiled(table, row, tokens) for row in rows[table]] for table in rows}

    def compiled(self, table, row, tokens):
        """Values that stay, and (position, kind, what) of those that do not."""
        if table not in NUMBERS:
            sys.exit(f"a push writes to {table} now, and Benchmarks/rows.py does not know how")
        values, changes = [], []
        for position, (column, value) in enumerate(row.items()):
            if column in NUMBERS[table] and value is not None:
                package = column == "package_id" or table == "packages"
                changes.append((position, "package", None) if package else (position, "number", value - self.lowest))
            elif column.endswith("id") and column not in KEPT and value is not None:
                sys.exit(f"{table}.{column} is not known to Benchmarks/rows.py")
            elif column.endswith(("_at", "_until")):
                value -= DAY
            elif isinstance(value, bytes) and "sha256:" + value.hex() in tokens:
                changes.append((position, "bytes", tokens["sha256:" + value.hex()]))
            elif column == "size":
                changes.append((position, "size", tokens["sha256:" + row["sha256"].hex()]))
            elif isinstance(value, str):
                text = re.sub(r"[{}]", lambda found: found.group() * 2, value)
                for token, name in tokens.items():
                    text = text.replace(token, "{" + name + "}")
                if re.search(r"(?<!\{)\{\w", text):
                    changes.append((position, "text", text))
            values.append(value)
        return values, changes

    def copy(self, table, base, package, names, blobs):
        """`names`: token -> text. `blobs`: token -> (SHA-256, size)."""
        for values, changes in self.tables.get(table, ()):
            row = values[:]
            for position, kind, what in changes:
                if kind == "number":
                    row[position] = base + what
                elif kind == "text":
                    row[position] = what.format_map(names)
                elif kind == "bytes":
                    row[position] = blobs[what][0]
                elif kind == "size":
                    row[position] = blobs[what][1]
                else:
                    row[position] = package
            yield row


class Filler:
    """For a server that is stopped and whose folder is empty."""

    def __init__(self, server, shape, sampled):
        """Bytes are on disk for the images that `sampled` has a digest of: (image number or None for the busy one, manifest number)."""
        self.server, self.shape, self.sampled = server, shape, sampled
        self.data = os.path.join(server.folder, "data")
        self.files = {}  # (image, manifest number) -> digests of what was written for it
        self.subject = None

    # The template

    def rows(self):
        with contextlib.closing(sqlite3.connect(os.path.join(self.data, "entrepot.sqlite"))) as database:
            database.row_factory = sqlite3.Row
            version = database.execute("SELECT MAX(version) FROM schema_versions").fetchone()[0]
            if version != SCHEMA:
                sys.exit(f"the database has schema {version}, and Benchmarks/rows.py knows {SCHEMA}: look through what it derives, then raise SCHEMA")
            tables = [name for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")]
            found = {table: [dict(row) for row in database.execute(f"SELECT * FROM {table}")] for table in tables}
        del found["id_blocks"]
        return found

    def pushed(self, action, tokens):
        before = self.rows()
        action()
        after = self.rows()
        added = {table: [row for row in after[table] if row not in before[table]] for table in after}
        return Group({table: rows for table, rows in added.items() if rows}, tokens)

    def templates(self):
        registry = Registry(self.server.port)
        path = f"docker-local/{TEMPLATE}"
        layers = [content(f"layer{i}", 0) for i in range(3)]
        config = content("config", 0)
        self.manifest = registry.image_manifest((digest(config), len(config)), [(digest(layer), len(layer)) for layer in layers])
        tokens = {digest(layer): f"layer{i}" for i, layer in enumerate(layers)} | {digest(config): "config", digest(self.manifest): "manifest"}

        def push_image():
            for blob in layers + [config]:
                registry.push_blob(path, blob)
            registry.push_manifest(path, "template-tag", self.manifest)

        self.image = self.pushed(push_image, tokens | {TEMPLATE: "image", "template-tag": "tag"})
        about, note = content("about", 0), content("note", 0)
        text = registry.image_manifest((digest(about), len(about)), [(digest(note), len(note))]).decode()
        subject = f'{{"mediaType": "{MANIFEST}", "digest": "{digest(self.manifest)}", "size": {len(self.manifest)}}}'
        self.referring = f'{text[:-1]}, "subject": {subject}}}'.encode()

        def push_referrer():
            for blob in (about, note):
                registry.push_blob(path, blob)
            registry.push_manifest(path, digest(self.referring), self.referring)

        self.referrer_tokens = {digest(about): "about", digest(note): "note", digest(self.referring): "referrer", digest(self.manifest): "subject"}
        self.referrer = self.pushed(push_referrer, self.referrer_tokens | {TEMPLATE: "image"})
        file = content("file", 0)
        url = "/repository/files/template-folder/template-file"
        self.file = self.pushed(
            lambda: registry.request("PUT", url, body=file, wanted={201}),
            {digest(file): "file", "template-folder": "folder", "template-file": "name"})
        self.tokens = tokens
        registry.close()

    # The copies

    def fill(self):
        """Pushes the templates, stops the server, and adds the rows of the shape."""
        self.server.start()
        self.templates()
        self.server.stop()
        self.check_place()
        self.database = sqlite3.connect(os.path.join(self.data, "entrepot.sqlite"), isolation_level=None)
        self.run("PRAGMA journal_mode = OFF", "PRAGMA synchronous = OFF", "PRAGMA cache_size = -1000000", "BEGIN")
        self.next = self.database.execute("SELECT next FROM id_blocks WHERE name = 'rows'").fetchone()[0]
        self.made = 0
        self.pending = {table: [] for table in NUMBERS}
        try:
            self.add_image(BUSY, None, self.shape.busy_manifests, self.shape.busy_tags)
            for number in range(self.shape.images):
                self.add_image(image_name(number), number, self.shape.manifests, self.shape.tags)
            for number in range(self.shape.folders):
                self.add_folder(number)
            self.flush(0)
            self.database.execute("UPDATE id_blocks SET next = ? WHERE name = 'rows'", (self.next,))
            self.run("COMMIT", "PRAGMA journal_mode = WAL")
        finally:
            self.database.close()

    def run(self, *statements):
        for statement in statements:
            self.database.execute(statement).fetchall()

    def take(self, count):
        self.next += count
        return self.next - count

    def put(self, group, base, package, names, blobs, tables):
        for table in tables:
            self.pending[table].extend(group.copy(table, base, package, names, blobs))

    def flush(self, most):
        for table, rows in self.pending.items():
            if len(rows) > most:
                self.database.executemany(f"INSERT INTO {table} VALUES ({', '.join('?' * len(rows[0]))})", rows)
                rows.clear()

    def add_image(self, image, number, manifests, tags):
        self.flush(10_000)
        package = self.take(1)
        self.put(self.image, 0, package, {"image": image}, {}, ["packages"])
        digests = []
        for at in range(manifests):
            digests.append(self.add_manifest(image, package, at, number))
        for at in range(tags):
            names = {"image": image, "tag": tag_name(at), "manifest": digests[at % manifests]}
            self.put(self.image, 0, package, names, {}, ["pointers"])
        if number is None:
            self.subject = digests[0]
            for _ in range(self.shape.referrers):
                self.add_referrer(image, package)

    def add_manifest(self, image, package, at, number):
        self.made += 1
        pieces = {f"layer{i}": content(f"layer{i}", self.made) for i in range(3)} | {"config": content("config", self.made)}
        names, blobs = self.named(pieces, self.manifest, self.tokens, "manifest")
        names["image"] = image
        self.put(self.image, self.take(self.image.span), package, names, blobs, ["blobs", "components", "assets", "edges"])
        if (number, at) in self.sampled:
            self.files[number, at] = names
            for piece in pieces.values():
                self.write(piece)
        return names["manifest"]

    def add_referrer(self, image, package):
        self.made += 1
        pieces = {kind: content(kind, self.made) for kind in ("about", "note")}
        names, blobs = self.named(pieces, self.referring, self.referrer_tokens, "referrer", {"subject": self.subject})
        names["image"] = image
        self.put(self.referrer, self.take(self.referrer.span), package, names, blobs, ["blobs", "components", "assets", "edges"])

    def named(self, pieces, manifest, tokens, role, others=None):
        """Digests of the pieces and of the manifest that names them."""
        blobs = {}
        names = dict(others or {})
        for kind, piece in pieces.items():
            hashed = hashlib.sha256(piece)
            blobs[kind] = (hashed.digest(), len(piece))
            names[kind] = "sha256:" + hashed.hexdigest()
        text = manifest.decode()
        for token, name in tokens.items():
            if name in names:
                text = text.replace(token, names[name])
        data = text.encode()
        hashed = hashlib.sha256(data)
        blobs[role] = (hashed.digest(), len(data))
        names[role] = "sha256:" + hashed.hexdigest()
        pieces[role] = data
        return names, blobs

    def add_folder(self, number):
        self.flush(10_000)
        for at in range(self.shape.files):
            self.made += 1
            hashed = hashlib.sha256(content("file", self.made))
            names = {"folder": folder_name(number), "name": f"file-{at:02d}.tar.gz", "file": "sha256:" + hashed.hexdigest()}
            self.put(self.file, self.take(self.file.span), None, names, {"file": (hashed.digest(), len(content("file", 0)))}, ["blobs", "assets"])

    # Bytes

    def place(self, name):
        hexadecimal = name.split(":")[1]
        return os.path.join(self.data, "blobs/sha256", hexadecimal[:2], hexadecimal[2:4], hexadecimal)

    def check_place(self):
        if not os.path.exists(self.place(digest(self.manifest))):
            sys.exit("blobs lie elsewhere now, and Benchmarks/rows.py does not know where")

    def write(self, piece):
        path = self.place(digest(piece))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(piece)
