"""Pulling through: content that nobody has asked for yet, and the same again. Beside it nginx's proxy_cache, which verifies nothing,
docker-registry as a pull-through cache, and the upstream itself."""
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time

import work
from servers import DockerRegistry, Entrepot, Nginx

IMAGE = "library/bench"
OBJECTS = 2048
OBJECT = 64 << 10
AT_ONCE = 64


class Upstream(Nginx):
    """Static files under the paths of a registry: the quickest upstream there is."""

    name = "direct"

    def __init__(self, folder):
        super().__init__(folder)
        self.files = f"{self.folder}/files"
        os.makedirs(f"{self.files}/v2/{IMAGE}/blobs")
        with open(f"{self.files}/v2/index.html", "w") as file:
            file.write("{}")

    def locations(self):
        return f"root {self.folder}/files; default_type application/octet-stream;"

    def path(self, digest):
        return f"{self.files}/v2/{IMAGE}/blobs/{digest}"

    def pull_url(self, digest):
        return self.url(f"/v2/{IMAGE}/blobs/{digest}")


class Cached(Nginx):
    name = "nginx proxy_cache"

    def __init__(self, folder, upstream):
        super().__init__(folder)
        self.upstream = upstream

    def globals(self):
        return f"proxy_cache_path {self.folder}/cache levels=1:2 keys_zone=all:16m max_size=64g inactive=1d use_temp_path=off;"

    def locations(self):
        return (
            f"location / {{ proxy_pass http://127.0.0.1:{self.upstream.port}; proxy_cache all; proxy_cache_valid 200 1d; proxy_cache_lock on; "
            "proxy_http_version 1.1; proxy_set_header Connection ''; }"
        )

    def pull_url(self, digest):
        return self.url(f"/v2/{IMAGE}/blobs/{digest}")


class RegistryCache(DockerRegistry):
    name = "docker-registry"

    def __init__(self, folder, upstream):
        super().__init__(folder)
        self.upstream = upstream

    def more(self):
        return f"proxy: {{remoteurl: 'http://127.0.0.1:{self.upstream.port}'}}\n"

    def pull_url(self, digest):
        return self.url(f"/v2/{IMAGE}/blobs/{digest}")


class Through(Entrepot):
    def __init__(self, binary, folder, upstream):
        super().__init__(binary, folder)
        self.upstream = upstream

    def start(self):
        with open(self.configuration, "w") as file:
            file.write(
                "configVersion: 1\nsecurity: { openAccess: true }\nrepositories:\n"
                f"  hub: {{ format: docker, type: proxy, remote: 'http://127.0.0.1:{self.upstream.port}', limits: {{ connections: 64 }} }}\n"
            )
        return super().start()

    def pull_url(self, digest):
        return self.url(f"/v2/hub/{IMAGE}/blobs/{digest}")


def curl(url):
    line = ["curl", "--silent", "--show-error", "--fail", "--output", "/dev/null", "--write-out", "%{size_download} %{time_starttransfer}", url]
    answer = subprocess.run(line, capture_output=True, text=True, timeout=600)
    if answer.returncode:
        sys.exit(f"curl: {answer.stderr}")
    size, first = answer.stdout.split()
    return int(size), float(first)


def big(server, layer):
    first = []

    def action():
        size, seconds = curl(server.pull_url(layer.digest))
        if size != layer.size:
            sys.exit(f"{server.name}: {size} bytes of {layer.size}")
        first.append(seconds * 1000)

    return work.timed(server, layer.size, action) | {"first": first[0]}


def small(server, digests):
    """`AT_ONCE` at a time, over connections that are used again."""
    with tempfile.NamedTemporaryFile("w", suffix=".curl") as file:
        for digest in digests:
            file.write(f'url = "{server.pull_url(digest)}"\noutput = "/dev/null"\n')
        file.flush()
        line = ["curl", "--silent", "--show-error", "--fail", "--parallel", "--parallel-immediate", "--parallel-max", str(AT_ONCE), "--config", file.name]
        server.reset_peak()
        cpu, began = server.cpu(), time.monotonic()
        answer = subprocess.run(line, capture_output=True, text=True, timeout=600)
        seconds = time.monotonic() - began
        if answer.returncode:
            sys.exit(f"{server.name}: {answer.stderr[:1000]}")
    return {"rate": len(digests) / seconds, "cpu": (server.cpu() - cpu) * 1000 / len(digests), "peak": server.memory("VmHWM")}


def measure(binary, folder, rounds, mebibytes):
    """Gives three results as `work.interleaved` does: a big layer cold, the same warm, small objects cold."""
    folder = os.path.join(folder, "cold")
    os.makedirs(folder)
    os.chmod(folder, 0o755)
    upstream = Upstream(folder)
    upstream.start()
    servers = [Through(binary, folder, upstream), Cached(folder, upstream), RegistryCache(folder, upstream), upstream]
    try:
        for server in servers[:-1]:
            server.start()
        print(f"cold and warm pull of {mebibytes} MiB", file=sys.stderr)
        layers = []
        for number in range(rounds):
            layer = work.random_file(os.path.join(folder, "fresh"), mebibytes, seed=500 + number)
            os.rename(layer.path, upstream.path(layer.digest))
            layers.append(layer)
        os.sync()
        cold = work.interleaved(servers, rounds, lambda server, number: big(server, layers[number]))
        warm = work.interleaved(servers, rounds, lambda server, number: big(server, layers[number]))
        print(f"{OBJECTS} objects of {OBJECT >> 10} KiB, {AT_ONCE} at once", file=sys.stderr)
        sets = [objects(upstream, number) for number in range(rounds)]
        os.sync()
        few = work.interleaved(servers, rounds, lambda server, number: small(server, sets[number]))
    finally:
        for server in servers:
            server.stop()
    shutil.rmtree(folder)
    return cold, warm, few


def objects(upstream, number):
    source = random.Random(900 + number)
    return [work.small_file(source.randbytes(OBJECT), upstream.path) for _ in range(OBJECTS)]
