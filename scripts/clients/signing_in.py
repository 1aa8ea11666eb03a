#!/usr/bin/env python3
"""What each client prints with good, wrong, insufficient, expired and revoked credentials, and with none.

    signing_in.py BINARY FOLDER      prints the table that signing_in.txt has; hosts, digests and moments are replaced by words

Needs root for dockerd and containerd, which get folders of their own and are ended by their process ids."""
import gzip
import hashlib
import io
import json
import os
import re
import signal
import subprocess
import sys
import tarfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
CONFIGURATION = """configVersion: 1
docker: { defaultRepository: images }
repositories:
  images: { format: docker, type: hosted }
  files: { format: raw, type: hosted }
security:
  roles: { all: ["read:*", "write:*"], reader: ["read:*"] }
"""
ENVIRONMENT = {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "HOME": "", "LC_ALL": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1"}


class Site:
    def __init__(self, binary, folder):
        self.binary, self.folder, self.children = binary, folder, []
        self.configuration, self.data = f"{folder}/entrepot.yaml", f"{folder}/data"
        with open(self.configuration, "w") as file:
            file.write(CONFIGURATION)
        log = open(f"{folder}/log", "wb")
        self.start([binary, "serve", "--config", self.configuration, "--data", self.data, "--listen", "127.0.0.1:0"], log)
        self.host = self.wait(lambda: re.search(r"listening on http://(127\.0\.0\.1:\d+)", open(f"{folder}/log").read())).group(1)

    def start(self, line, log):
        self.children.append(subprocess.Popen(line, stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=ENVIRONMENT | {"HOME": self.folder}))
        return self.children[-1]

    def wait(self, look, seconds=30):
        end = time.monotonic() + seconds
        while True:
            found = look()
            if found:
                return found
            if time.monotonic() > end:
                sys.exit("something did not start")
            time.sleep(0.05)

    def command(self, *words, given=None):
        line = [self.binary, *words, "--config", self.configuration, "--data", self.data]
        done = subprocess.run(line, input=given, capture_output=True, text=True, timeout=60)
        if done.returncode != 0:
            sys.exit(f"{line}: {done.stderr}")
        return done.stdout.strip()

    def people(self):
        """Name of the case -> (user, secret)."""
        for name, role in (("ann", "all"), ("bob", "reader")):
            self.command("user", "add", name, "--role", role, "--password-stdin", given=f"the password of {name}\n")
        expired = self.command("token", "create", "brief", "--user", "ann", "--expires", "1s")
        revoked = self.command("token", "create", "gone", "--user", "ann")
        number = next(line.split("\t")[0] for line in self.command("token", "list", "--user", "ann").splitlines() if "\tgone\t" in line)
        self.command("token", "revoke", number)
        confined = self.command("token", "create", "confined", "--user", "ann", "--grant", "read:images:other/**")
        return {
            "none": None, "wrong": None, "good": ("ann", "the password of ann"), "token": ("ann", self.command("token", "create", "ci", "--user", "ann")),
            "reader": ("bob", "the password of bob"), "confined": ("ann", confined),
            "expired": ("ann", expired), "revoked": ("ann", revoked),
        }

    def stop(self):
        for child in reversed(self.children):
            child.send_signal(signal.SIGTERM)
            try:
                child.wait(40)
            except subprocess.TimeoutExpired:
                child.kill()


def layout(folder):
    """An OCI layout with one image that docker takes."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        entry = tarfile.TarInfo("hello")
        entry.size = 5
        tar.addfile(entry, io.BytesIO(b"hello"))
    packed = gzip.compress(raw.getvalue(), mtime=0)
    place = f"{folder}/layout"
    os.makedirs(f"{place}/blobs/sha256")

    def blob(data, kind):
        name = hashlib.sha256(data).hexdigest()
        with open(f"{place}/blobs/sha256/{name}", "wb") as file:
            file.write(data)
        return {"mediaType": kind, "digest": f"sha256:{name}", "size": len(data)}

    oci = "application/vnd.oci.image."
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": ["sha256:" + hashlib.sha256(raw.getvalue()).hexdigest()]}}
    manifest = {
        "schemaVersion": 2, "mediaType": oci + "manifest.v1+json", "config": blob(json.dumps(config).encode(), oci + "config.v1+json"),
        "layers": [blob(packed, oci + "layer.v1.tar+gzip")],
    }
    entry = blob(json.dumps(manifest).encode(), oci + "manifest.v1+json") | {"annotations": {"org.opencontainers.image.ref.name": "1"}}
    with open(f"{place}/index.json", "w") as file:
        json.dump({"schemaVersion": 2, "manifests": [entry]}, file)
    with open(f"{place}/oci-layout", "w") as file:
        file.write('{"imageLayoutVersion": "1.0.0"}')
    return place


class Clients:
    """Each method is a client: yields (action, command lines); the last one's words count."""

    def __init__(self, site, place):
        self.site, self.place, self.image = site, place, f"{site.host}/team/app"
        folder = site.folder
        with open(f"{folder}/policy.json", "w") as file:
            file.write('{"default": [{"type": "insecureAcceptAnything"}]}')
        with open(f"{folder}/registries.conf", "w") as file:
            file.write("unqualified-search-registries = []\n")
        with open(f"{folder}/storage.conf", "w") as file:
            file.write(f'[storage]\ndriver = "vfs"\nrunroot = "{folder}/run"\ngraphroot = "{folder}/graph"\n')
        with open(f"{folder}/file", "w") as file:
            file.write("hello")
        # podman and buildah look at docker's own file where this one is not there.
        with open(f"{folder}/auth.json", "w") as file:
            file.write("{}")
        self.environment = ENVIRONMENT | {
            "HOME": folder, "CONTAINERS_REGISTRIES_CONF": f"{folder}/registries.conf", "CONTAINERS_STORAGE_CONF": f"{folder}/storage.conf",
            "REGISTRY_AUTH_FILE": f"{folder}/auth.json", "XDG_RUNTIME_DIR": folder, "DOCKER_HOST": f"unix://{folder}/docker.sock",
            "HELM_REGISTRY_CONFIG": f"{folder}/helm.json", "HELM_CACHE_HOME": f"{folder}/helm", "HELM_CONFIG_HOME": f"{folder}/helm", "HELM_DATA_HOME": f"{folder}/helm",
        }
        self.of_docker = self.environment | {"DOCKER_CONFIG": f"{folder}/docker-config"}
        self.docker = "/usr/bin/docker" if os.access("/usr/bin/docker", os.X_OK) else "docker"

    def engines(self):
        folder = self.site.folder
        with open(f"{folder}/daemon.json", "w") as file:
            json.dump({"data-root": f"{folder}/docker/root", "exec-root": f"{folder}/docker/exec", "pidfile": f"{folder}/docker.pid", "hosts": [f"unix://{folder}/docker.sock"], "iptables": False, "ip6tables": False, "bridge": "none"}, file)
        with open(f"{folder}/containerd.toml", "w") as file:
            file.write(f'version = 2\nroot = "{folder}/c/root"\nstate = "{folder}/c/state"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\naddress = "{folder}/c.sock"\n')
        self.site.start(["dockerd", "--config-file", f"{folder}/daemon.json"], open(f"{folder}/docker.log", "wb"))
        self.site.start(["containerd", "--config", f"{folder}/containerd.toml"], open(f"{folder}/c.log", "wb"))
        self.site.wait(lambda: self.run([self.docker, "version"]).returncode == 0)
        self.site.wait(lambda: self.run(["ctr", "--address", f"{folder}/c.sock", "version"]).returncode == 0)

    def run(self, line):
        return subprocess.run(line, capture_output=True, text=True, timeout=120, env=self.of_docker if line[0] == self.docker else self.environment, cwd=self.site.folder, stdin=subprocess.DEVNULL)

    def curl(self, who):
        own = ["curl", "--silent", "--show-error"] + (["--user", ":".join(who)] if who else [])
        files = f"http://{self.site.host}/repository/files/team/x"
        yield "read a file", [own + ["--write-out", "%{http_code}", files]]
        yield "write a file", [own + ["--write-out", "%{http_code}", "--upload-file", f"{self.site.folder}/file", files]]

    def skopeo(self, who):
        options = ["--policy", f"{self.site.folder}/policy.json", "--registries-conf", f"{self.site.folder}/registries.conf"]
        creds = ["--creds", ":".join(who)] if who else ["--no-creds"]
        yield "inspect", [["skopeo", *options, "inspect", "--tls-verify=false", "--format", "{{.Name}}", *creds, f"docker://{self.image}:1"]]
        creds = ["--dest-creds", ":".join(who)] if who else ["--dest-no-creds"]
        yield "push", [["skopeo", *options, "copy", "--quiet", "--dest-tls-verify=false", *creds, f"oci:{self.place}:1", f"docker://{self.image}:1"]]

    def sign_out(self):
        with open(f"{self.site.folder}/auth.json", "w") as file:
            file.write("{}")

    def signing_in(self, tool, who, plain):
        return [[*tool, "login", *plain, "--username", who[0], "--password", who[1], self.site.host]] if who else []

    def podman(self, who):
        self.sign_out()
        out = [["podman", "rmi", "--force", f"{self.image}:1"]]
        sign = self.signing_in(["podman"], who, ["--tls-verify=false"])
        if sign:
            yield "login", out + sign
        yield "pull", out + sign + [["podman", "pull", "--quiet", "--tls-verify=false", f"{self.image}:1"]]

    def buildah(self, who):
        creds = ["--creds", ":".join(who)] if who else []
        self.sign_out()
        yield "pull", [["podman", "rmi", "--force", f"{self.image}:1"], ["buildah", "pull", "--quiet", "--tls-verify=false", *creds, f"{self.image}:1"]]

    def dockerd(self, who):
        out = [[self.docker, "logout", self.site.host]]
        sign = self.signing_in([self.docker], who, [])
        if sign:
            yield "login", out + sign
        yield "pull", out + sign + [[self.docker, "pull", "--quiet", f"{self.image}:1"]]
        yield "push", out + sign + [[self.docker, "tag", "kept:1", f"{self.image}:2"], [self.docker, "push", "--quiet", f"{self.image}:2"]]

    def containerd(self, who):
        user = ["--user", ":".join(who)] if who else []
        ctr = ["ctr", "--address", f"{self.site.folder}/c.sock", "images"]
        yield "pull", [[*ctr, "rm", "--sync", f"{self.image}:1"], [*ctr, "pull", "--plain-http", *user, f"{self.image}:1"]]

    def oras(self, who):
        words = """
import sys, time, oras.client
time.sleep = lambda seconds: None  # it tries again for two minutes, whatever it was told
client = oras.client.OrasClient(hostname=sys.argv[1], insecure=True)
if len(sys.argv) > 3: client.auth.set_basic_auth(sys.argv[3], sys.argv[4])
print(len(client.get_tags(sys.argv[2])) > 0)
"""
        python = os.path.join(ROOT, ".build-venv/bin/python")
        yield "tags", [[python, "-c", words, self.site.host, self.image, *(who or ())]]

    def helm(self, who):
        words = """
import sys
from helm_python import registry
host, image, folder = sys.argv[1:4]
client = registry.RegistryClient(plain_http=True)
if len(sys.argv) > 4: client.login(host, sys.argv[4], sys.argv[5], plain_http=True)
try:
    print(len(client.tags(image)) > 0)
finally:
    client.logout(host)
"""
        python = os.path.join(ROOT, ".build-venv-helm/bin/python")
        yield "tags", [[python, "-c", words, self.site.host, self.image, self.site.folder, *(who or ())]]


def words(done, host):
    text = (done.stderr.strip() + "\n" + done.stdout.strip()).strip()
    lines = [line.strip() for line in text.splitlines() if line.strip() and "WARNING" not in line and "credentials" not in line.lower()[:60]]
    first = next((at for at, line in enumerate(lines) if line.startswith(("ctr:", "Error"))), max(0, len(lines) - 1))
    text = " ".join(line for line in lines[first:] if not line.startswith("elapsed:") and ": resolving" not in line)
    for pattern, word in (
        (re.escape(host), "HOST"), (re.escape(host.replace(":", "%3A")), "HOST"), (r"sha256:[0-9a-f]{64}", "DIGEST"), (r'time="[^"]*" level=\w+ msg=', ""), (r"\b[0-9a-f]{64}\b", "ID"), (r"\d{4}/\d\d/\d\d \d\d:\d\d:\d\d ", ""),
        (r"\s+", " "),
    ):
        text = re.sub(pattern, word, text)
    return text[:400]


def main():
    binary, folder = sys.argv[1:3]
    site = Site(binary, folder)
    try:
        people = site.people()
        clients = Clients(site, layout(folder))
        clients.engines()
        # What is pulled is there, and dockerd has something to push.
        for action, lines in list(clients.skopeo(people["good"]))[1:]:
            assert clients.run(lines[-1]).returncode == 0, action
        clients.run([clients.docker, "login", "--username", people["good"][0], "--password", people["good"][1], site.host])
        clients.run([clients.docker, "pull", f"{clients.image}:1"])
        clients.run([clients.docker, "tag", f"{clients.image}:1", "kept:1"])
        subprocess.run(["curl", "--silent", "--user", ":".join(people["good"]), "--upload-file", f"{folder}/file", f"http://{site.host}/repository/files/team/x"], capture_output=True, timeout=30)
        time.sleep(1.5)  # the brief token lives for one second
        for client in (clients.curl, clients.skopeo, clients.podman, clients.buildah, clients.dockerd, clients.containerd, clients.oras, clients.helm):
            # Of each client another, so that none has to wait for the failures of those before it.
            people["wrong"] = (f"nobody-{client.__name__}", "not the password")
            for name, who in people.items():
                for action, lines in client(who):
                    for line in lines:
                        done = clients.run(line)
                    said = "" if done.returncode == 0 and client != clients.curl else words(done, site.host)
                    print(f"{client.__name__:10} | {name:8} | {action:12} | {'done' if done.returncode == 0 else 'failed'} | {said}".rstrip(" |"), flush=True)
            print(flush=True)
    finally:
        site.stop()


main()
