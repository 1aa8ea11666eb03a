#!/usr/bin/env python3
"""What clients get of an upstream in trouble: for each trouble, of what is kept and what is not, of tags, digests, files, and Maven's jars and metadata.

    trouble_table.py BINARY FOLDER

Prints one table without ports and times, which the test compares with the golden file; the slowest answer about what is kept goes to standard
error. Every line has a repository, and so an upstream, of its own.
"""
import hashlib
import http.client
import json
import multiprocessing.pool
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time

from pull_through import await_port, free_port

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
LAYER = b"layer"
TROUBLES = {
    "stopped": None,
    "hanging": None,
    "429": (429, {}),
    "429 with a delay": (429, {"Retry-After": "30"}),
    "401": (401, {}),
    "403": (403, {}),
    "500": (500, {}),
    "503 with a delay": (503, {"Retry-After": "30"}),
    "garbage": None,
    "a web page": (200, {"Content-Type": "text/html"}),
    "gone": (404, {}),
}
KINDS = ["tag", "digest", "file", "jar", "metadata"]
FORMATS = {"file": "raw", "jar": "maven2", "metadata": "maven2"}
METADATA = b"<metadata><groupId>a</groupId><artifactId>b</artifactId><versioning><versions><version>1.0</version></versions></versioning></metadata>"


def digest_of(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def manifest():
    layer = {"mediaType": "application/vnd.oci.image.layer.v1.tar", "digest": digest_of(LAYER), "size": len(LAYER)}
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest_of(b"{}"), "size": 2}
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}).encode()


DATA = manifest()


class Upstream:
    """Well until it is told its trouble; of each repository by the first segment of its paths."""

    def __init__(self):
        self.trouble = {}
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return  # stopped
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.settimeout(60)
        try:
            with connection:
                while self.answer(connection):
                    pass
        except (OSError, EOFError):
            pass

    def answer(self, connection):
        data = b""
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                return False
            data += more
        method, path, _ = data.split(b"\r\n")[0].decode().split(" ")
        name = re.sub("^/v2", "", path).split("/")[1]
        trouble = self.trouble.get(name)
        if trouble is None and b'if-none-match: "1"' in data.lower():
            return self.send(connection, method, 304, {"ETag": '"1"'}, b"")
        if trouble is None:
            return self.send(connection, method, 200, *self.good(path))
        if trouble == "hanging":
            connection.recv(1)  # until the other side goes
            return False
        if trouble == "garbage":
            connection.sendall(b"\x01\x02 no words of this protocol\r\n\r\n")
            return False
        status, headers = TROUBLES[trouble]
        return self.send(connection, method, status, headers, b"<html>sign in</html>" if status == 200 else b"")

    @staticmethod
    def good(path):
        if "/manifests/" in path:
            return {"Content-Type": MANIFEST, "Docker-Content-Digest": digest_of(DATA)}, DATA
        body = METADATA if "maven-metadata.xml" in path else LAYER
        if path.endswith(".sha1"):
            return {"Content-Type": "text/plain"}, hashlib.sha1(body).hexdigest().encode()
        return {"Content-Type": "application/octet-stream", "ETag": '"1"'}, body

    @staticmethod
    def send(connection, method, status, headers, body):
        fields = headers if status == 304 else {**headers, "Content-Length": str(len(body))}
        head = f"HTTP/1.1 {status} X\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items()) + "\r\n"
        connection.sendall(head.encode() + (b"" if method == "HEAD" else body))
        return True


class Line:
    """One trouble, one kind, kept or not: its repository and what is asked of it."""

    def __init__(self, number, trouble, kind, is_kept):
        self.name = f"r{number}"
        self.trouble, self.kind, self.is_kept = trouble, kind, is_kept
        # One that can be stopped is somebody else.
        self.upstream = Upstream() if trouble == "stopped" else None
        self.slowest = 0

    @property
    def path(self):
        image = f"/v2/{self.name}/app/manifests/"
        folder = f"/repository/{self.name}/"
        files = {"file": folder + "f", "jar": folder + "a/b/1.0/b-1.0.jar", "metadata": folder + "a/b/maven-metadata.xml"}
        return {"tag": image + "1", "digest": image + digest_of(DATA), **files}[self.kind]

    def ask(self, port):
        began = time.monotonic()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("GET", self.path, headers={"Accept": MANIFEST})
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        if self.is_kept:
            self.slowest = max(self.slowest, time.monotonic() - began)
        return answer, body

    def warm(self, port):
        """Until it is kept: the answer comes before that."""
        for _ in range(200):
            answer, body = self.ask(port)
            assert answer.status == 200, (self.name, answer.status, body)
            if answer.headers["X-Cache"] in ("HIT", "REVALIDATED"):
                break
            time.sleep(0.05)
        else:
            raise AssertionError(f"{self.name} is never kept: {answer.headers['X-Cache']}")
        self.slowest = 0

    def begin(self, shared):
        if self.upstream is None:
            shared.trouble[self.name] = self.trouble
            return
        # A listener that is closed while its thread waits still takes one more.
        self.upstream.listener.shutdown(socket.SHUT_RDWR)
        self.upstream.listener.close()
        self.upstream.trouble[self.name] = "garbage"

    def shown(self, port):
        answer, body = self.ask(port)
        said = [str(answer.status)] + [f"{field}: {answer.headers[field]}" for field in ("X-Cache",) if answer.headers[field]]
        if answer.headers["Retry-After"]:
            said.append("Retry-After")
        said.append("right" if body in (DATA, LAYER) or answer.status == 200 and b"<version>1.0</version>" in body else word(body))
        return ", ".join(said)


def word(body):
    try:
        return json.loads(body)["errors"][0]["code"]
    except (ValueError, KeyError, IndexError, TypeError):
        return "told in text" if body else "nothing"


def breakers(port):
    """By repository."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    states = {}
    for labels, value in re.findall(r"^entrepot_upstream_breaker_state\{([^}]*)\} (\S+)$", text, re.M):
        name = re.search(r'repository="([^"]*)"', labels).group(1)
        states[name] = {0: "closed", 1: "half-open", 2: "open"}[int(float(value))]
    return states


def configuration(lines, shared, folder):
    text = "server: { listen: 127.0.0.1:%d }\nsecurity: { openAccess: true }\nrepositories:\n" % free_port()
    for line in lines:
        port = (line.upstream or shared).port
        text += (
            f"  {line.name}:\n    format: {FORMATS.get(line.kind, 'docker')}\n    type: proxy\n"
            f"    remote: http://127.0.0.1:{port}/{line.name}\n    cache: {{ maxAge: 0s }}\n    limits: {{ idleTimeout: 4s }}\n"
        )
    place = os.path.join(folder, "entrepot.yaml")
    with open(place, "w", encoding="utf-8") as file:
        file.write(text)
    return place, int(re.search(r"127\.0\.0\.1:(\d+) }", text).group(1))


def main():
    binary, folder = sys.argv[1:3]
    shared = Upstream()
    cells = [(trouble, kind, kept) for trouble in TROUBLES for kind in KINDS for kept in (True, False)]
    lines = [Line(number, *cell) for number, cell in enumerate(cells)]
    place, port = configuration(lines, shared, folder)
    log = open(os.path.join(folder, "server.log"), "wb")
    server = subprocess.Popen([binary, "serve", "--config", place, "--data", os.path.join(folder, "data")], stdout=log, stderr=log)
    try:
        await_port(port, server)
        pool = multiprocessing.pool.ThreadPool(16)
        pool.map(lambda line: line.warm(port), [line for line in lines if line.is_kept])
        for line in lines:
            line.begin(shared)
        first = pool.map(lambda line: line.shown(port), lines, 1)
        before = breakers(port)
        pool.map(lambda line: [line.ask(port) for _ in range(6)], lines, 1)
        after = breakers(port)
        for line, said in zip(lines, first):
            state = f"breaker {before.get(line.name, '?')}, after six more {after.get(line.name, '?')}"
            print(f"{line.trouble:16} | {line.kind:8} | {'kept' if line.is_kept else 'not kept':8} | {said} | {state}")
        print(f"slowest answer about what is kept: {max(line.slowest for line in lines):.2f} s", file=sys.stderr)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(40)


main()
