#!/usr/bin/env python3
"""Harms one call after the other that the server makes to its files, and checks that nothing is lost.

    faults.py BINARY LIBRARY FOLDER STRIDE FIRST KIND...

KIND: kill-before, kill-after, EIO, ENOSPC. For each, the calls FIRST, FIRST + STRIDE, ... are harmed, one in each run, until a run makes
fewer calls; stride 1 harms all. LIBRARY is faults.c, compiled. A run: start, a fixed list of requests, an end by SIGKILL; then, without
faults: what was acknowledged is there byte by byte, what was not is as before or as asked for, the same list again succeeds, and gc
leaves no file without a row and no row without its file.
"""
import glob
import http.client
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time

from registry import digest

IMAGE = "/v2/docker-local/app"
TYPE = "application/vnd.oci.image.manifest.v1+json"
CONFIGURATION = """configVersion: 1
security: { openAccess: true }
docker:
  defaultRepository: docker-local
repositories:
  docker-local: { format: docker, type: hosted }
  files: { format: raw, type: hosted }
"""
LAYERS = [bytes([n]) * 3000 + os.urandom(16) for n in range(2)] + [os.urandom(2_500_000)]


def manifest(*layers):
    part = lambda kind, blob: {"mediaType": f"application/vnd.oci.image.{kind}", "digest": digest(blob), "size": len(blob)}
    return json.dumps(
        {"schemaVersion": 2, "mediaType": TYPE, "config": part("config.v1+json", LAYERS[0]), "layers": [part("layer.v1.tar", l) for l in layers]}
    ).encode()


FIRST, SECOND = manifest(LAYERS[1]), manifest(LAYERS[1], LAYERS[2])


class Server:
    def __init__(self, binary, folder, environment={}):
        self.binary, self.folder = binary, folder
        self.data = os.path.join(folder, "data")
        self.configuration = os.path.join(folder, "entrepot.yaml")
        with open(self.configuration, "w") as file:
            file.write(CONFIGURATION)
        self.log = open(os.path.join(folder, f"log-{'harmed' if environment else 'whole'}"), "wb")
        self.process = subprocess.Popen(
            [binary, "serve", "--config", self.configuration, "--data", self.data, "--listen", "127.0.0.1:0"],
            stdout=self.log, stderr=subprocess.STDOUT, env={**os.environ, **environment})
        self.port = self.listening()

    def listening(self):
        """The port that it says it listens on; nothing where it ends before it comes to that."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            ended = self.process.poll() is not None
            with open(self.log.name) as file:
                found = re.search(r"listening on http://127.0.0.1:(\d+)\n", file.read())
            if found or ended:
                return int(found[1]) if found else None
            time.sleep(0.004)
        raise AssertionError("neither a start nor an end")

    def send(self, method, target, body=None, headers={}):
        """The answer; a status of 0 where none came."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port or 1, timeout=30)
        try:
            connection.request(method, target, body=body, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        except (OSError, http.client.HTTPException):
            return 0, b"", {}
        finally:
            connection.close()

    def gc(self):
        return subprocess.run(
            [self.binary, "blobs", "gc", "--config", self.configuration, "--data", self.data], capture_output=True, text=True, timeout=60)

    def kill(self):
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.end()

    def end(self):
        status = self.process.wait(timeout=60)
        self.log.close()
        return status


class Run:
    """The requests, and what may be seen after them: address -> the set of allowed contents; None is «absent»."""

    def __init__(self, server, state):
        self.server, self.state, self.failed = server, state, []

    def change(self, changes, done, work):
        """`work` gives a status; what it changes is certain once that is among `done`."""
        status = work()
        for target, new in changes.items():
            self.state[target] = {new} if status in done else self.state.get(target, {None}) | {new}
        if status not in done:
            self.failed.append(status)

    def upload(self, blob):
        """By chunks, as docker does; a close that fails is tried again, and must not keep bytes whose fsync failed."""
        status, _, headers = self.server.send("POST", f"{IMAGE}/blobs/uploads/", b"")
        if status != 202:
            return status
        session = headers["Location"]
        for half in (blob[: len(blob) // 2], blob[len(blob) // 2 :]):
            status, _, headers = self.server.send("PATCH", session, half)
            if status != 202:
                return status
        status = self.server.send("PUT", f"{session}?digest={digest(blob)}", b"")[0]
        if status >= 500 and self.lost_sync():
            again = self.server.send("PUT", f"{session}?digest={digest(blob)}", b"")[0]
            assert again in (0, 404), f"bytes whose fsync failed were kept by a retry: {again}"
        return status

    def lost_sync(self):
        hit = harmed(self.server.folder)
        return hit and "fsync" in hit and "/uploads/" in hit

    def all(self):
        send, blobs, manifests = self.server.send, f"{IMAGE}/blobs", f"{IMAGE}/manifests"
        files = "/repository/files"
        # Bytes of a blob may be visible once they are linked; never other bytes.
        for blob in LAYERS[:2]:
            self.change({f"{blobs}/{digest(blob)}": blob}, {201}, lambda: self.upload(blob))
        one, two = f"{manifests}/{digest(FIRST)}", f"{manifests}/{digest(SECOND)}"
        put = lambda body: send("PUT", f"{manifests}/t", body, {"Content-Type": TYPE})[0]
        self.change({f"{manifests}/t": FIRST, one: FIRST}, {201}, lambda: put(FIRST))
        self.change({f"{files}/a": b"one"}, {200, 201, 204}, lambda: send("PUT", f"{files}/a", b"one")[0])
        self.change({f"{files}/b": b"b" * 5000}, {200, 201, 204}, lambda: send("PUT", f"{files}/b", b"b" * 5000)[0])
        self.change({f"{blobs}/{digest(LAYERS[2])}": LAYERS[2]}, {201}, lambda: self.upload(LAYERS[2]))
        self.change({f"{manifests}/t": SECOND, two: SECOND}, {201}, lambda: put(SECOND))
        self.change({f"{files}/a": b"two"}, {200, 201, 204}, lambda: send("PUT", f"{files}/a", b"two")[0])
        self.change({f"{files}/b": None}, {204, 404}, lambda: send("DELETE", f"{files}/b")[0])
        self.change({one: None}, {202, 404}, lambda: send("DELETE", one)[0])
        # A tag goes with its manifest: where the second did not come, it was the first one's.
        if FIRST in self.state[f"{manifests}/t"]:
            self.state[f"{manifests}/t"].add(None)
        if self.server.port and os.path.exists(database(self.server.data)):
            end_holds(self.server.data)
            self.server.gc()

    def check(self, when):
        for target, allowed in self.state.items():
            status, body, _ = self.server.send("GET", target)
            seen = {200: body, 404: None}.get(status, status)
            assert seen in allowed, f"{when}: GET {target} is {status}, {len(body)} bytes"
        tag = self.server.send("GET", f"{IMAGE}/manifests/t")
        if tag[0] == 200:
            for part in [json.loads(tag[1])["config"]] + json.loads(tag[1])["layers"]:
                status, body, _ = self.server.send("GET", f"{IMAGE}/blobs/{part['digest']}")
                assert status == 200 and digest(body) == part["digest"], f"{when}: a part of the tag's manifest is {status}"


def database(data):
    return os.path.join(data, "entrepot.sqlite")


def rows(data, text, write=False):
    connection = sqlite3.connect(database(data), timeout=30)
    try:
        result = connection.execute(text).fetchall()
        if write:
            connection.commit()
        return result
    finally:
        connection.close()


def end_holds(data):
    """As if an hour had passed."""
    try:
        rows(data, "UPDATE blobs SET held_until = 0", write=True)
    except sqlite3.OperationalError:
        pass  # No table yet: the server did not come that far.


def harmed(folder):
    """The line of the call that was harmed; nothing where it was not reached."""
    path, number = os.path.join(folder, "calls"), os.environ.get("HARM", "")
    if not os.path.exists(path):
        return None
    with open(path) as file:
        return next((line for line in file if line.startswith(number + " ")), None)


def expect_tidy(data):
    kept = {row[0] for row in rows(data, "SELECT lower(hex(sha256)) FROM blobs")}
    files = {os.path.basename(path) for path in glob.glob(f"{data}/blobs/sha256/*/*/*")}
    assert kept == files, f"rows without files: {sorted(kept - files)}; files without rows: {sorted(files - kept)}"
    loose = rows(data, "SELECT count(*) FROM blobs WHERE id NOT IN (SELECT blob_id FROM assets)")[0][0]
    assert loose == 0, f"{loose} blobs that nothing names"
    # The sweeper takes bytes that no session knows a day after they were last written to.
    known = {row[0] for row in rows(data, "SELECT id FROM uploads")}
    for path in glob.glob(f"{data}/blobs/uploads/*"):
        age = time.time() - 2 * 86400
        os.utime(path, (age, age))
    assert rows(data, "PRAGMA integrity_check") == [("ok",)]
    return known


def run(binary, library, parent, number, kind):
    """Whether the call was reached."""
    folder = os.path.join(parent, f"{kind}-{number}")
    os.makedirs(os.path.join(folder, "data"))
    os.environ["HARM"] = str(number)
    faults = {
        "LD_PRELOAD": library, "FAULT_FOLDER": os.path.join(folder, "data"), "FAULT_AT": str(number), "FAULT_KIND": kind,
        "FAULT_LOG": os.path.join(folder, "calls")}
    state = {}
    server = Server(binary, folder, faults)
    first = Run(server, state)
    first.all()
    if server.process.poll() is None and server.port:
        try:
            first.check("with the fault behind it")
        except AssertionError:
            # The last calls come behind the answers (a collection, the log of the database): the kill may strike while this looks.
            try:
                server.process.wait(2)
            except subprocess.TimeoutExpired:
                pass
            if server.process.poll() is None:
                raise
    server.kill()
    reached = harmed(folder)
    os.environ["HARM"] = "none"
    server = Server(binary, folder)
    try:
        assert server.port, "no start after it"
        again = Run(server, state)
        again.check("after a restart")
        again.all()
        assert not again.failed, f"again: {again.failed}"
        again.check("after all of it again")
        end_holds(server.data)
        gc = server.gc()
        assert gc.returncode == 0, gc.stderr
        again.check("after gc")
        expect_tidy(server.data)
        assert server.stop() == 0, "no clean stop"
    except BaseException:
        server.process.kill()
        print(f"{kind} of call {reached or number}", flush=True)
        raise
    shutil.rmtree(folder)
    return reached


def main():
    binary, library, parent, stride, first = sys.argv[1:4] + [int(word) for word in sys.argv[4:6]]
    for kind in sys.argv[6:]:
        number, harm = first, True
        while harm:
            harm = run(binary, library, parent, number, kind)
            number += stride
        print(f"{kind}: up to call {number - stride}, by {stride}", flush=True)
        assert number - stride > 60, "hardly a call was seen: is the library loaded?"


main()
