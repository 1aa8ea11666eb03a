"""The servers that are measured, each over a folder of its own and on a free port."""
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time

import work

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../scripts/clients"))
from registry import MANIFEST, Registry  # noqa: E402

IMAGE = "docker-local/bench/image"


def free_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return listener.getsockname()[1]


class Server:
    name = ""
    scheme = "http"
    # What curl must be told beside the address.
    curl = []
    # And wrk.
    headers = []
    pushes = True
    port = 0
    process = None

    def __init__(self, folder):
        self.folder = os.path.join(folder, self.name.replace(", ", "-").replace(" ", "-"))
        os.makedirs(self.folder)

    def command(self):
        raise NotImplementedError

    def start(self):
        """Returns the seconds until the first answer."""
        line = self.command()
        with open(os.path.join(self.folder, "log"), "ab") as log:
            began = time.monotonic()
            self.process = subprocess.Popen(line, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        while time.monotonic() - began < 30:
            if self.process.poll() is not None:
                break
            port = self.listening()
            if port and self.answers(port):
                return time.monotonic() - began
            time.sleep(0.001)
        with open(os.path.join(self.folder, "log"), errors="replace") as log:
            sys.exit(f"{self.name} did not start:\n{log.read()[-2000:]}")

    def listening(self):
        return self.port

    @staticmethod
    def answers(port):
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
                connection.sendall(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return connection.recv(16).startswith(b"HTTP/1.1 ")
        except OSError:
            return False

    def stop(self):
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process = None

    def empty(self):
        """Forgets all that was pushed; for a stopped server."""
        shutil.rmtree(os.path.join(self.folder, "data"), ignore_errors=True)

    def pids(self):
        """The process and its children: nginx works in one of those."""
        pid = self.process.pid
        with open(f"/proc/{pid}/task/{pid}/children") as children:
            return [pid] + [int(child) for child in children.read().split()]

    def cpu(self):
        """User and system seconds so far."""
        ticks = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/stat") as stat:
                fields = stat.read().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    def memory(self, field):
        """VmRSS or VmHWM in MiB, of all its processes."""
        total = 0
        for pid in self.pids():
            with open(f"/proc/{pid}/status") as status:
                total += int(re.search(rf"{field}:\s+(\d+)", status.read()).group(1))
        return total / 1024

    def reset_peak(self):
        for pid in self.pids():
            with open(f"/proc/{pid}/clear_refs", "w") as file:
                file.write("5")

    def place(self, layer):
        """Puts the layer, and an image of it under the tag `1`, where pulls find them."""
        registry = Registry(self.port, timeout=300)
        work.push_once(self, layer, IMAGE)
        config = b"{}"
        name = registry.push_blob(IMAGE, config)
        manifest = registry.image_manifest((name, len(config)), [(layer.digest, layer.size)])
        registry.push_manifest(IMAGE, "1", manifest)

    def url(self, path):
        return f"{self.scheme}://127.0.0.1:{self.port}{path}"

    def blob_url(self, layer):
        return self.url(f"/v2/{IMAGE}/blobs/{layer.digest}")

    def manifest_url(self):
        return self.url(f"/v2/{IMAGE}/manifests/1")


class Entrepot(Server):
    name = "entrepot"

    def __init__(self, binary, folder):
        super().__init__(folder)
        self.binary = os.path.abspath(binary)
        self.configuration = os.path.join(self.folder, "entrepot.yaml")
        with open(self.configuration, "w") as file:
            file.write(
                "configVersion: 1\nsecurity: { openAccess: true }\n"
                "docker: { defaultRepository: docker-local }\n"
                "repositories:\n"
                "  docker-local: { format: docker, type: hosted }\n"
                "  files: { format: raw, type: hosted }\n"
            )

    def command(self):
        log = os.path.join(self.folder, "log")
        if os.path.exists(log):
            os.remove(log)
        data = os.path.join(self.folder, "data")
        return [self.binary, "serve", "--config", self.configuration, "--data", data, "--listen", "127.0.0.1:0"]

    def listening(self):
        """The port stands in what it prints once it listens."""
        with open(os.path.join(self.folder, "log"), errors="replace") as log:
            found = re.search(r"listening on http://127\.0\.0\.1:(\d+)", log.read())
        self.port = int(found.group(1)) if found else 0
        return self.port


class DockerRegistry(Server):
    name = "docker-registry"

    def command(self):
        self.port = free_port()
        file = os.path.join(self.folder, "config.yml")
        with open(file, "w") as out:
            out.write(
                "version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
                f"storage:\n  filesystem: {{rootdirectory: {self.folder}/data}}\n  delete: {{enabled: true}}\n"
                f"http: {{addr: 127.0.0.1:{self.port}}}\n" + self.more()
            )
        return ["docker-registry", "serve", file]

    def more(self):
        return ""


class Nginx(Server):
    """Static files, one worker, sendfile."""

    name = "nginx"
    pushes = False

    def command(self):
        self.port = free_port()
        os.makedirs(f"{self.folder}/files", exist_ok=True)
        file = os.path.join(self.folder, "nginx.conf")
        temporary = "".join(f"{kind}_temp_path {self.folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
        user = "user root;" if os.geteuid() == 0 else ""
        with open(file, "w") as out:
            out.write(
                f"{user} daemon off; worker_processes 1; pid {self.folder}/pid; error_log {self.folder}/errors;\n"
                "events { worker_connections 512; }\n"
                f"http {{ access_log off; sendfile on; tcp_nopush on; keepalive_requests 100000000; {temporary}\n"
                f"  types {{}} {self.globals()}\n"
                f"  server {{ {self.listens()} {self.locations()} }} }}\n"
            )
        return ["/usr/sbin/nginx", "-c", file]

    def listens(self):
        return f"listen 127.0.0.1:{self.port};"

    def globals(self):
        return f"default_type {MANIFEST};"

    def locations(self):
        return f"root {self.folder}/files;"

    def place(self, layer):
        shutil.copyfile(layer.path, f"{self.folder}/files/layer.bin")
        registry = Registry(self.port)
        config = ("sha256:" + "0" * 64, 2)
        with open(f"{self.folder}/files/manifest", "wb") as file:
            file.write(registry.image_manifest(config, [(layer.digest, layer.size)]))

    def blob_url(self, layer):
        return self.url("/layer.bin")

    def manifest_url(self):
        return self.url("/manifest")
