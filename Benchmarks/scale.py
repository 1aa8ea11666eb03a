"""Cost that does not grow: the same questions to a server of a thousand rows and to one of a million, side by side."""
import contextlib
import hashlib
import os
import random
import re
import socket
import statistics
import subprocess
import sys
import time

import rows
from servers import Entrepot, Registry

SAMPLES = 100  # manifests with bytes
PUSHES = 30
PAGE, CATALOG_PAGE = 100, 10
REPEATS = 400  # of each question in each round


class Sized(Entrepot):
    """A server of a shape's rows, in a folder of its own."""

    def __init__(self, binary, folder, shape):
        self.name = shape.name
        super().__init__(binary, folder)
        self.shape = shape
        picks = random.Random(7)
        busy = picks.sample(range(shape.busy_manifests), min(SAMPLES // 2, shape.busy_manifests))
        others = [(image, at) for image in range(shape.images) for at in range(shape.manifests)]
        self.sampled = {(None, at) for at in busy} | set(picks.sample(others, SAMPLES - len(busy)))
        self.files, self.subject = {}, None

    def fill(self):
        """Returns the seconds it took."""
        filler = rows.Filler(self, self.shape, self.sampled)
        began = time.monotonic()
        filler.fill()
        self.files = filler.files
        self.subject = filler.subject
        return time.monotonic() - began

    def run(self, *words):
        """(seconds, output) of a command beside the running server."""
        data = os.path.join(self.folder, "data")
        began = time.monotonic()
        answer = subprocess.run(
            [self.binary, *words, "--config", self.configuration, "--data", data], capture_output=True, text=True, timeout=300)
        seconds = time.monotonic() - began
        if answer.returncode != 0:
            sys.exit(f"entrepot {' '.join(words)}: status {answer.returncode}\n{answer.stdout}{answer.stderr}")
        return seconds, answer.stdout

    def read_database(self):
        """Into the page cache."""
        with open(os.path.join(self.folder, "data/entrepot.sqlite"), "rb") as file:
            while file.read(1 << 22):
                pass


class Connection:
    """One kept connection, with as little of our own time in a request as Python allows."""

    def __init__(self, port):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def close(self):
        self.socket.close()

    def seconds(self, method, path, wanted, body=b"", headers="", accept="*/*"):
        """(seconds, the answer's body) of a request."""
        length = f"Content-Length: {len(body)}\r\n" if body or method in ("POST", "PUT") else ""
        request = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {accept}\r\n{headers}{length}\r\n".encode() + body
        began = time.perf_counter()
        self.socket.sendall(request)
        data = self.socket.recv(1 << 18)
        while b"\r\n\r\n" not in data:
            data += self.more()
        head, content = data.split(b"\r\n\r\n", 1)
        if method != "HEAD":
            content = self.whole(head.lower(), content)
        took = time.perf_counter() - began
        if int(head[9:12]) != wanted:
            sys.exit(f"{method} {path}: {head.decode(errors='replace')}\n{content[:300]!r}")
        return took, content

    def whole(self, head, content):
        found = re.search(rb"\r\ncontent-length: *(\d+)", head)
        if found:
            while len(content) < int(found.group(1)):
                content += self.more()
        elif b"chunked" in head:
            while not content.endswith(b"0\r\n\r\n"):
                content += self.more()
        return content

    def more(self):
        data = self.socket.recv(1 << 18)
        if not data:
            sys.exit("the server closed a kept connection")
        return data


def microseconds(values):
    """p50."""
    return statistics.median(values) * 1e6


def manifest_path(names, reference):
    return f"/v2/docker-local/{names['image']}/manifests/{reference}"


def tagged(server):
    """Addresses by tag of all that has bytes."""
    paths = [manifest_path(names, rows.tag_name(at)) for (_, at), names in server.files.items()]
    random.Random(3).shuffle(paths)
    return paths


def questions(server):
    """Name -> (method, paths). Answers are of one length on both servers."""
    shape, files = server.shape, list(server.files.values())
    busy = f"/v2/docker-local/{rows.BUSY}"
    deep_tag = rows.tag_name(shape.busy_tags - PAGE - 20)
    deep_image = rows.image_name(shape.images - CATALOG_PAGE - 3)
    folder = rows.folder_name(shape.folders // 2)
    return {
        "manifest by one tag, again": ("GET", tagged(server)[:1]),
        "manifest by digest": ("GET", [manifest_path(names, names["manifest"]) for names in files]),
        "HEAD of a layer": ("HEAD", [f"/v2/docker-local/{names['image']}/blobs/{names['layer1']}" for names in files]),
        f"tags, first {PAGE}": ("GET", [f"{busy}/tags/list?n={PAGE}"]),
        f"tags, {PAGE} near the end": ("GET", [f"{busy}/tags/list?n={PAGE}&last={deep_tag}"]),
        f"catalog, first {CATALOG_PAGE}": ("GET", [f"/v2/_catalog?n={CATALOG_PAGE}"]),
        f"catalog, {CATALOG_PAGE} near the end": ("GET", [f"/v2/_catalog?n={CATALOG_PAGE}&last=docker-local/{deep_image}"]),
        f"referrers, {shape.referrers}": ("GET", [f"{busy}/referrers/{server.subject}"]),
        f"raw folder of {shape.files}": ("GET", [f"/repository/files/{folder}/"]),
    }


def ask(connection, method, paths, repeats):
    return microseconds([connection.seconds(method, paths[at % len(paths)], 200)[0] for at in range(repeats)])


def images(server, number):
    """p50 of pushing one more image, of three small layers, to the image with the most tags; then of taking its tag and it away."""
    registry = Registry(server.port)
    path = f"docker-local/{rows.BUSY}"
    connection = Connection(server.port)
    took = {"push of one more image": [], "DELETE of a tag": [], "DELETE of a manifest": []}
    for at in range(PUSHES):
        pieces = [f"pushed {number} {at} {layer} ".encode() * 20 for layer in range(4)]
        began = time.perf_counter()
        blobs = [(registry.push_blob(path, piece), len(piece)) for piece in pieces]
        manifest = registry.image_manifest(blobs[0], blobs[1:])
        registry.push_manifest(path, f"pushed-{number}-{at}", manifest)
        took["push of one more image"].append(time.perf_counter() - began)
        name = hashlib.sha256(manifest).hexdigest()
        for kind, reference in (("a tag", f"pushed-{number}-{at}"), ("a manifest", f"sha256:{name}")):
            took[f"DELETE of {kind}"].append(connection.seconds("DELETE", f"/v2/{path}/manifests/{reference}", 202)[0])
    registry.close()
    connection.close()
    return {name: microseconds(values) for name, values in took.items()}


def commands(server):
    values = {}
    for name, words in {"blobs gc": ["blobs", "gc"], "repo list": ["repo", "list"], "status": ["status"]}.items():
        values[name] = server.run(*words)[0] * 1000
    return values


def drop_caches():
    """Whether the system let us."""
    os.sync()
    with contextlib.suppress(OSError):
        with open("/proc/sys/vm/drop_caches", "w") as file:
            file.write("3")
        return True
    return False


def one_round(server, number):
    values = {}
    if drop_caches():
        values["start, nothing in the page cache"] = server.start() * 1000
        server.stop()
    server.read_database()
    values["start"] = server.start() * 1000
    time.sleep(1)
    values |= {f"{field} after the start": server.memory(field) for field in ("RssAnon", "RssFile")}
    connection = Connection(server.port)
    first = tagged(server)
    connection.seconds("GET", "/v2/", 200)
    values["manifest by tag, each for the first time"] = ask(connection, "GET", first, len(first))
    for name, (method, paths) in questions(server).items():
        values[name] = ask(connection, method, paths, REPEATS)
    connection.close()
    values |= images(server, number)
    values |= commands(server)
    values |= {f"{field} after the load": server.memory(field) for field in ("RssAnon", "RssFile")}
    began = time.monotonic()
    server.stop()
    values["stop"] = (time.monotonic() - began) * 1000
    return values


def checked(pair):
    """Both answer the same questions with as much: else a ratio means nothing."""
    lengths = {}
    for server in pair:
        connection = Connection(server.port)
        for name, (method, paths) in questions(server).items():
            content = connection.seconds(method, paths[0], 200)[1]
            lengths.setdefault(name, []).append(len(content))
        connection.close()
    for name, (small, large) in lengths.items():
        if abs(small - large) > 0.1 * max(small, large):
            sys.exit(f"{name}: {small} bytes beside {large}")


def measure(binary, folder, rounds):
    """Name of the shape -> one dictionary a round, and the shapes' words."""
    pair = [Sized(binary, folder, shape) for shape in (rows.SMALL, rows.LARGE)]
    results = {server.name: [] for server in pair}
    told = []
    try:
        for server in pair:
            print(f"  {server.name}: filled in {server.fill():.0f} s", file=sys.stderr)
            told.append(server.shape.text())
            server.start()
        checked(pair)
        for server in pair:
            server.stop()
        for number in range(rounds):
            for server in pair if number % 2 else pair[::-1]:
                results[server.name].append(one_round(server, number))
                print(f"  {server.name}: " + ", ".join(f"{k} {v:.3g}" for k, v in results[server.name][-1].items()), file=sys.stderr)
    finally:
        for server in pair:
            server.stop()
    return results, told
