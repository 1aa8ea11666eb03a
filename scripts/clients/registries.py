"""Starts and ends the servers of a scenario: Debian's docker-registry, Entrepot, and a token service. Standard library only."""
import re
import signal
import subprocess
import sys
import time

from token_service import TokenService

USER, PASSWORD = "alice", "pass-of-alice"
HERE = __file__.rpartition("/")[0]


def expect(condition, words):
    if not condition:
        sys.exit(words)


def settled(ask, cache):
    """An answer, asked for again while a download that just gave all its bytes is not yet counted as kept: it is a MISS for so long."""
    for _ in range(500):
        status, headers, data = ask()
        if cache == "MISS" or headers["X-Cache"] != "MISS":
            break
        time.sleep(0.01)
    return status, headers, data


class Server:
    """A program that says on which ports it listens, and is ended here by its own process id."""

    def __init__(self, line, folder, name, count=1):
        self.outputs = [f"{folder}/{name}.out", f"{folder}/{name}.err"]
        self.name = name
        with open(self.outputs[0], "w") as out, open(self.outputs[1], "w") as err:
            self.child = subprocess.Popen(line, stdout=out, stderr=err)
        for _ in range(1200):
            self.ports = [int(port) for port in re.findall(r"listening on (?:https?://)?127\.0\.0\.1:(\d+)", self.text())]
            if len(self.ports) >= count:
                break
            if self.child.poll() is not None:
                break
            time.sleep(0.025)
        if len(self.ports) < count:
            self.stop()
            sys.exit(f"{name} did not start: {self.text()[-2000:]}")
        self.port = self.ports[0]

    def text(self):
        return "".join(open(path).read() for path in self.outputs)

    def stop(self):
        if self.child.poll() is None:
            self.child.send_signal(signal.SIGTERM)
            try:
                self.child.wait(30)
            except subprocess.TimeoutExpired:
                self.child.kill()
                self.child.wait(30)


class DockerRegistry(Server):
    """Over `<folder>/<storage>`; several may stand over one storage, one after the other. `guard`: None, "passwords", "tokens"."""

    def __init__(self, folder, name, storage="storage", guard=None, tokens=None, port=0):
        auth = ""
        if guard == "passwords":
            entry = subprocess.run(["htpasswd", "-Bbn", USER, PASSWORD], capture_output=True, text=True, check=True).stdout
            with open(f"{folder}/{name}.htpasswd", "w") as file:
                file.write(entry)
            auth = f"auth: {{ htpasswd: {{ realm: test, path: {folder}/{name}.htpasswd }} }}\n"
        elif guard == "tokens":
            auth = (
                f"auth: {{ token: {{ realm: 'http://127.0.0.1:{tokens.port}/token', service: {TokenService.SERVICE}, "
                f"issuer: {TokenService.ISSUER}, rootcertbundle: {tokens.certificate} }} }}\n")
        with open(f"{folder}/{name}.yml", "w") as file:
            file.write(
                f"version: 0.1\nstorage: {{ filesystem: {{ rootdirectory: {folder}/{storage} }} }}\n"
                f"http: {{ addr: '127.0.0.1:{port}', secret: none }}\n{auth}")
        super().__init__(["docker-registry", "serve", f"{folder}/{name}.yml"], folder, name)

    def asked(self):
        """`GET /v2/app/manifests/1 200`, in the order of the access log, but for `/v2/` itself."""
        with open(self.outputs[0]) as file:
            lines = re.findall(r'"([A-Z]+ \S+) HTTP/1\.1" (\d+)', file.read())
        return [f"{request} {status}" for request, status in lines if not request.endswith(" /v2/")]


class Tokens(Server):
    """The token service as a process of its own."""

    def __init__(self, folder):
        self.certificate = f"{folder}/tokens.crt"
        super().__init__([sys.executable, f"{HERE}/token_service.py", folder, USER, PASSWORD], folder, "token-service")

    def asked(self):
        with open(self.outputs[0]) as file:
            return [line.strip() for line in file if line.startswith("GET ")]


class Entrepot(Server):
    def __init__(self, binary, folder, name, configuration, listeners=1, listen="127.0.0.1:0"):
        with open(f"{folder}/{name}.yaml", "w") as file:
            file.write(configuration)
        line = [binary, "serve", "--config", f"{folder}/{name}.yaml", "--data", f"{folder}/{name}-data", "--listen", listen]
        super().__init__(line, folder, name, listeners)


class Ground:
    """Ends what was started in it, however the scenario ends."""

    def __init__(self):
        self.servers = []

    def __enter__(self):
        return self

    def add(self, server):
        self.servers.append(server)
        return server

    def __exit__(self, kind, *rest):
        for server in reversed(self.servers):
            server.stop()
            if kind is not None:
                print(f"{server.name} said:\n{server.text()[-1500:]}", file=sys.stderr)
