#!/usr/bin/env python3
"""An upstream that misbehaves over real sockets, as `bad_scenarios.py` says: what reaches it, what the client gets, and what is kept.

    bad_upstream.py BINARY FOLDER

Prints one text without ports, times or places; the test compares it with the golden file. Every scenario has a repository of its own.
"""
import http.client
import json
import multiprocessing.pool
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

from bad_scenarios import CALM, SCENARIOS, Request, scenario_of
from pull_through import await_port, free_port


class Upstream:
    """Answers the n-th request of a scenario with its n-th reaction; after the last one it hangs up on everybody."""

    def __init__(self, host="127.0.0.1"):
        self.listener = socket.create_server((host, 0), backlog=128)
        self.port = self.listener.getsockname()[1]
        self.asked = {name: [] for name in SCENARIOS}
        self.is_gone = set()
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.listener.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        connection.settimeout(30)
        try:
            with connection:
                rest = b""
                while self.answer(connection, *self.read(connection, rest)):
                    rest = b""
        except (OSError, EOFError):
            pass

    @staticmethod
    def read(connection, data):
        while b"\r\n\r\n" not in data:
            more = connection.recv(65536)
            if not more:
                raise EOFError
            data += more
        lines = data.split(b"\r\n\r\n")[0].decode().split("\r\n")
        method, path, _ = lines[0].split(" ")
        fields = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines[1:])}
        return method, path, fields

    def answer(self, connection, method, path, fields):
        """Whether the connection goes on."""
        name = scenario_of(path)
        scenario = SCENARIOS.get(name)
        if scenario is None:
            connection.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
            return True
        with self.lock:
            number = len(self.asked[name])
            if name in self.is_gone:
                return False
            self.asked[name].append(self.shown(method, path, fields))
        # What comes more often than is foreseen shows in the list of requests.
        reaction = scenario.reactions[min(number, len(scenario.reactions) - 1)]
        request = Request(method, path, fields, self.port, scenario.body)
        for step in reaction(request):
            if step == "hang":
                connection.recv(1)  # until the other side goes
                return False
            if step == "close":
                return False
            if step == "reset":
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return False
            if step == "wait":
                time.sleep(0.3)
                continue
            connection.sendall(step)
        return True

    @staticmethod
    def shown(method, path, fields):
        what = {"range": "Range", "if-range": "If-Range", "if-none-match": "If-None-Match", "if-modified-since": "If-Modified-Since"}
        said = [f"{shown}: {fields[name]}" for name, shown in what.items() if name in fields]
        if "authorization" in fields:
            said.append("Authorization: " + fields["authorization"].split(" ")[0] + (" (new)" if "new" in fields["authorization"] else ""))
        return f"{method} {re.sub('%2F', '/', path.replace('/' + scenario_of(path), '', 1))}" + (f" [{', '.join(said)}]" if said else "")


def paused(line):
    """Whether one that was in trouble is asked again already depends on the time: which of both it was is not told."""
    return re.sub(r"^503, Retry-After: \d+ — (.*) is left alone for now, .*$", r"502 — \1 closed the connection too early", line)


def fetch(port, scenario, name):
    """Status, headers that matter, and how the body came, in a line."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request(scenario.method, scenario.path(name), headers=scenario.headers)
        answer = connection.getresponse()
        try:
            data, cut = answer.read(), False
        except (http.client.HTTPException, OSError) as error:
            data, cut = getattr(error, "partial", b""), True
    except (http.client.HTTPException, OSError) as error:
        return f"no answer ({type(error).__name__})"
    finally:
        connection.close()
    shown = [str(answer.status)] + [f"{field}: {answer.headers[field]}" for field in ("X-Cache", "Retry-After") if field in answer.headers]
    if scenario.shows:
        shown += [f"{field}: {answer.headers[field]}" for field in scenario.shows if field in answer.headers]
    return ", ".join(shown) + " — " + body(scenario, answer, data, cut)


def body(scenario, answer, data, cut):
    wanted = scenario.body
    if answer.status >= 400:
        text = data.decode(errors="replace")
        try:
            error = json.loads(text)["errors"][0]
            text = f"{error['code']}: {error['message']}"
        except (ValueError, KeyError, IndexError):
            pass
        return text.strip()
    if cut:
        return "cut short" if wanted.startswith(data) and len(data) < len(wanted) else f"CUT, AND WRONG: {len(data)} bytes"
    if scenario.method == "HEAD":
        return f"{answer.headers['Content-Length']} bytes announced"
    if answer.status == 206:
        first, last = re.fullmatch(rf"bytes (\d+)-(\d+)/{len(wanted)}", answer.headers["Content-Range"]).groups()
        return f"bytes {first} to {last}" if data == wanted[int(first):int(last) + 1] else f"OTHER BYTES for {first} to {last}"
    return "whole" if data == wanted else f"OTHER BYTES: {len(data)} of {len(wanted)}, {data[:60]!r}"


def uploads(folder):
    return sum(len(files) for _, _, files in os.walk(f"{folder}/data/blobs/uploads"))


def run(name, port, upstream):
    scenario = SCENARIOS[name]
    lines = [f"## {name}: {scenario.title}"]
    first = fetch(port, scenario, name)
    with upstream.lock:
        asked = list(upstream.asked[name])
    if " — whole" in first or scenario.is_ranged:
        await_kept(port, scenario, name)
    with upstream.lock:
        upstream.is_gone.add(name)
    lines += [f"asked   {line}" for line in asked] + [f"client  {first}", f"without {paused(fetch(port, scenario, name))}"]
    return "\n".join(lines)


def await_kept(port, scenario, name):
    """A client has its bytes before they are committed. HEAD of what is kept is a HIT; what is never kept is given up on."""
    for _ in range(100 if scenario.is_kept else 0):
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.request("HEAD", scenario.path(name), headers=scenario.headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.headers["X-Cache"] == "HIT":
            return
        time.sleep(0.05)


def configuration(upstream):
    lines = ["security: { openAccess: true }", "repositories:"]
    for name, scenario in SCENARIOS.items():
        more = "".join(f", {text}" for text in scenario.settings)
        lines.append(
            f"  {name}: {{ format: {scenario.format}, type: proxy, remote: 'http://127.0.0.1:{upstream.port}/{name}'{more}, "
            "limits: { idleTimeout: 1s, connectTimeout: 2s }, cache: { negativeMaxAge: 0s } }")
    return "\n".join(lines + ["outbound: { allowPrivate: [127.0.0.0/8] }\n"])


def main(binary, folder):
    upstream, port = Upstream(), free_port()
    with open(f"{folder}/entrepot.yaml", "w") as file:
        file.write(configuration(upstream))
    with open(f"{folder}/log", "w") as log:
        server = subprocess.Popen(
            [binary, "serve", "--config", f"{folder}/entrepot.yaml", "--data", f"{folder}/data", "--listen", f"127.0.0.1:{port}"],
            stdout=log, stderr=log)
    try:
        await_port(port, server)
        with multiprocessing.pool.ThreadPool(12) as pool:
            texts = pool.map(lambda name: run(name, port, upstream), list(SCENARIOS), 1)
        for _ in range(100):
            if uploads(folder) == 0:
                break
            time.sleep(0.05)
        texts.append(f"## afterwards\nthe server runs: {server.poll() is None}; files of unfinished downloads: {uploads(folder)}")
        with open(f"{folder}/log") as log:
            text = log.read()
        texts.append("secrets in the log: " + (", ".join(secret for secret in CALM if secret in text) or "none"))
    finally:
        server.send_signal(signal.SIGTERM)
        server.wait(30)
    text = re.sub(r"(127\.0\.0\.1|localhost):\d+", r"\1:PORT", "\n\n".join(texts))
    print(re.sub(r"sha256:[0-9a-f]{64}", "sha256:…", text))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
