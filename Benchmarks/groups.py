"""What a group costs, and what it costs to answer with what is kept while an upstream hangs.

A warm pull of one small image, as docker does it, from a proxy, and from a group in which that proxy is the last of three; and 500 clients at
once who ask for a tag that is due to be asked for again, of an upstream that takes connections and says nothing."""
import os
import signal
import socket
import statistics
import sys
import threading
import time

import work
from cold import IMAGE, Upstream
from scale import Connection
from servers import Entrepot, MANIFEST, Registry

AT_ONCE = 500
PULLS = 400
LAYER = 16 << 10


class Hub(Upstream):
    """One image, with what a registry says of its manifest."""

    name = "hub"
    digest = ""

    def locations(self):
        root = f"root {self.folder}/files;"
        said = f"add_header Docker-Content-Digest {self.digest};" if self.digest else ""
        return f"location ~ /manifests/ {{ {root} default_type {MANIFEST}; {said} }} location / {{ {root} default_type application/octet-stream; }}"

    def put(self):
        os.makedirs(f"{self.files}/v2/{IMAGE}/manifests")
        layers = [(work.small_file(bytes([number]) * LAYER, self.path), LAYER) for number in range(3)]
        config = (work.small_file(b"{}", self.path), 2)
        manifest = Registry(1).image_manifest(config, layers)
        self.digest = work.small_file(manifest, lambda digest: f"{self.files}/v2/{IMAGE}/manifests/{digest}")
        work.small_file(manifest, lambda _: f"{self.files}/v2/{IMAGE}/manifests/1")
        return [digest for digest, _ in [config] + layers]


class Other(Upstream):
    """A registry that does not have it."""

    name = "other"


class Site(Entrepot):
    def __init__(self, binary, folder, upstreams, cache):
        super().__init__(binary, folder)
        proxies = "".join(
            f"  {one.name}: {{ format: docker, type: proxy, remote: 'http://127.0.0.1:{one.port}', cache: {{ {cache} }} }}\n" for one in upstreams)
        with open(self.configuration, "w") as file:
            file.write(
                "configVersion: 1\nsecurity: { openAccess: true }\nrepositories:\n  own: { format: docker, type: hosted }\n" + proxies
                + f"  all: {{ format: docker, type: group, members: [own, {', '.join(one.name for one in upstreams)}] }}\n")


class Slow(Site):
    name = "slow"


def pull(connection, repository, digest, blobs):
    """Seconds of one pull."""
    root = f"/v2/{repository}/{IMAGE}"
    accept = f"Accept: {MANIFEST}\r\n"
    took = connection.seconds("HEAD", f"{root}/manifests/1", 200, headers=accept)[0]
    took += connection.seconds("GET", f"{root}/manifests/{digest}", 200, headers=accept)[0]
    return took + sum(connection.seconds("GET", f"{root}/blobs/{blob}", 200)[0] for blob in blobs)


def warm(server, hub, blobs, rounds):
    """repository -> one dictionary a round, pulls interleaved one by one."""
    results = {"hub": [], "all": []}
    connection = Connection(server.port)
    for repository in results:
        pull(connection, repository, hub.digest, blobs)
    for number in range(rounds):
        times = {"hub": [], "all": []}
        for at in range(PULLS):
            for repository in sorted(times, reverse=at % 2 == 0):
                times[repository].append(pull(connection, repository, hub.digest, blobs))
        for repository, all_times in times.items():
            ordered = sorted(all_times)
            results[repository].append({"p50": statistics.median(all_times) * 1e6, "p99": ordered[len(ordered) * 99 // 100] * 1e6})
        print(f"  round {number}: " + ", ".join(f"{name} {rows[-1]['p50']:.0f} µs" for name, rows in results.items()), file=sys.stderr)
    connection.close()
    return results


def threads(server):
    return len(os.listdir(f"/proc/{server.process.pid}/task"))


def crowd(server, path):
    """Connections first, then all questions, then all answers: (seconds of the slowest, most threads meanwhile)."""
    request = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: {MANIFEST}\r\n\r\n".encode()
    sockets = [socket.create_connection(("127.0.0.1", server.port), timeout=30) for _ in range(AT_ONCE)]
    most, over = [0], threading.Event()

    def watch():
        while not over.wait(0.02):
            most[0] = max(most[0], threads(server))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        began = time.monotonic()
        for one in sockets:
            one.sendall(request)
        stale = 0
        for one in sockets:
            head = one.recv(1 << 16)
            if not head.startswith(b"HTTP/1.1 200"):
                sys.exit(f"with the upstream hanging: {head[:300]!r}")
            stale += b"x-cache: stale" in head.lower()
        seconds = time.monotonic() - began
    finally:
        over.set()
        watcher.join()
        for one in sockets:
            one.close()
    if stale != AT_ONCE:
        sys.exit(f"{stale} of {AT_ONCE} answers were stale")
    return seconds, most[0]


def hanging(server, hub, rounds):
    path = f"/v2/hub/{IMAGE}/manifests/1"
    connection = Connection(server.port)
    results = []
    for _ in range(rounds):
        connection.seconds("GET", path, 200, headers=f"Accept: {MANIFEST}\r\n")
        time.sleep(1.2)  # maxAge is a second
        before, memory = threads(server), server.memory("VmRSS")
        server.reset_peak()
        for pid in hub.pids():
            os.kill(pid, signal.SIGSTOP)
        try:
            seconds, most = crowd(server, path)
        finally:
            for pid in hub.pids():
                os.kill(pid, signal.SIGCONT)
        results.append({"slowest": seconds, "threads": before, "most": most, "memory": server.memory("VmHWM") - memory})
        print("  " + ", ".join(f"{k} {v:.3g}" for k, v in results[-1].items()), file=sys.stderr)
        time.sleep(1)
    connection.close()
    return {"hub": results}


def measure(binary, folder, rounds):
    folder = os.path.join(folder, "groups")
    os.makedirs(folder)
    os.chmod(folder, 0o755)
    hub, other = Hub(folder), Other(folder)
    blobs = hub.put()
    servers = [hub, other]
    try:
        for server in servers:
            server.start()
        site = Site(binary, folder, [other, hub], "maxAge: 1h")
        servers.append(site)
        site.start()
        print("warm pull through a group of three", file=sys.stderr)
        pulls = warm(site, hub, blobs, rounds)
        slow = Slow(binary, folder, [other, hub], "maxAge: 1s")
        servers.append(slow)
        slow.start()
        print(f"{AT_ONCE} at once with the upstream hanging", file=sys.stderr)
        stale = hanging(slow, hub, rounds)
    finally:
        for server in servers:
            server.stop()
    return pulls, stale
