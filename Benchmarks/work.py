"""The work that is measured. Each function gives server name -> list of one dictionary a round."""
import hashlib
import os
import random
import re
import subprocess
import sys
import time
import urllib.parse
from dataclasses import dataclass

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../scripts/clients"))
from registry import MANIFEST, Registry  # noqa: E402

PUSHED = "docker-local/bench/pushed"


@dataclass
class Layer:
    path: str
    digest: str
    size: int


def random_file(path, mebibytes, seed=1):
    """Bytes that do not compress: one MiB, over and over, each with its number in front, so that making them is quick."""
    hashed = hashlib.sha256()
    block = random.Random(seed).randbytes(1 << 20)
    with open(path, "wb") as file:
        for number in range(mebibytes):
            piece = number.to_bytes(8, "big") + seed.to_bytes(8, "big") + block[16:]
            hashed.update(piece)
            file.write(piece)
    return Layer(path, "sha256:" + hashed.hexdigest(), mebibytes << 20)


def small_file(data, path):
    """Puts it where `path` says its digest belongs, and gives the digest."""
    digest = "sha256:" + hashlib.sha256(data).hexdigest()
    with open(path(digest), "wb") as file:
        file.write(data)
    return digest


def interleaved(servers, rounds, measure):
    results = {server.name: [] for server in servers}
    for number in range(rounds):
        turn = servers[number % len(servers) :] + servers[: number % len(servers)]
        for server in turn:
            results[server.name].append(measure(server, number))
            print(f"  {server.name}: " + ", ".join(f"{k} {v:.3g}" for k, v in results[server.name][-1].items()), file=sys.stderr)
    return results


def timed(server, size, action):
    """Rate, CPU a GiB and peak memory of an action that moves `size` bytes."""
    server.reset_peak()
    cpu, began = server.cpu(), time.monotonic()
    action()
    seconds = time.monotonic() - began
    return {"rate": (size >> 20) / seconds, "cpu": (server.cpu() - cpu) / (size / (1 << 30)), "peak": server.memory("VmHWM")}


def checked(children, size):
    for child in children:
        output, _ = child.communicate(timeout=600)
        if child.returncode != 0 or int(output) != size:
            sys.exit(f"curl: status {child.returncode}, {output!r} bytes of {size}")


def pull(servers, layer, clients, rounds):
    print(f"pull of {layer.size >> 20} MiB, {clients} at once", file=sys.stderr)

    def measure(server, _):
        line = ["curl", "--silent", "--show-error", "--fail", "--output", "/dev/null", "--write-out", "%{size_download}", *server.curl, server.blob_url(layer)]
        start = lambda: [subprocess.Popen(line, stdout=subprocess.PIPE) for _ in range(clients)]
        return timed(server, layer.size * clients, lambda: checked(start(), layer.size))

    return interleaved(servers, rounds, measure)


def manifest(servers, seconds, rounds):
    print(f"manifest by tag, wrk -t1 -c32 -d{seconds}s", file=sys.stderr)
    return interleaved(servers, rounds, lambda server, _: wrk(server, server.manifest_url(), [f"Accept: {MANIFEST}"], seconds))


def wrk(server, url, headers, seconds, more=()):
    """Requests a second, p99 in µs and requests a CPU second, over 32 connections."""
    line = ["wrk", "-t1", "-c32", f"-d{seconds}s", "--latency", *more]
    line += [word for header in headers + server.headers for word in ("-H", header)] + [url]
    cpu = server.cpu()
    output = subprocess.run(line, capture_output=True, text=True, timeout=seconds + 60, check=True).stdout
    if "Non-2xx" in output or "Socket errors" in output:
        sys.exit(f"{server.name}: {output}")
    requests = int(re.search(r"(\d+) requests in", output).group(1))
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", output).groups()
    used = server.cpu() - cpu
    return {
        "rate": float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1)),
        "p99": float(number) * {"us": 1, "ms": 1e3, "s": 1e6}[unit],
        "percpu": requests / used if used else 0.0,
    }


def push_once(server, layer, image=PUSHED):
    """POST, PATCH with the file, PUT: docker's way, with curl doing the heavy part."""
    registry = Registry(server.port, timeout=300)
    location = registry.session(image)
    line = [
        "curl", "--silent", "--show-error", "--fail", "--request", "PATCH", "--header", "Content-Type: application/octet-stream",
        "--header", "Expect:", "--upload-file", layer.path, "--output", "/dev/null", "--dump-header", "-", server.url(location),
    ]
    answer = subprocess.run(line, capture_output=True, text=True, timeout=600)
    if answer.returncode != 0:
        sys.exit(f"{server.name}: {answer.stderr}")
    found = re.search(r"(?im)^location:\s*(\S+)", answer.stdout)
    registry.finish(Registry.local(urllib.parse.urljoin(server.url("/"), found.group(1))), layer.digest)
    registry.close()


def push(servers, layer, rounds):
    print(f"push of {layer.size >> 20} MiB", file=sys.stderr)
    path = layer.path + ".push"

    def measure(server, number):
        # New bytes each round: what is there already need not be written.
        fresh = random_file(path, layer.size >> 20, seed=100 + number)
        os.sync()
        return timed(server, fresh.size, lambda: push_once(server, fresh))

    results = interleaved(servers, rounds, measure)
    os.remove(path)
    return results


def start(servers, rounds):
    """Over an empty folder each time: what was pushed before is gone after this."""
    print("start to first answer", file=sys.stderr)

    def measure(server, _):
        server.stop()
        server.empty()
        seconds = server.start()
        time.sleep(1)  # what a start leaves to do in the background counts as idle memory
        return {"milliseconds": seconds * 1000, "memory": server.memory("VmRSS")}

    return interleaved(servers, rounds, measure)
