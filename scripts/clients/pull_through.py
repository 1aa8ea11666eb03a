#!/usr/bin/env python3
"""Pulls through a proxy from Debian's docker-registry, which this script starts, throttles and stops.

    pull_through.py BINARY FOLDER

Many clients of one cold layer cause one request upstream and get its bytes whole; the manifest, its tag and the layers are kept; with the
upstream stopped all of it still pulls, and a tag beyond its age is served stale; what is not kept is 502, and never 404.
"""
import http.client
import http.server
import json
import os
import random
import re
import signal
import socket
import subprocess
import sys
import threading
import time

from registry import Registry, digest

IMAGE = "library/app"
CLIENTS = 50


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def await_port(port, process):
    for _ in range(600):
        if process.poll() is not None:
            sys.exit("a server ended at once")
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    sys.exit("a server did not come up")


class Throttle(http.server.BaseHTTPRequestHandler):
    """Between the proxy and its upstream: counts, and lets bodies through slowly, so that clients meet while bytes arrive."""
    protocol_version = "HTTP/1.1"
    upstream = 0
    asked = []

    def do_GET(self):
        Throttle.asked.append(f"{self.command} {self.path}")
        connection = http.client.HTTPConnection("127.0.0.1", Throttle.upstream, timeout=30)
        try:
            headers = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection")}
            connection.request(self.command, self.path, headers=headers)
            response = connection.getresponse()
        except OSError:
            self.close_connection = True
            return
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        self.end_headers()
        while chunk := response.read(1 << 18):
            self.wfile.write(chunk)
            if "/blobs/" in self.path:
                time.sleep(0.01)
        connection.close()

    do_HEAD = do_GET

    def log_message(self, *arguments):
        pass


def pull(port, path):
    registry = Registry(port)
    status, headers, data = registry.request("GET", path)
    registry.close()
    return status, headers, data


def expect(condition, words):
    if not condition:
        sys.exit(words)


def main(binary, folder):
    registry_port, throttle_port, port = free_port(), free_port(), free_port()
    with open(f"{folder}/registry.yml", "w") as file:
        file.write(f"version: 0.1\nstorage: {{ filesystem: {{ rootdirectory: {folder}/registry }} }}\nhttp: {{ addr: 127.0.0.1:{registry_port} }}\n")
    with open(f"{folder}/proxy.yaml", "w") as file:
        file.write(
            f"security: {{ openAccess: true }}\nrepositories:\n  hub: {{ format: docker, type: proxy, remote: 'http://127.0.0.1:{throttle_port}', officialPrefix: library, cache: {{ maxAge: 0s }} }}\n"
            f"  edge: {{ format: docker, type: proxy, remote: 'http://127.0.0.1:{port}/hub' }}\n")
    children = []
    try:
        children.append(subprocess.Popen(["docker-registry", "serve", f"{folder}/registry.yml"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        await_port(registry_port, children[0])
        Throttle.upstream = registry_port
        throttle = http.server.ThreadingHTTPServer(("127.0.0.1", throttle_port), Throttle)
        threading.Thread(target=throttle.serve_forever, daemon=True).start()
        log = open(f"{folder}/proxy.log", "w")
        children.append(subprocess.Popen(
            [binary, "serve", "--config", f"{folder}/proxy.yaml", "--data", f"{folder}/data", "--listen", f"127.0.0.1:{port}"], stdout=log, stderr=log))
        await_port(port, children[1])
        scenario(port, registry_port, children, binary, folder)
    finally:
        for child in children:
            if child.poll() is None:
                child.send_signal(signal.SIGTERM)
                child.wait(30)


def scenario(port, registry_port, children, binary, folder):
    source = Registry(registry_port)
    layer, config = random.Random(4).randbytes(8_000_000), b"{}"
    parts = [(source.push_blob(IMAGE, data), len(data)) for data in (config, layer)]
    manifest = source.image_manifest(parts[0], parts[1:])
    source.push_manifest(IMAGE, "1", manifest)
    blob = f"/v2/hub/{IMAGE}/blobs/{digest(layer)}"

    status, headers, data = pull(port, "/v2/hub/app/manifests/1")
    expect((status, data, headers["X-Cache"]) == (200, manifest, "MISS"), f"the manifest: {status} {headers['X-Cache']} {data[:200]}")

    answers = []

    def client():
        try:
            answers.append(pull(port, blob))
        except (OSError, http.client.HTTPException) as error:
            answers.append((repr(error), {}, b""))

    threads = [threading.Thread(target=client, daemon=True) for _ in range(CLIENTS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    bad = [f"{status} {len(data)} {data[:200] if status != 200 else b''}" for status, _, data in answers if (status, data) != (200, layer)]
    expect(len(answers) == CLIENTS and not bad, f"{len(answers)} answers; of them not whole: {bad}")
    asked = [line for line in Throttle.asked if digest(layer) in line]
    expect(asked == [f"GET /v2/{IMAGE}/blobs/{digest(layer)}"], f"{CLIENTS} clients caused {asked}")

    # Through a second level: the path of the remote is put before the name.
    status, headers, data = pull(port, "/v2/edge/library/app/manifests/1")
    expect((status, data) == (200, manifest), f"the chained manifest: {status} {data[:200]}")
    said = subprocess.run(
        [binary, "repo", "warm", "hub", "app:1", "--json", "--config", f"{folder}/proxy.yaml", "--data", f"{folder}/data"],
        capture_output=True, text=True, timeout=60)
    expect(said.returncode == 0 and json.loads(said.stdout)["files"] == 2, f"repo warm: {said.returncode} {said.stdout} {said.stderr}")

    children[0].send_signal(signal.SIGTERM)
    children[0].wait(30)
    for path, wanted, cache in ((blob, layer, "HIT"), ("/v2/hub/app/manifests/1", manifest, "STALE"), (f"/v2/hub/app/manifests/{digest(manifest)}", manifest, "HIT")):
        status, headers, data = pull(port, path)
        expect((status, data, headers["X-Cache"]) == (200, wanted, cache), f"without its upstream {path}: {status} {headers['X-Cache']}")
    status, _, data = pull(port, "/v2/hub/app/manifests/2")
    expect(status in (502, 503, 504) and json.loads(data)["errors"], f"what is not kept: {status} {data[:200]}")
    status, _, data = pull(port, "/v2/hub/app/tags/list")
    expect(status == 200 and json.loads(data)["tags"] == ["1"], f"the kept tags: {status} {data[:200]}")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
