"""An npm registry that stands in as an upstream: it hangs, is slow, goes away, has its tarballs elsewhere, and knows what it was asked."""
import gzip
import hashlib
import http.server
import json
import socket
import threading
import time
import urllib.parse

ABBREVIATED = "application/vnd.npm.install-v1+json"
# Of a version, what the abbreviated form has.
SHORT = ("name", "version", "dependencies", "bin", "dist", "deprecated")


class Listener(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, request, address):
        """Clients that hang up are part of the tests."""


class Upstream:
    """Serves `packages`. `elsewhere`: tarballs are on another port, at paths that tell nothing."""

    name = "upstream"

    def __init__(self, packages, elsewhere=False):
        self.packages, self.files, self.elsewhere = {}, {}, elsewhere
        self.log, self.connections, self.delay, self.keys, self.spoilt = [], set(), 0, [], set()
        self.lock, self.open = threading.Lock(), threading.Event()
        self.open.set()
        self.hosts = [self.listen(0)] + ([self.listen(0)] if elsewhere else [])
        self.port = self.hosts[0].server_port
        self.url = f"http://127.0.0.1:{self.port}"
        for package in packages:
            self.add(package)

    def add(self, package):
        path = f"/files/{package.shasum}" if self.elsewhere else f"/{package.name}/-/{package.file}"
        package.tarball = f"http://127.0.0.1:{self.hosts[-1].server_port}{path}"
        self.files[path] = package
        self.packages.setdefault(package.name, []).append(package)

    def listen(self, port):
        upstream = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self):
                super().setup()
                self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with upstream.lock:
                    upstream.connections.add(self.connection)

            def log_message(self, *_):
                pass

            def do_GET(self):
                upstream.answer(self)

            do_HEAD = do_POST = do_PUT = do_GET

        listener = Listener(("127.0.0.1", port), Handler)
        threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return listener

    # What happens to it.
    def hang(self):
        """Connections are taken, and nothing is said."""
        self.open.clear()

    def recover(self):
        self.open.set()

    def stop(self):
        """As a machine that goes away: nobody listens, and open connections break."""
        self.open.set()
        for listener in self.hosts:
            listener.shutdown()
            listener.server_close()
        self.hosts = []
        with self.lock:
            for connection in self.connections:
                try:
                    connection.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # closed by the other side already

    def text(self):
        return "\n".join(self.asked())

    # What it was asked.
    def asked(self, word=""):
        """`GET /name 200` or `GET /name 200 abbreviated`, in order, of those that have the word in their path or body."""
        with self.lock:
            return [line for line, text in self.log if word in text]

    def forget(self):
        with self.lock:
            self.log.clear()

    def note(self, handler, status, body):
        path = urllib.parse.unquote(handler.path)
        form = " abbreviated" if ABBREVIATED in handler.headers.get("Accept", "") else ""
        with self.lock:
            self.log.append((f"{handler.command} {path} {status}{form}", path + body.decode(errors="replace")))

    # What it says.
    def answer(self, handler):
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        if handler.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        if not self.open.is_set():
            self.note(handler, "nothing", body)
            self.open.wait()
        time.sleep(self.delay)
        path = urllib.parse.unquote(handler.path.split("?")[0])
        if path in self.files:
            data = self.files[path].data
            if self.files[path].name in self.spoilt:
                data = data[:-9] + bytes([data[-9] ^ 1]) + data[-8:]
            return self.send(handler, 200, data, body, {"Content-Type": "application/octet-stream"})
        if path.startswith("/-/npm/v1/security/"):
            return self.send(handler, 200, b"{}", body)
        if path == "/-/npm/v1/keys" and self.keys:
            return self.send(handler, 200, json.dumps({"keys": self.keys}).encode(), body)
        short = ABBREVIATED in handler.headers.get("Accept", "")
        data = self.packument(path[1:], short)
        if data is None:
            return self.send(handler, 404, b'{"error":"Not found"}', body)
        tag = f'W/"{hashlib.sha1(data).hexdigest()}"'
        more = {"ETag": tag, "Vary": "Accept, Accept-Encoding", "Content-Type": ABBREVIATED if short else "application/json"}
        if handler.headers.get("If-None-Match") == tag:
            return self.send(handler, 304, b"", body, more)
        if "gzip" in handler.headers.get("Accept-Encoding", ""):
            data, more = gzip.compress(data, 1), more | {"Content-Encoding": "gzip"}
        self.send(handler, 200, data, body, more)

    def send(self, handler, status, data, body, more=None):
        self.note(handler, status, body)
        handler.send_response(status)
        for name, value in ({"Content-Type": "application/json"} | (more or {})).items():
            handler.send_header(name, value)
        if status != 304:
            handler.send_header("Content-Length", str(len(data)))
        handler.end_headers()
        if handler.command != "HEAD":
            handler.wfile.write(data)

    def packument(self, name, short):
        versions = self.packages.get(name)
        if not versions:
            return None
        shown = {package.version: package.published(package.tarball) for package in versions}
        value = {"name": name, "dist-tags": {package.tag: package.version for package in versions}, "modified": "2026-01-01T00:00:00.000Z"}
        if short:
            shown = {version: {key: one[key] for key in SHORT if key in one} for version, one in shown.items()}
        else:
            times = {package.version: f"2026-01-01T00:00:{number:02}.000Z" for number, package in enumerate(versions)}
            value |= {"_id": name, "_rev": "7-abc", "time": {"created": times[versions[0].version], "modified": value["modified"]} | times, "readme": f"# {name}"}
        return json.dumps(value | {"versions": shown}).encode()
