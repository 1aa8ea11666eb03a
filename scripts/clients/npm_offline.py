#!/usr/bin/env python3
"""npm clients while an upstream is killed, hangs, is elsewhere or knows the names of what is private.

    npm_offline.py BINARY FOLDER [BOUND [PART...]]      prints what took how long; BOUND: seconds that a hanging upstream may add (2.5)
"""
import base64
import gzip
import hashlib
import http.client
import json
import os
import subprocess
import sys

import npm_packages
from npm_ground import Person, Site, group, hosted, proxy
from npm_upstream import ABBREVIATED, Upstream
from registries import Ground, expect

# Documents are due at once, so that every one asks the upstream; the deadline is the default.
DUE = "cache: { maxAge: 0s }"


class Scenario:
    def __init__(self, binary, folder, bound=2.5, *parts):
        self.parts = parts or ("killed", "hanging", "other_locks", "elsewhere", "confusion", "signatures", "freshness", "encodings", "spoilt")
        self.binary, self.folder, self.bound = binary, folder, float(bound)
        self.real = npm_packages.real()
        self.own = [package for package in npm_packages.own() if package.name != "@acme/app"]

    def run(self):
        for part in self.parts:
            folder = f"{self.folder}/{part}"
            os.makedirs(folder)
            with Ground() as ground:
                getattr(self, part)(ground, folder)
            print(f"{part}: as it should be", flush=True)

    def site(self, ground, folder, remote, cache=DUE):
        return ground.add(Site(self.binary, folder, "edge", [
            hosted("private", 'owns: ["@acme/*"]'), proxy("mirror", remote, cache), group("all", ["private", "mirror"], "writeTo: private")]))

    def installed(self, person, registry=None):
        """A project with all of the closure, and its lockfile; the person has forgotten what was downloaded."""
        project = person.project("closure", {name: "*" for name in npm_packages.WANTED})
        person.succeed(["npm", "install", "--no-audit"], within=project)
        self.is_whole(project)
        person.forget()
        return project

    def is_whole(self, project):
        missing = [package.name for package in self.real if not os.path.exists(f"{project}/node_modules/{package.name}/package.json")]
        expect(not missing, f"not installed: {missing}")

    def ci(self, person, project, *words):
        person.forget()
        took = person.timed(["npm", "ci", *words], within=project)
        self.is_whole(project)
        return took

    def killed(self, ground, folder):
        """Two servers in a chain, and the last upstream goes; then the first server goes too."""
        upstream = ground.add(Upstream(self.real))
        origin = ground.add(Site(self.binary, folder, "origin", [proxy("public", upstream.url, DUE)]))
        edge = self.site(ground, folder, origin.url("public"))
        person = Person(f"{folder}/ann", edge.url("all"))
        project = self.installed(person)
        upstream.stop()
        print(f"  npm ci, the upstream of the upstream gone: {self.ci(person, project):.1f} s")
        origin.stop()
        print(f"  npm ci, the upstream gone: {self.ci(person, project):.1f} s")
        # Without a lockfile every packument is asked for.
        os.remove(f"{project}/package-lock.json")
        person.forget()
        person.succeed(["npm", "install"], within=project)
        self.is_whole(project)
        done = person.npm("view", "entrepot-many", "version")
        expect(done.returncode != 0 and "E404" not in done.stderr, f"what was never asked for, without the upstream, is not «absent»: {done.stderr}")

    def hanging(self, ground, folder):
        upstream = ground.add(Upstream(self.real))
        edge = self.site(ground, folder, upstream.url)
        person = Person(f"{folder}/ann", edge.url("all"))
        project = self.installed(person)
        warm = min(self.ci(person, project) for _ in range(2))
        upstream.hang()
        took = self.ci(person, project)
        print(f"  npm ci, warm {warm:.1f} s; with the upstream hanging {took:.1f} s")
        expect(took <= warm + self.bound, f"a hanging upstream cost {took - warm:.1f} s, of {self.bound} that it may")
        os.remove(f"{project}/package-lock.json")
        person.forget()
        took = person.timed(["npm", "install"], within=project)
        self.is_whole(project)
        print(f"  npm install without a lockfile: {took:.1f} s")
        upstream.recover()

    def other_locks(self, ground, folder):
        """Lockfiles that were written at the public registry, and at another address of this one."""
        upstream = ground.add(Upstream(self.real))
        edge = self.site(ground, folder, upstream.url)
        person = Person(f"{folder}/ann", edge.url("all"))
        project = self.installed(person)
        with open(f"{project}/package-lock.json") as file:
            lock = file.read()
        own = edge.url("all")
        expect(lock.count(f'"resolved": "{own}/') == len(self.real), "the lockfile names another place than the registry that was used")
        public = npm_default_registry(person)

        def ci(place, *words):
            with open(f"{project}/package-lock.json", "w") as file:
                file.write(lock.replace(f"{own}/", f"{place}/"))
            person.forget()
            return person.npm("ci", *words, within=project)

        # npm puts the configured registry in the place of its public one alone, unless it is told to do so with all.
        foreign = "http://registry.example.test"
        for what, place, *words in (("the public registry", public), ("a foreign one, replaced", foreign, "--replace-registry-host=always"), ("a member", edge.url("mirror"))):
            done = ci(place, *words)
            expect(done.returncode == 0, f"npm ci, the lockfile from {what}: {done.stderr}")
            self.is_whole(project)

    def elsewhere(self, ground, folder):
        """Tarballs on another port of the upstream's machine, at paths that have neither name nor version."""
        upstream = ground.add(Upstream(self.real, elsewhere=True))
        edge = ground.add(Site(self.binary, folder, "edge", [proxy("mirror", upstream.url)], "outbound: { allowPrivate: [127.0.0.0/8] }\nsecurity: { openAccess: true }\n"))
        person = Person(f"{folder}/ann", edge.url("mirror"))
        project = self.installed(person)
        with open(f"{project}/package-lock.json") as file:
            lock = file.read()
        foreign = [port for port in (upstream.port, upstream.hosts[1].server_port) if f":{port}/" in lock]
        expect(not foreign and lock.count(f"{edge.url('mirror')}/") == len(self.real), "a tarball's address is not ours")
        expect(len(upstream.asked("/files/")) == len(self.real), f"{len(upstream.asked('/files/'))} downloads of {len(self.real)} tarballs")
        upstream.forget()
        self.ci(person, project)
        expect(not upstream.asked("/files/"), "a tarball was fetched again")

    def confusion(self, ground, folder):
        """The upstream has the names of private packages, with higher versions."""
        evil = [npm_packages.made("@acme/hello", "99.0.0"), npm_packages.made("@acme/secret", "99.0.0"), npm_packages.made("shared-name", "99.0.0"), npm_packages.made("merged-name", "99.0.0")]
        upstream = ground.add(Upstream(self.real + evil))
        edge = ground.add(Site(self.binary, folder, "edge", [
            hosted("private", 'owns: ["@acme/*"]'), hosted("plain"), proxy("mirror", upstream.url, DUE), group("all", ["mirror", "plain", "private"], "writeTo: private"),
            group("union", ["plain", "mirror"], "writeTo: plain, merge: union"),
        ]))
        npm_packages.publish([package for package in self.own if package.name == "@acme/hello"], edge.url("all"))
        npm_packages.publish([npm_packages.made("shared-name", "1.0.0"), npm_packages.made("merged-name", "1.0.0")], edge.url("plain"))
        person = Person(f"{folder}/ann", edge.url("all"))
        project = person.project("victim", {"@acme/hello": "*", "shared-name": "*"})
        person.succeed(["npm", "install"], within=project)
        person.succeed(["npm", "audit"], within=project)
        for name, wanted in (("@acme/hello", "1.1.0"), ("shared-name", "1.0.0")):
            with open(f"{project}/node_modules/{name}/package.json") as file:
                found = json.load(file)["version"]
            expect(found == wanted, f"{name}: {found} was installed")
        asked = npm_packages.Publisher(edge.url("all"))
        for path in ("@acme%2fhello", "@acme/hello", "@acme%2Fsecret", "@acme/secret", "@acme/secret/-/secret-99.0.0.tgz", "@acme/hello/-/hello-99.0.0.tgz", "@acme/secret/latest", "-/package/@acme%2fsecret/dist-tags"):
            status, _, data = asked.send("GET", path)
            expect(status == (200 if path in ("@acme%2fhello", "@acme/hello") else 404) and b"99.0.0" not in (data if status == 200 else b""), f"{path}: {status} {data[:300]!r}")
        asked.send("POST", "-/npm/v1/security/advisories/bulk", {"@acme/hello": ["1.0.0"], "@acme/secret": ["1.0.0"], "express": ["4.18.2"]})
        expect(not upstream.asked("acme"), f"a private name went upstream: {upstream.asked('acme')}")
        expect(upstream.asked("security/advisories/bulk"), "what is public is not audited")
        merged = Person(f"{folder}/bob", edge.url("union"))
        versions = json.loads(merged.succeed(["npm", "view", "merged-name", "versions", "--json"]))
        expect(versions == ["1.0.0", "99.0.0"], f"merged by union: {versions}")
        versions = json.loads(person.succeed(["npm", "view", "merged-name", "versions", "--json"]))
        expect(versions in (["1.0.0"], "1.0.0"), f"not merged: {versions}")

    def signatures(self, ground, folder):
        """A signed package stays so: npm verifies it with the keys of the upstream, which come through us."""
        package = npm_packages.made("signed-thing", "1.0.0")
        subprocess.run(["openssl", "ecparam", "-name", "prime256v1", "-genkey", "-noout", "-out", f"{folder}/key"], check=True, capture_output=True)
        public = subprocess.run(["openssl", "ec", "-in", f"{folder}/key", "-pubout", "-outform", "DER"], check=True, capture_output=True).stdout
        text = f"{package.name}@{package.version}:{package.integrity}".encode()
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", f"{folder}/key"], input=text, check=True, capture_output=True).stdout
        name = "SHA256:" + base64.b64encode(hashlib.sha256(public).digest()).decode().rstrip("=")
        package.signatures = [{"keyid": name, "sig": base64.b64encode(signature).decode()}]
        upstream = ground.add(Upstream([package]))
        upstream.keys = [{"expires": None, "keyid": name, "keytype": "ecdsa-sha2-nistp256", "scheme": "ecdsa-sha2-nistp256", "key": base64.b64encode(public).decode()}]
        edge = self.site(ground, folder, upstream.url)
        person = Person(f"{folder}/ann", edge.url("all"))
        project = person.project("signed", {"signed-thing": "*"})
        person.succeed(["npm", "install"], within=project)
        done = person.audits_signatures(project)
        expect(done.returncode == 0 and "1 package has a verified registry signature" in done.stdout, f"audit signatures: {done.stdout} {done.stderr}")

    def freshness(self, ground, folder):
        """What is kept is not asked for again while it is fresh, except for a version that it lacks; what is due is asked for by its tag."""
        upstream = ground.add(Upstream([npm_packages.made("growing", "1.0.0")]))
        edge = ground.add(Site(self.binary, folder, "edge", [proxy("long", upstream.url, "cache: { maxAge: 1h }"), proxy("due", upstream.url, DUE)]))
        client = npm_packages.Publisher(edge.url("long"))

        def status(path):
            upstream.forget()
            return client.send("GET", path, Accept=ABBREVIATED)[0], len(upstream.asked("growing"))

        for path, wanted in (("growing", (200, 1)), ("growing", (200, 0)), ("growing/1.0.0", (200, 0)), ("growing/latest", (200, 0)), ("growing/1.1.0", (404, 1))):
            found = status(path)
            expect(found == wanted, f"{path}: {found} instead of {wanted}, which are the status and the requests upstream")
        upstream.add(npm_packages.made("growing", "1.1.0"))
        expect(status("growing/1.1.0") == (200, 1), "a new version upstream is not found")
        later = npm_packages.made("growing", "1.2.0")
        upstream.add(later)
        expect(status(f"growing/-/{later.file}")[0] == 200, "a new version's tarball is not found")
        due = npm_packages.Publisher(edge.url("due"))
        upstream.forget()
        for accept in (ABBREVIATED, "application/json"):
            for _ in range(2):
                expect(due.send("GET", "growing", Accept=accept)[0] == 200, "a document that is due")
        expect(upstream.asked() == ["GET /growing 200 abbreviated", "GET /growing 304 abbreviated", "GET /growing 200", "GET /growing 304"], f"asked upstream: {upstream.asked()}")

    def encodings(self, ground, folder):
        """Each form and each encoding has a tag of its own, and is told apart by caches on the way."""
        upstream = ground.add(Upstream([npm_packages.made("tagged", f"1.{minor}.0") for minor in range(50)]))
        edge = self.site(ground, folder, upstream.url, "cache: { maxAge: 1h }")
        for repository in ("mirror", "all"):
            client, seen = npm_packages.Publisher(edge.url(repository)), {}
            for accept in (ABBREVIATED, "application/json"):
                for encoding in ("identity", "gzip"):
                    asked = {"Accept": accept, "Accept-Encoding": encoding}
                    status, headers, data = client.send("GET", "tagged", **asked)
                    expect(status == 200 and headers["Content-Encoding"] == (None if encoding == "identity" else encoding), f"{asked}: {status} {dict(headers)}")
                    expect(headers["Content-Type"].split(";")[0] == accept, f"{asked}: {headers['Content-Type']}")
                    expect({"accept", "accept-encoding"} <= {word.strip().lower() for word in (headers["Vary"] or "").split(",")}, f"Vary: {headers['Vary']}")
                    value = json.loads(gzip.decompress(data) if encoding == "gzip" else data)
                    expect(len(value["versions"]) == 50 and ("time" in value or accept == ABBREVIATED), f"{asked}: {sorted(value)}")
                    again = client.send("GET", "tagged", **asked, **{"If-None-Match": headers["ETag"]})
                    expect((again[0], again[2]) == (304, b""), f"{asked}, with its tag: {again[0]}")
                    seen[headers["ETag"]] = asked
            expect(len(seen) == 4, f"tags of two forms in two encodings: {seen}")

    def spoilt(self, ground, folder):
        """A tarball that is not what the packument says is not handed out whole, and not kept."""
        package = npm_packages.made("spoilt-thing", "1.0.0")
        upstream = ground.add(Upstream([package]))
        edge = self.site(ground, folder, upstream.url)
        person = Person(f"{folder}/ann", edge.url("all"))
        project = person.project("spoilt", {"spoilt-thing": "*"})
        upstream.spoilt.add(package.name)
        expect(person.npm("install", within=project).returncode != 0, "a spoilt tarball was installed")
        try:
            data = npm_packages.Publisher(edge.url("all")).send("GET", f"{package.name}/-/{package.file}")[2]
        except (OSError, http.client.HTTPException):
            data = b""
        expect(len(data) < len(package.data) or not data.startswith(package.data[:10]), "a spoilt tarball was handed out whole")
        upstream.spoilt.clear()
        person.forget()
        person.succeed(["npm", "install"], within=project)


def npm_default_registry(person):
    """npm's own default: what lockfiles have that were written without any configuration."""
    return person.succeed(["npm", "config", "get", "registry", "--userconfig", "/dev/null"], NPM_CONFIG_REGISTRY="").strip().rstrip("/")


if __name__ == "__main__":
    Scenario(*sys.argv[1:]).run()
