#!/usr/bin/env python3
"""npm packages to try a registry with: real ones, packed from what Debian installs, and made ones. Standard library only.

    npm_packages.py OUT                           packs into OUT
    npm_packages.py OUT URL TOKEN [npm]           and publishes all of it to the registry at URL: by PUT, or each with `npm publish`

Debian's packages do not keep to the ranges that they declare, so that each range here becomes the one of the version that is there."""
import base64
import gzip
import hashlib
import http.client
import io
import json
import multiprocessing.pool
import os
import subprocess
import sys
import tarfile
import time
import urllib.parse
from dataclasses import dataclass

SHELVES = ["/usr/share/nodejs", "/usr/lib/nodejs", "/usr/lib/x86_64-linux-gnu/nodejs"]
# What these need, in any depth, is more than sixty packages, some of them with a scope.
WANTED = ["express", "request", "@babel/runtime"]
# Of what stands in a package.json, nothing that builds, tests or publishes it.
DROPPED = {
    "devDependencies", "peerDependencies", "peerDependenciesMeta", "optionalDependencies", "optionalPeerDependencies", "bundledDependencies", "bundleDependencies",
    "scripts", "publishConfig", "engines", "os", "cpu", "files", "workspaces", "private", "devEngines", "directories", "man",
}
SCOPE = "@acme"


@dataclass
class Package:
    """One version, packed. `tag` is the dist-tag that it is published with."""

    manifest: dict
    data: bytes
    tag: str = "latest"
    signatures: list = None

    @property
    def name(self):
        return self.manifest["name"]

    @property
    def version(self):
        return self.manifest["version"]

    @property
    def file(self):
        """As it is called below `/-/`."""
        return f"{self.name.split('/')[-1]}-{self.version}.tgz"

    @property
    def integrity(self):
        return "sha512-" + base64.b64encode(hashlib.sha512(self.data).digest()).decode()

    @property
    def shasum(self):
        return hashlib.sha1(self.data).hexdigest()

    def published(self, tarball):
        """The manifest as packuments have it."""
        dist = {"integrity": self.integrity, "shasum": self.shasum, "tarball": tarball} | ({"signatures": self.signatures} if self.signatures else {})
        return self.manifest | {"_id": f"{self.name}@{self.version}", "dist": dist}

    def document(self, registry):
        """What a client PUTs to publish it."""
        return {
            "_id": self.name, "name": self.name, "description": self.manifest.get("description", ""), "dist-tags": {self.tag: self.version},
            "versions": {self.version: self.published(f"{registry}/{self.name}/-/{self.file}")}, "access": None,
            "_attachments": {
                f"{self.name}-{self.version}.tgz": {
                    "content_type": "application/octet-stream", "data": base64.b64encode(self.data).decode(), "length": len(self.data)}
            },
        }


def tarball(manifest, files, level=6):
    """The same bytes for the same content. `files`: path within the package -> bytes."""
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, compresslevel=level) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for path, data in [("package.json", json.dumps(manifest, indent=2).encode()), *sorted(files.items())]:
            entry = tarfile.TarInfo(f"package/{path}")
            entry.size, entry.mtime, entry.mode = len(data), 499162500, 0o755 if data.startswith(b"#!") else 0o644
            tar.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def made(name, version, tag="latest", files=None, **more):
    """A package of our own, with one module that exports its name and version."""
    manifest = {"name": name, "version": version, "description": f"{name} says its name", "main": "index.js", "license": "MIT", **more}
    module = f"module.exports = {json.dumps(f'{name}@{version}')};\n".encode()
    return Package(manifest, tarball(manifest, {"index.js": module, "README.md": f"# {name}\n".encode(), **(files or {})}), tag)


def hello(version, tag="latest", **more):
    """The private package of the tests, with a program."""
    program = f'#!/usr/bin/env node\nconsole.log("hello from {version}");\n'.encode()
    return made(f"{SCOPE}/hello", version, tag, {"bin.js": program}, bin={"hello": "bin.js"}, keywords=["greeting"], **more)


def own():
    """Several versions, prereleases, a scope, and one that needs another."""
    packages = [hello("1.0.0"), hello("1.1.0"), hello("2.0.0-beta.1", "beta")]
    packages += [made("entrepot-many", f"1.{minor}.0") for minor in range(20)]
    packages += [made("entrepot-many", f"2.0.0-rc.{number}", "next") for number in range(3)]
    packages.append(made(f"{SCOPE}/app", "1.0.0", dependencies={f"{SCOPE}/hello": "^1.0.0", "entrepot-many": "1.x"}))
    return packages


class Shelf:
    """What Debian has installed."""

    def __init__(self, shelves=None):
        self.shelves = shelves or SHELVES
        self.manifests = {}

    def folder(self, name):
        found = next((f"{shelf}/{name}" for shelf in self.shelves if os.path.exists(f"{shelf}/{name}/package.json")), None)
        return found and os.path.realpath(found)

    def manifest(self, name):
        """None where it is not there, or has no version that npm takes."""
        if name not in self.manifests:
            folder = self.folder(name)
            manifest = json.load(open(f"{folder}/package.json")) if folder else {}
            self.manifests[name] = manifest if manifest.get("version", "").count(".") == 2 else None
        return self.manifests[name]

    def closure(self, wanted):
        """The names, with all that they need, in order of the alphabet."""
        names, left = set(), list(wanted)
        while left:
            name = left.pop()
            if name not in names and self.manifest(name):
                names.add(name)
                left += self.manifest(name).get("dependencies") or {}
        return sorted(names)

    def pack(self, name):
        manifest = {key: value for key, value in self.manifest(name).items() if key not in DROPPED and not key.startswith("_")} | {"name": name}
        needed = manifest.get("dependencies") or {}
        manifest["dependencies"] = {other: "^" + self.manifest(other)["version"] for other in needed if self.manifest(other)}
        return Package(manifest, tarball(manifest, self.files(self.folder(name)), level=1))

    @staticmethod
    def files(folder):
        found = {}
        for place, folders, names in os.walk(folder):
            folders[:] = sorted(one for one in folders if one not in ("node_modules", ".git"))
            for name in names:
                path = os.path.join(place, name)
                within = os.path.relpath(path, folder)
                if within != "package.json" and os.path.isfile(path):
                    with open(path, "rb") as file:
                        found[within] = file.read()
        return found


def real(wanted=None):
    shelf = Shelf()
    missing = [name for name in wanted or WANTED if not shelf.manifest(name)]
    if missing:
        sys.exit(f"not installed: {', '.join(missing)}; see scripts/packages")
    return [shelf.pack(name) for name in shelf.closure(wanted or WANTED)]


class Publisher:
    """Publishes by PUT, as npm does, over one kept connection. Not to be shared between threads."""

    def __init__(self, url, token=None):
        self.url = urllib.parse.urlsplit(url.rstrip("/"))
        self.connection = http.client.HTTPConnection(self.url.netloc, timeout=60)
        self.headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})

    def send(self, method, path, value=None, **headers):
        """(status, headers, bytes); `value` is JSON, or bytes as they are."""
        body = value if isinstance(value, (bytes, type(None))) else json.dumps(value).encode()
        self.connection.request(method, f"{self.url.path}/{path}", body, self.headers | headers)
        response = self.connection.getresponse()
        return response.status, response.headers, response.read()

    def publish(self, package):
        status, _, data = self.send("PUT", package.name.replace("/", "%2f"), package.document(urllib.parse.urlunsplit(self.url)))
        if status not in (200, 201):
            sys.exit(f"publishing {package.name}@{package.version}: {status} {data[:500]!r}")


def publish(packages, url, token=None, at_once=4):
    """Versions of one package in their order; several packages at once."""
    names = {}
    for package in packages:
        names.setdefault(package.name, []).append(package)

    def work(chosen):
        publisher = Publisher(url, token)
        for versions in chosen:
            for package in versions:
                publisher.publish(package)
        publisher.connection.close()

    groups = list(names.values())
    with multiprocessing.pool.ThreadPool(at_once) as pool:
        pool.map(work, [groups[start::at_once] for start in range(at_once)])


def publish_by_npm(packages, folder, url, token):
    registry = url.rstrip("/") + "/"
    with open(f"{folder}/npmrc", "w") as file:
        file.write(f"registry={registry}\n{registry.removeprefix('http:')}:_authToken={token}\nupdate-notifier=false\n")
    for package in packages:
        line = ["npm", "publish", "--userconfig", f"{folder}/npmrc", "--cache", f"{folder}/cache", "--tag", package.tag, f"{folder}/{package.name.replace('/', '-')}-{package.version}.tgz"]
        done = subprocess.run(line, capture_output=True, text=True, timeout=60)
        if done.returncode:
            sys.exit(done.stderr)


def main():
    out, *where = sys.argv[1:]
    began = time.monotonic()
    packages = real()
    count = len(packages)
    packages += own()
    os.makedirs(out, exist_ok=True)
    for package in packages:
        with open(f"{out}/{package.name.replace('/', '-')}-{package.version}.tgz", "wb") as file:
            file.write(package.data)
    size = sum(len(package.data) for package in packages)
    print(f"{count} real packages and {len(packages) - count} of our own, {size / 1e6:.1f} MB, in {time.monotonic() - began:.1f} s")
    if where:
        url, token, *how = where
        began = time.monotonic()
        publish_by_npm(packages, out, url, token) if how else publish(packages, url, token)
        print(f"published in {time.monotonic() - began:.1f} s")


if __name__ == "__main__":
    main()
