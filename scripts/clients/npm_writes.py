#!/usr/bin/env python3
"""Writing to npm repositories: many at once, stale, wrong and cut.

    npm_writes.py BINARY FOLDER [CROWD]      CROWD: how many `npm ci` run at one time (50)
"""
import base64
import http.client
import json
import multiprocessing.pool
import os
import socket
import sys
import time
import urllib.parse

import npm_packages
from npm_ground import Person, Site, group, hosted, proxy
from npm_upstream import Upstream
from registries import Ground, expect

MEBI = 1 << 20


class Scenario:
    def __init__(self, binary, folder, crowd=50, *parts):
        self.binary, self.folder, self.crowd = binary, folder, int(crowd)
        self.wrong = []
        self.parts = parts or ("publishes_at_once", "installs_at_once", "stale", "redeploy", "bad_input", "cut", "huge")

    def run(self):
        with Ground() as ground:
            self.real = npm_packages.real(["express"])
            self.upstream = ground.add(Upstream(self.real))
            self.site = ground.add(Site(self.binary, self.folder, "site", [
                hosted("private", 'owns: ["@acme/*"]'), hosted("open", "writePolicy: allow"), hosted("closed", "writePolicy: deny"), proxy("mirror", self.upstream.url),
                group("all", ["private", "mirror"], "writeTo: private"), group("readonly", ["private", "mirror"]),
            ]))
            for part in self.parts:
                getattr(self, part)()
                expect(not self.wrong, f"{part}:\n" + "\n".join(self.wrong))
                print(f"{part}: as it should be", flush=True)

    def client(self, repository="all"):
        return npm_packages.Publisher(self.site.url(repository))

    def packument(self, name, repository="all", **headers):
        status, _, data = self.client(repository).send("GET", name, **headers)
        expect(status == 200, f"{name}: {status} {data[:300]!r}")
        return json.loads(data)

    # At once.
    def publishes_at_once(self):
        """Twenty versions of one name by twenty clients; each also moves a tag of its own."""
        packages = [npm_packages.made("@acme/crowded", f"1.{number}.0", f"tag-{number}") for number in range(20)]
        people = [Person(f"{self.folder}/publisher-{number}", self.site.url("all"), "any") for number in range(4)]
        folders = [(people[at % 4], people[at % 4].lay(package), package.tag) for at, package in enumerate(packages)]
        with multiprocessing.pool.ThreadPool(4) as by_npm, multiprocessing.pool.ThreadPool(16) as by_put:
            slow = by_npm.map_async(lambda one: one[0].npm("publish", one[1], "--tag", one[2]), folders[:4])
            by_put.map(lambda package: self.client().publish(package), packages[4:])
            for done in slow.get():
                expect(done.returncode == 0, f"npm publish: {done.stderr}")
        for short in ("application/vnd.npm.install-v1+json", "application/json"):
            found = self.packument("@acme/crowded", Accept=short)
            expect(set(found["versions"]) == {package.version for package in packages}, f"of twenty versions these are left: {sorted(found['versions'])}")
            wanted = {package.tag: package.version for package in packages}
            expect(wanted.items() <= found["dist-tags"].items(), f"tags: {found['dist-tags']}")
        for package in packages[4:]:
            status, _, data = self.client().send("GET", f"@acme/crowded/-/{package.file}")
            expect((status, data) == (200, package.data), f"{package.file}: {status}")

    def installs_at_once(self):
        """Of what nobody has asked for before: each tarball comes from the upstream once."""
        first = Person(f"{self.folder}/writer", self.upstream.url)
        project = first.project("closure", {"express": "*"})
        first.succeed(["npm", "install", "--package-lock-only", "--no-audit"], within=project)
        with open(f"{project}/package-lock.json") as file:
            lock = file.read()
        self.upstream.forget()
        expect(self.upstream.url in lock, "the lockfile was not written at the upstream")

        def install(number):
            person = Person(f"{self.folder}/crowd-{number}", self.site.url("all"))
            own = person.project("closure", {"express": "*"})
            with open(f"{own}/package-lock.json", "w") as file:
                file.write(lock.replace(f"{self.upstream.url}/", person.registry))
            done = person.npm("ci", within=own, timeout=600)
            there = all(os.path.exists(f"{own}/node_modules/{package.name}/package.json") for package in self.real)
            return done.returncode == 0 and there, done.stderr

        began = time.monotonic()
        with multiprocessing.pool.ThreadPool(self.crowd) as pool:
            results = pool.map(install, range(self.crowd), chunksize=1)
        failed = [said for done, said in results if not done]
        expect(not failed, f"{len(failed)} of {self.crowd} npm ci failed: {failed[:1]}")
        fetched = [line for line in self.upstream.asked(".tgz")]
        expect(len(fetched) == len(self.real) == len(set(fetched)), f"{len(fetched)} downloads of {len(self.real)} tarballs")
        print(f"  {self.crowd} at once: {time.monotonic() - began:.1f} s, server at most {self.site.memory('VmHWM') / 1e6:.0f} MB")

    # Old and new.
    def stale(self):
        """A packument that was read before another client's write does not undo it."""
        name = "@acme/revised"
        for version in ("1.0.0", "1.1.0", "1.2.0"):
            self.client().publish(npm_packages.made(name, version))
        status, headers, data = self.client().send("GET", f"{name}?write=true")
        expect(status == 200 and "HIT" not in headers.get("X-Cache", ""), f"?write=true: {status} {headers}")
        old = json.loads(data)
        expect(old.get("_rev"), "no _rev to write back")
        self.client().publish(npm_packages.made(name, "1.3.0"))
        changed = json.loads(data)
        del changed["versions"]["1.0.0"]
        self.refused("PUT", f"{name.replace('/', '%2f')}/-rev/{old['_rev']}", changed, 409, "a stale _rev")
        changed["versions"]["1.1.0"]["deprecated"] = "old"
        self.refused("PUT", name.replace("/", "%2f"), changed, 409, "a stale _rev in the document")
        self.refused("DELETE", f"{name.replace('/', '%2f')}/-rev/{old['_rev']}", None, 409, "a stale _rev, for the whole package")
        expect(sorted(self.packument(name)["versions"]) == ["1.0.0", "1.1.0", "1.2.0", "1.3.0"], "a refused write has changed the package")
        fresh = json.loads(self.client().send("GET", f"{name}?write=true")[2])
        del fresh["versions"]["1.0.0"]
        status, _, data = self.client().send("PUT", f"{name.replace('/', '%2f')}/-rev/{fresh['_rev']}", fresh)
        expect(status in (200, 201), f"a fresh _rev: {status} {data[:300]!r}")
        found = self.packument(name)
        expect("1.0.0" not in found["versions"] and found["dist-tags"]["latest"] == "1.3.0", f"after the unpublish: {found['dist-tags']}")

    def redeploy(self):
        """403 with npm's words, 200 where the policy allows it, refused where nothing may be written."""
        one, other = npm_packages.made("@acme/again", "1.0.0"), npm_packages.made("@acme/again", "1.0.0", keywords=["other"])
        self.client().publish(one)
        said = self.refused("PUT", "@acme%2fagain", other.document(self.site.url("all")), 403, "the same version again")
        expect("cannot publish over the previously published versions" in said.lower(), f"not npm's words: {said}")
        expect(self.client().send("GET", f"@acme/again/-/{one.file}")[2] == one.data, "a refused publish has changed the tarball")
        self.client("open").publish(one)
        self.client("open").publish(other)
        expect(self.client("open").send("GET", f"@acme/again/-/{one.file}")[2] == other.data, "with writePolicy: allow the first stays")
        expect(self.packument("@acme/again", "open")["versions"]["1.0.0"]["dist"]["integrity"] == other.integrity, "with writePolicy: allow the first's integrity stays")
        for repository in ("closed", "mirror", "readonly"):
            self.refused("PUT", "@acme%2fagain", one.document(self.site.url(repository)), (403, 405), f"a publish to {repository}", repository)

    # Wrong.
    def refused(self, method, path, value, status, what, repository="all", **headers):
        """npm's own error form, with both words; gives them. What is not so is gathered: one run tells all."""
        try:
            got, _, data = self.client(repository).send(method, path, value, **headers)
        except (OSError, http.client.HTTPException) as error:
            self.wrong.append(f"{what}: no answer: {error!r}")
            return ""
        wanted = status if isinstance(status, tuple) else (status,)
        if got not in wanted:
            self.wrong.append(f"{what}: {got} instead of {' or '.join(map(str, wanted))}: {data[:300]!r}")
            return ""
        try:
            said = json.loads(data)
            words = [said["error"], said["reason"]]
        except (ValueError, KeyError, TypeError):
            self.wrong.append(f"{what}: {data[:300]!r} is not npm's form of an error")
            return ""
        secrets = [word for word in (self.folder, "SELECT ", "sqlite", "Swift") if word in data.decode()]
        if secrets or not all(isinstance(word, str) and word for word in words):
            self.wrong.append(f"{what}: {data[:300]!r} {secrets}")
        print(f"  {what:44} {got} {' | '.join(words)[:150]}")
        return " ".join(words)

    def bad_input(self):
        sound = npm_packages.made("@acme/sound", "1.0.0")

        def changed(name="@acme/sound", version="1.0.0", **more):
            package = npm_packages.made(name, version)
            return package.document(self.site.url("all")) | more

        def with_dist(**dist):
            document = changed()
            document["versions"]["1.0.0"]["dist"] |= dist
            return document

        def with_attachment(**more):
            document = changed()
            next(iter(document["_attachments"].values())).update(more)
            return document

        for name in ("Upper", ".hidden", "_private", "sp ace", "til~de!", "node_modules", "favicon.ico", "a" * 215, "@acme/", "@/x", "@acme/a/b", "..", "@acme/..", "x%00y", "é"):
            package = npm_packages.made(name, "1.0.0")
            self.refused("PUT", urllib.parse.quote(name, safe="@"), package.document(self.site.url("all")), (400, 404) if ".." in name else 400, f"the name «{name[:20]}»")
        for version in ("1", "1.0", "v1.0.0", "01.0.0", "1.0.0-", "1.0.0-01", "latest", "1.0.0 ", "1.0.0/../x", "", "1.0.0+", "99999999999999999999.0.0"):
            self.refused("PUT", "@acme%2fsound", changed(version=version), 400, f"the version «{version}»")
        self.refused("PUT", "@acme%2fother", changed(), 400, "another package than the URL's")
        self.refused("PUT", "@acme%2fsound", with_dist(integrity=npm_packages.made("x", "1.0.0").integrity), 400, "another integrity")
        self.refused("PUT", "@acme%2fsound", with_dist(shasum="0" * 40), 400, "another shasum")
        self.refused("PUT", "@acme%2fsound", with_attachment(length=5), 400, "another length")
        self.refused("PUT", "@acme%2fsound", with_attachment(data="*" * 100), 400, "an attachment that is not base64")
        self.refused("PUT", "@acme%2fsound", with_attachment(data=""), 400, "an empty attachment")
        self.refused("PUT", "@acme%2fsound", changed(_attachments={}), 400, "a new version without an attachment")
        self.refused("PUT", "@acme%2fsound", changed(versions={}), 400, "an attachment without its version")
        self.refused("PUT", "@acme%2fsound", changed(**{"dist-tags": {"latest": "9.9.9"}}), 400, "a tag of a version that is not there")
        self.refused("PUT", "@acme%2fsound", changed(**{"dist-tags": {"1.0.0": "1.0.0"}}), 400, "a tag that is a version")
        self.refused("PUT", "@acme%2fsound", b"", 400, "nothing")
        self.refused("PUT", "@acme%2fsound", b"[]", 400, "an array")
        self.refused("PUT", "@acme%2fsound", b"{\"name\": ", 400, "half of JSON")
        self.refused("PUT", "@acme%2fsound", b"\xff\xfe{}", 400, "bytes that are no text")
        self.refused("PUT", "@acme%2fsound", b"[" * 200_000, 400, "200,000 brackets")
        self.duplicates(sound)
        self.refused("GET", "@acme%2fsound", None, 404, "after all that, the package")
        self.refused("GET", "..%2f..%2fetc%2fpasswd", None, (400, 404), "a path that climbs")
        self.refused("PUT", "-/package/@acme%2fsound/dist-tags/x", b'"1.0.0"', 404, "a tag of a package that is not there")
        self.client().publish(sound)
        self.refused("PUT", "-/package/@acme%2fsound/dist-tags/x", b'"9.0.0"', (400, 404), "a tag of a version that is not there")
        self.refused("PUT", "-/package/@acme%2fsound/dist-tags/1.0.0", b'"1.0.0"', 400, "a tag that is a version")
        self.refused("PUT", "-/package/@acme%2fsound/dist-tags/x", b"1.0.0", 400, "a tag's version without quotes")
        self.refused("GET", "@acme%2fsound/9.0.0", None, 404, "a version that is not there")

    def duplicates(self, package):
        """Keys that stand twice mean one thing to one reader and another to the next."""
        text = json.dumps(package.document(self.site.url("all")))
        for what, old, new in (
            ("the name twice", '"name": "@acme/sound"', '"name": "@acme/other", "name": "@acme/sound"'),
            ("a version twice", '"versions": {', '"versions": {"1.0.0": {"name": "@acme/sound", "version": "1.0.0"}, '),
            ("the versions twice", '"versions": {', '"versions": {}, "versions": {'),
            ("the attachments twice", '"_attachments": {', '"_attachments": {}, "_attachments": {'),
            ("the integrity twice", '"integrity": "', '"integrity": "sha512-AAAA", "integrity": "'),
        ):
            expect(old in text, what)
            self.refused("PUT", "@acme%2fsound", text.replace(old, new, 1).encode(), 400, what)

    def cut(self):
        """Half of a publish leaves nothing, and the next one is whole."""
        package = npm_packages.made("@acme/cut", "1.0.0", files={"big.bin": os.urandom(3 * MEBI)})
        body = json.dumps(package.document(self.site.url("all"))).encode()
        for share in (0.01, 0.5, 0.999):
            with socket.create_connection(("127.0.0.1", self.site.port), timeout=30) as connection:
                head = f"PUT /repository/all/@acme%2fcut HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
                connection.sendall(head.encode() + body[: int(len(body) * share)])
            self.refused("GET", "@acme%2fcut", None, 404, f"{share:.1%} of a publish")
            self.refused("GET", f"@acme/cut/-/{package.file}", None, 404, "and its tarball")
        self.client().publish(package)
        expect(self.client().send("GET", f"@acme/cut/-/{package.file}")[2] == package.data, "the whole one is not what was sent")

    def huge(self):
        """300 MB of JSON that is no tarball: refused before all of it is taken, and never held in memory."""
        self.site.reset_peak()
        before = self.site.memory("VmRSS")
        pieces = {"a readme": ('"readme":"', b"x" * MEBI, '"'), "numbers": ('"numbers":[0', b",1" * (MEBI // 2), "]")}
        for what, (start, piece, end) in pieces.items():
            self.flood(f"300 MB of JSON, {what}", b'{"_id":"@acme/huge","name":"@acme/huge",' + start.encode(), piece, end.encode() + b"}")
        grown = (self.site.memory("VmHWM") - before) / 1e6
        print(f"  300 MB of JSON: server + {grown:.0f} MB")
        expect(grown < 64, f"the server has grown by {grown:.0f} MB")
        self.refused("GET", "@acme%2fhuge", None, 404, "after the flood, the package")

    def flood(self, what, start, piece, end):
        connection = http.client.HTTPConnection("127.0.0.1", self.site.port, timeout=60)
        connection.putrequest("PUT", "/repository/all/@acme%2fhuge")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Content-Length", str(len(start) + 300 * len(piece) + len(end)))
        connection.endheaders()
        try:
            for data in (start, *[piece] * 300, end):
                connection.send(data)
        except OSError:
            pass  # refused and closed while it was being sent; the answer may be there all the same
        try:
            response = connection.getresponse()
            status, data = response.status, response.read()
        except (OSError, http.client.HTTPException):
            return print(f"  {what:44} cut off")
        finally:
            connection.close()
        expect(status in (400, 413) and json.loads(data).keys() >= {"error", "reason"}, f"{what}: {status} {data[:300]!r}")
        print(f"  {what:44} {status} {json.loads(data)['reason'][:100]}")


if __name__ == "__main__":
    Scenario(*sys.argv[1:]).run()
