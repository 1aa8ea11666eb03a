#!/usr/bin/env python3
"""Pushes with several threads, kills the server in the middle, and later checks what is there.

    crash.py push   PORT LEDGER SEED PID    pushes until a number of acknowledgements drawn from SEED, kills PID with SIGKILL
    crash.py verify PORT LEDGER             every key holds its last acknowledged value, or whole one that was on its way

A key is a tag, a blob or a file; each belongs to one thread, so that its history is a line. The ledger is JSON:
key -> {"acknowledged": sha256 or null, "pending": [sha256 or null, ...]}. null is «absent».
"""
import http.client
import json
import os
import random
import signal
import sys
import threading

from registry import Refused, Registry, digest

IMAGE = "docker-local/acme/crash"
FILES = "/repository/files/crash"
THREADS = 6


class Ledger:
    def __init__(self, path):
        self.path = path
        self.lock = threading.Lock()
        self.keys = {}
        self.acknowledged = 0
        if os.path.exists(path):
            with open(path) as file:
                self.keys = json.load(file)

    def begin(self, key, value):
        with self.lock:
            self.keys.setdefault(key, {"acknowledged": None, "pending": []})["pending"].append(value)

    def acknowledge(self, key, value):
        with self.lock:
            self.keys[key] = {"acknowledged": value, "pending": []}
            self.acknowledged += 1
            return self.acknowledged

    def save(self):
        with open(self.path, "w") as file:
            json.dump(self.keys, file)


class Pusher:
    def __init__(self, number, port, ledger, random_numbers, acknowledged):
        self.number, self.ledger, self.random, self.acknowledged = number, ledger, random_numbers, acknowledged
        self.registry = Registry(port, timeout=30)

    def run(self):
        steps = [self.blob, self.image, self.file, self.file, self.delete]
        while True:
            self.random.choice(steps)()

    def write(self, key, value, action):
        self.ledger.begin(key, value)
        action()
        self.acknowledged(self.ledger.acknowledge(key, value))

    def data(self):
        return self.random.randbytes(self.random.choice([0, 1, 4096, 70_000, 1_500_000]))

    def blob(self):
        data = self.data()
        in_chunks = self.random.random() < 0.5
        self.write(f"blob {digest(data)}", digest(data), lambda: self.registry.push_blob(IMAGE, data, in_chunks))
        return digest(data), len(data)

    def image(self):
        manifest = self.registry.image_manifest(self.blob(), [self.blob(), self.blob()])
        tag = f"t{self.number}-{self.random.randrange(4)}"
        self.write(f"tag {tag}", digest(manifest), lambda: self.registry.push_manifest(IMAGE, tag, manifest))

    def path(self):
        return f"{FILES}/{self.number}/{self.random.randrange(8)}.bin"

    def file(self):
        data, path = self.data(), self.path()
        self.write(f"file {path}", digest(data), lambda: self.registry.request("PUT", path, body=data, wanted={200, 201, 204}))

    def delete(self):
        path = self.path()
        self.write(f"file {path}", None, lambda: self.registry.request("DELETE", path, wanted={200, 202, 204, 404}))


def push(port, path, seed, pid):
    ledger = Ledger(path)
    numbers = random.Random(seed)
    last = numbers.randrange(20, 120)
    killed = threading.Event()
    failures = []

    def acknowledged(count):
        if count == last:
            killed.set()
            os.kill(pid, signal.SIGKILL)

    def work(number, own_seed):
        pusher = Pusher(number, port, ledger, random.Random(own_seed), acknowledged)
        try:
            pusher.run()
        except (OSError, http.client.HTTPException) as error:
            if not killed.is_set():
                failures.append(f"the connection broke before the kill: {error!r}")
        except Refused as error:
            # Once it is killed, what stands between (a proxy) may still answer; nothing was acknowledged then.
            if not killed.is_set():
                failures.append(str(error))

    threads = [threading.Thread(target=work, args=(n, numbers.random()), daemon=True) for n in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    ledger.save()
    if failures or not killed.is_set():
        sys.exit("\n".join(failures) or f"only {ledger.acknowledged} acknowledgements")
    print(f"killed after {ledger.acknowledged} acknowledgements")


def value(registry, key):
    """sha256 of what the key shows now, or None; raises where something half is visible."""
    kind, _, name = key.partition(" ")
    if kind == "blob":
        found = registry.blob_digest(IMAGE, name)
        return found and found[0]
    if kind == "file":
        status, _, data = registry.request("GET", name, wanted={200, 404})
        return digest(data) if status == 200 else None
    data = registry.manifest(IMAGE, name)
    if data is None:
        return None
    manifest = json.loads(data)
    for part in [manifest["config"], *manifest["layers"]]:
        if registry.blob_digest(IMAGE, part["digest"]) != (part["digest"], part["size"]):
            raise Refused(f"tag {name} is there, and its {part['digest']} is not whole")
    return digest(data)


def verify(port, path):
    ledger = Ledger(path)
    registry = Registry(port)
    wrong = []
    for key, entry in ledger.keys.items():
        try:
            now = value(registry, key)
        except Refused as error:
            wrong.append(str(error))
            continue
        if now not in [entry["acknowledged"], *entry["pending"]]:
            wrong.append(f"{key} is {now}; acknowledged {entry['acknowledged']}, on their way {entry['pending']}")
        entry["acknowledged"], entry["pending"] = now, []
    tags = {key[4:] for key, entry in ledger.keys.items() if key.startswith("tag ") and entry["acknowledged"]}
    status, _, data = registry.request("GET", f"/v2/{IMAGE}/tags/list", wanted={200, 404})
    listed = set(json.loads(data)["tags"] or []) if status == 200 else set()
    if listed != tags:
        wrong.append(f"tags/list has {sorted(listed)}, the tags are {sorted(tags)}")
    ledger.save()
    if wrong:
        sys.exit("\n".join(wrong[:20]))
    print(f"{len(ledger.keys)} keys are right")


if __name__ == "__main__":
    if len(sys.argv) == 6 and sys.argv[1] == "push":
        push(int(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    elif len(sys.argv) == 4 and sys.argv[1] == "verify":
        verify(int(sys.argv[2]), sys.argv[3])
    else:
        sys.exit(__doc__)
