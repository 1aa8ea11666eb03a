#!/usr/bin/env python3
"""Many clients of one cold layer, and many cold ranges of another, behind an upstream that lets through 20 MiB a second.

    cold_crowd.py BINARY FOLDER [CLIENTS] [MEBIBYTES]

Prints what was measured. Fails where more than one GET reached the upstream, a client lacks a byte, or memory rose above 200 MB; with 200
clients, for which the machine should be quiet, also where more than one first byte in a hundred was written later than 50 ms after its
arrival, by the server's own clock.
"""
import hashlib
import http.client
import http.server
import random
import re
import signal
import subprocess
import sys
import threading
import time

from pull_through import await_port, expect, free_port

RATE = 20 << 20
MIB = 1 << 20


class Blob:
    """Bytes that follow from their place: a mebibyte over and over, its number in front."""

    def __init__(self, seed, mebibytes):
        self.block = random.Random(seed).randbytes(MIB)
        self.mebibytes = mebibytes
        self.size = mebibytes * MIB
        hashed = hashlib.sha256()
        for number in range(mebibytes):
            hashed.update(self.piece(number))
        self.digest = "sha256:" + hashed.hexdigest()

    def piece(self, number):
        return number.to_bytes(8, "big") + self.block[8:]

    def bytes(self, start, end):
        out = b"".join(self.piece(number) for number in range(start // MIB, (end - 1) // MIB + 1))
        return out[start % MIB : start % MIB + end - start]


class Pace:
    """One bucket for all of the upstream's answers."""

    def __init__(self):
        self.lock = threading.Lock()
        self.free_at = 0.0

    def take(self, count):
        with self.lock:
            now = time.monotonic()
            self.free_at = max(self.free_at, now) + count / RATE
            wait = self.free_at - now
        time.sleep(max(0.0, wait))


class Upstream(http.server.BaseHTTPRequestHandler):
    """A registry of two blobs; knows HEAD, GET and one range."""
    protocol_version = "HTTP/1.1"
    blobs = {}
    asked = []
    pace = Pace()
    lock = threading.Lock()

    def do_GET(self):
        blob = Upstream.blobs.get(self.path.rsplit("/", 1)[1])
        if blob is None:
            self.send_response(404)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        start, end = 0, blob.size
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if part:
            start, end = int(part[1]), min(int(part[2]) + 1 if part[2] else blob.size, blob.size)
        with Upstream.lock:
            Upstream.asked.append((self.command, blob.digest, start, end))
        self.send_response(206 if part else 200)
        if part:
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{blob.size}")
        self.send_header("Content-Length", str(end - start))
        self.send_header("ETag", f'"{blob.digest}"')
        self.send_header("Docker-Content-Digest", blob.digest)
        self.send_header("Content-Type", "application/octet-stream")
        self.end_headers()
        if self.command == "HEAD":
            return
        try:
            while start < end:
                data = blob.bytes(start, min(start + (256 << 10), end))
                Upstream.pace.take(len(data))
                self.wfile.write(data)
                start += len(data)
        except OSError:
            self.close_connection = True

    do_HEAD = do_GET

    def log_message(self, *arguments):
        pass


def gets(blob):
    return [(start, end) for command, digest, start, end in Upstream.asked if command == "GET" and digest == blob.digest]


def crowd(port, server, blob, clients):
    url = f"http://127.0.0.1:{port}/v2/hub/app/blobs/{blob.digest}"
    line = ["curl", "--silent", "--fail", "--output", "/dev/null", "--write-out", "%{size_download}", url]
    began = time.monotonic()
    children = [subprocess.Popen(line, stdout=subprocess.PIPE) for _ in range(clients)]
    verifier = subprocess.Popen(["curl", "--silent", "--fail", url], stdout=subprocess.PIPE)
    hashed = hashlib.sha256()
    received = 0
    killed = False
    while data := verifier.stdout.read(MIB):
        hashed.update(data)
        received += len(data)
        # The one who came first goes in the midst of it.
        if not killed and received > blob.size // 4:
            children[0].kill()
            killed = True
    verifier.wait(60)
    sizes = [child.communicate(timeout=120)[0] for child in children[1:]]
    seconds = time.monotonic() - began
    children[0].communicate()
    expect(children[0].returncode == -signal.SIGKILL, "the first client had ended before it was killed")
    expect(verifier.returncode == 0 and "sha256:" + hashed.hexdigest() == blob.digest, "the verifying client got other bytes")
    expect(all(size == str(blob.size).encode() for size in sizes), f"not every client got all: {sorted(set(sizes))}")
    expect(gets(blob) == [(0, blob.size)], f"reached the upstream: {gets(blob)}")
    peak = memory(server.pid)
    late, total, buckets = first_bytes(port)
    print(f"{clients} clients of a cold layer of {blob.size // MIB} MiB at {RATE // MIB} MiB/s: 1 GET upstream, {seconds:.1f} s, peak {peak} MB")
    print(f"first byte after its arrival, cumulative: {buckets}")
    expect(total >= clients, f"{total} first bytes were timed")
    expect(clients < 200 or late * 100 <= total, f"{late} of {total} first bytes came later than 50 ms")
    expect(peak < 200, f"memory rose to {peak} MB")


def memory(pid):
    with open(f"/proc/{pid}/status") as status:
        return int(re.search(r"VmHWM:\s+(\d+)", status.read())[1]) * 1024 // 1_000_000


def first_bytes(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    buckets = {bound: int(count) for bound, count in re.findall(r'entrepot_fill_first_byte_seconds_bucket\{le="([^"]+)"\} (\d+)', text)}
    return buckets["+Inf"] - buckets["0.05"], buckets["+Inf"], buckets


def ranges(port, blob, wanted):
    """Each range of another mebibyte, all at once; and once more."""
    source = random.Random(7)
    places = [number * MIB + source.randrange(MIB - 65536) for number in source.sample(range(blob.mebibytes), wanted)]
    for turn in ("cold", "again"):
        Upstream.asked.clear()
        began = time.monotonic()
        wrong = []

        def ask(start):
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
            connection.request("GET", f"/v2/hub/app/blobs/{blob.digest}", headers={"Range": f"bytes={start}-{start + 65535}"})
            answer = connection.getresponse()
            data = answer.read()
            if answer.status != 206 or data != blob.bytes(start, start + 65536):
                wrong.append(f"{answer.status}, {len(data)} bytes at {start}")
            connection.close()

        threads = [threading.Thread(target=ask, args=(start,), daemon=True) for start in places]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        expect(not wrong and not any(thread.is_alive() for thread in threads), f"ranges: {wrong or 'some did not end'}")
        asked = gets(blob)
        print(
            f"{wanted} ranges of 64 KiB of {blob.mebibytes} MiB, {turn}: {len(asked)} GETs and {sum(end - start for start, end in asked) / MIB:.1f} MiB from the "
            f"upstream, the largest of {max([end - start for start, end in asked], default=0) / MIB:.2f} MiB, {time.monotonic() - began:.1f} s")
        expect(len(asked) <= wanted + 1 and all(end - start <= MIB for start, end in asked), f"reached the upstream: {asked}")
    expect(not asked, f"what was there was asked for again: {len(asked)}")


def main(binary, folder, clients=50, mebibytes=200):
    upstream_port, port = free_port(), free_port()
    layer, image = Blob(1, mebibytes), Blob(2, 1024)
    Upstream.blobs = {blob.digest: blob for blob in (layer, image)}
    upstream = http.server.ThreadingHTTPServer(("127.0.0.1", upstream_port), Upstream)
    threading.Thread(target=upstream.serve_forever, daemon=True).start()
    with open(f"{folder}/entrepot.yaml", "w") as file:
        file.write(f"security: {{ openAccess: true }}\nrepositories:\n  hub: {{ format: docker, type: proxy, remote: 'http://127.0.0.1:{upstream_port}' }}\n")
    with open(f"{folder}/log", "w") as log:
        server = subprocess.Popen(
            [binary, "serve", "--config", f"{folder}/entrepot.yaml", "--data", f"{folder}/data", "--listen", f"127.0.0.1:{port}"],
            stdout=log, stderr=log)
    try:
        await_port(port, server)
        crowd(port, server, layer, clients)
        ranges(port, image, 64)
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], *map(int, sys.argv[3:]))
