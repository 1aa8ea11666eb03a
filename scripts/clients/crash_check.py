"""What crash.py looks at between two lives of a server, and on its folder at the end."""
import json
import os
import sqlite3

from crash_load import INDEX
from registry import MANIFEST, Refused, Registry, digest

SAMPLE = 20


def check(port, ledger, workers, numbers):
    """All keys where `numbers` is None, else those that were touched and a sample. The errors, as text; every key checked is settled."""
    registry, wrong = Registry(port), []
    keys = set(ledger.touched)
    known = [key for key in ledger.values if key not in keys]
    keys.update(known if numbers is None else numbers.sample(known, min(SAMPLE, len(known))))
    parts = {}
    for worker in workers:
        parts.update(worker.parts)
    for key in keys:
        try:
            now = value(registry, key, parts)
        except Refused as error:
            wrong.append(str(error))
            continue
        if now not in ledger.allowed(key):
            wrong.append(f"{key} is {now}; acknowledged and on their way: {ledger.allowed(key)}")
        ledger.settle(key, now)
    ledger.touched.clear()
    for worker in workers:
        wrong += listed(registry, ledger, worker)
        forget(ledger, worker)
    registry.close()
    return wrong


def value(registry, key, parts):
    """sha256 of what the key shows now, or None; raises where something half is visible."""
    kind = key[0]
    if kind == "blob":
        found = registry.blob_digest(key[1], key[2])
        return found and found[0]
    if kind == "file":
        status, _, data = registry.request("GET", key[1], wanted={200, 404})
        return digest(data) if status == 200 else None
    headers = {"Accept": f"{MANIFEST}, {INDEX}"}
    status, _, data = registry.request("GET", f"/v2/{key[1]}/manifests/{key[2]}", headers=headers, wanted={200, 404})
    if status == 404:
        return None
    name = digest(data)
    for folder, part, _ in parts.get(name, []):
        if registry.request("HEAD", f"/v2/{key[1]}/{folder}/{part}")[0] != 200:
            raise Refused(f"{key} is there, and its {folder} {part} is not")
    return name


def listed(registry, ledger, worker):
    """The list of tags against the tags."""
    tags = {key[2] for key, value in ledger.values.items() if key[0] == "tag" and key[1] == worker.image and value}
    status, _, data = registry.request("GET", f"/v2/{worker.image}/tags/list", wanted={200, 404})
    found = set(json.loads(data)["tags"] or []) if status == 200 else set()
    return [] if found == tags else [f"tags/list of {worker.image} has {sorted(found)}, the tags are {sorted(tags)}"]


def forget(ledger, worker):
    """The parts of manifests that are gone."""
    held = {key[2] for key, value in ledger.values.items() if key[0] == "manifest" and key[1] == worker.image and value}
    worker.parts = {name: parts for name, parts in worker.parts.items() if name in held}


def let_leases_end(data):
    """On a stopped server: as if more than the hour had passed for which the collector spares what was being written."""
    database = sqlite3.connect(f"{data}/entrepot.sqlite")
    with database:
        database.execute("UPDATE blobs SET held_until = 0")
    database.close()


def compare_folder(data):
    """After a collection, on a stopped server: (errors, a summary)."""
    database, wrong = sqlite3.connect(f"{data}/entrepot.sqlite"), []
    wrong += [f"integrity: {row[0]}" for row in database.execute("PRAGMA integrity_check") if row[0] != "ok"]
    wrong += [f"foreign key: {row}" for row in database.execute("PRAGMA foreign_key_check")]
    wrong += [f"collected, and still there: {row}" for row in database.execute("SELECT id FROM blobs WHERE state <> 0")]
    unused = "SELECT hex(sha256) FROM blobs WHERE NOT EXISTS (SELECT 1 FROM assets WHERE assets.blob_id = blobs.id)"
    wrong += [f"no asset has the blob {row[0].lower()}, and it was not collected" for row in database.execute(unused)]
    rows = {name.lower(): size for name, size in database.execute("SELECT hex(sha256), size FROM blobs")}
    assets = database.execute("SELECT count(*) FROM assets").fetchone()[0]
    database.close()
    files = {}
    for folder, _, names in os.walk(f"{data}/blobs/sha256"):
        files.update({name: os.path.getsize(f"{folder}/{name}") for name in names})
    wrong += [f"{name} has a row and no file" for name in rows.keys() - files.keys()]
    wrong += [f"{name} has a file and no row" for name in files.keys() - rows.keys()]
    wrong += [f"{name}: {rows[name]} bytes by its row, {files[name]} in its file" for name in rows.keys() & files.keys() if rows[name] != files[name]]
    uploads = len(os.listdir(f"{data}/blobs/uploads"))
    return wrong, f"{assets} assets, {len(rows)} blobs and their {len(files)} files agree, {uploads} unfinished uploads"
