#!/usr/bin/env python3
"""Three Entrepots, edge -> region -> hub, each a process of its own, before Debian's docker-registry and before a hosted repository.

    proxy_chain.py BINARY FOLDER PROGRAM

A path in a remote comes before image names. X-Cache tells what the asked level did, Age since when what it says is known to hold, through all
levels. Then one server after another stops, from the far end, and each time everything that was pulled still pulls.
"""
import http.client
import http.server
import json
import sys
import threading

from push_images import INDEX, MANIFEST, Publisher, descriptor, digest, manifest
from registry import Registry
from registries import DockerRegistry, Entrepot, Ground, expect, settled

ACCEPT = {"Accept": f"{INDEX}, {MANIFEST}"}
# What a cache before the registry says: no test has to wait for things to grow old.
OLD = 1000


class Front(http.server.BaseHTTPRequestHandler):
    """A cache before docker-registry, as far as its clients can tell: it adds an Age."""
    protocol_version = "HTTP/1.1"
    upstream = 0

    def do_GET(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=30)
        try:
            connection.request(self.command, self.path, headers={name: self.headers[name] for name in ("Accept", "Range") if name in self.headers})
            response = connection.getresponse()
            data = response.read()
        except OSError:
            self.close_connection = True
            return
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "date", "server", "content-length"):
                self.send_header(name, value)
        self.send_header("Content-Length", response.getheader("Content-Length", str(len(data))))
        self.send_header("Age", str(OLD))
        self.end_headers()
        self.wfile.write(data)
        connection.close()

    do_HEAD = do_GET

    def log_message(self, *arguments):
        pass


def proxy(name, remote, cache, more=""):
    return f"  {name}: {{ format: docker, type: proxy, remote: 'http://127.0.0.1:{remote}', cache: {{ {cache} }}{more} }}\n"


class Chain:
    def __init__(self, binary, folder, program):
        self.binary, self.folder, self.program = binary, folder, program

    def start(self, ground):
        self.registry = ground.add(DockerRegistry(self.folder, "registry"))
        self.pushed = Publisher(self.registry.port, self.program).push("library/app:1")
        Front.upstream = self.registry.port
        self.front = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Front)
        threading.Thread(target=self.front.serve_forever, daemon=True).start()
        asks = "maxAge: 0s"
        self.hub = ground.add(Entrepot(
            self.binary, self.folder, "hub", "security: { openAccess: true }\nrepositories:\n  own: { format: docker, type: hosted }\n"
            + proxy("hub", self.front.server_port, asks, ", officialPrefix: library")))
        port = self.hub.port
        self.region = ground.add(Entrepot(
            self.binary, self.folder, "region",
            "security: { openAccess: true }\nrepositories:\n" + proxy("region", f"{port}/hub", asks) + proxy("own", f"{port}/own", asks) + proxy("team", f"{port}/own/team", asks)))
        port = self.region.port
        self.edge = ground.add(Entrepot(
            self.binary, self.folder, "edge",
            "security: { openAccess: true }\nrepositories:\n" + proxy("edge", f"{port}/region", asks) + proxy("kept", f"{port}/region", "maxAge: 1h") + proxy("own", f"{port}/own", asks)
            # Two names before the image's: the repository at the region, and the first part of the image's name there.
            + proxy("library", f"{port}/region/library", asks).replace("library:", "official:", 1) + proxy("team", f"{port}/team", asks)))
        self.levels = [(self.hub, "hub"), (self.region, "region"), (self.edge, "edge")]

    def run(self):
        with Ground() as ground:
            self.start(ground)
            self.cold_then_warm()
            self.names()
            self.hosted()
            self.stopping()

    def get(self, server, path, method="GET"):
        client = Registry(server.port)
        status, headers, data = client.request(method, path, headers=ACCEPT)
        client.close()
        return status, headers, data

    def same(self, server, path, wanted, cache, least=0, most=OLD - 1):
        status, headers, data = settled(lambda: self.get(server, path), cache)
        words = f"{server.name} {path}: {status} X-Cache {headers['X-Cache']} Age {headers['Age']} {data[:200]}"
        expect((status, data) == (200, wanted), words)
        expect(headers["X-Cache"] == cache and least <= int(headers["Age"]) <= most, f"{words}; wanted {cache} and {least} to {most}")

    def parts(self):
        here = [data for key, data in self.pushed.items() if key != "index" and not key.startswith("attestation")][0]
        return here, json.loads(here)["layers"][0]["digest"]

    def cold_then_warm(self):
        old = dict(least=OLD, most=OLD + 300)
        child, layer = self.parts()
        tag, by_digest, blob = "app/manifests/1", f"app/manifests/{digest(child)}", f"app/blobs/{layer}"
        # The edge alone is asked: what it had to fetch, so had those behind it.
        self.same(self.edge, f"/v2/edge/{tag}", self.pushed["index"], "MISS", **old)
        self.same(self.edge, f"/v2/edge/{by_digest}", child, "MISS", **old)
        status, headers, data = self.get(self.edge, f"/v2/edge/{blob}")
        expect((status, digest(data), headers["X-Cache"]) == (200, layer, "MISS") and int(headers["Age"]) >= OLD, f"{blob}: {status} {dict(headers)}")
        for server, name in reversed(self.levels):
            # Asked again, and still so, says the far end, by way of all between.
            self.same(server, f"/v2/{name}/{tag}", self.pushed["index"], "REVALIDATED", **old)
            self.same(server, f"/v2/{name}/{by_digest}", child, "HIT", **old)
            status, headers, data = settled(lambda: self.get(server, f"/v2/{name}/{blob}"), "HIT")
            expect((status, digest(data), headers["X-Cache"]) == (200, layer, "HIT") and int(headers["Age"]) >= OLD, f"{name} {blob}: {dict(headers)}")
        # A level that is content with what it knows: the age counts from what the far end said, and so it asks before its own hour is over.
        self.same(self.edge, f"/v2/kept/{tag}", self.pushed["index"], "MISS", **old)
        before = len(self.registry.asked())
        self.same(self.edge, f"/v2/kept/{tag}", self.pushed["index"], "HIT", **old)
        expect(len(self.registry.asked()) == before, "a HIT at the edge reached the far end")
        # Each thing was got from the registry once, whatever level and repository asked.
        for path in (f"manifests/{digest(self.pushed['index'])}", f"manifests/{digest(child)}", f"blobs/{layer}"):
            got = [line for line in self.registry.asked() if line.startswith(f"GET /v2/library/app/{path} ")]
            expect(len(got) == 1, f"{path} was got {len(got)} times")

    def names(self):
        """Below the path of a remote: `official/app` at the edge is `region/library/app` at the region, and `library/app` at the hub."""
        self.same(self.edge, "/v2/official/app/manifests/1", self.pushed["index"], "MISS", OLD, OLD + 300)
        status, _, data = self.get(self.edge, "/v2/official/app/tags/list")
        expect((status, json.loads(data)) == (200, {"name": "official/app", "tags": ["1"]}), f"tags through three levels: {status} {data[:200]}")
        for path, code in (("/v2/edge/app/manifests/none", "MANIFEST_UNKNOWN"), ("/v2/official/none/manifests/1", "MANIFEST_UNKNOWN")):
            status, _, data = self.get(self.edge, path)
            expect(status == 404 and json.loads(data)["errors"][0]["code"] == code, f"what is nowhere: {path} {status} {data[:200]}")

    def hosted(self):
        """The hub's own repository, with a signature that its referrers API tells of, and a list of tags in pages."""
        publisher = Publisher(self.hub.port, self.program)
        name = "own/team/app"
        image = publisher.push(f"{name}:1")
        for tag in ("2", "3"):
            publisher.put(name, tag, image["index"], INDEX)
        subject = descriptor(INDEX, image["index"])
        publisher.registry.push_blob(name, b"{}")
        signature = manifest(
            descriptor("application/vnd.oci.empty.v1+json", b"{}"), [descriptor("application/octet-stream", b"{}")], artifactType="test/signature", subject=subject)
        publisher.put(name, digest(signature), signature, MANIFEST)
        self.signed = {"subject": subject["digest"], "signature": signature, "index": image["index"]}
        self.same(self.edge, "/v2/own/team/app/manifests/1", image["index"], "MISS")
        self.same(self.edge, "/v2/team/app/manifests/1", image["index"], "MISS")
        for base in ("/v2/own/team/app", "/v2/team/app"):
            status, headers, data = self.get(self.edge, f"{base}/referrers/{subject['digest']}?artifactType=test/signature")
            found = [(entry["digest"], entry["artifactType"]) for entry in json.loads(data).get("manifests", [])]
            expect(status == 200 and found == [(digest(signature), "test/signature")], f"{base}: its referrers: {status} {data[:300]}")
            expect(headers["Content-Type"] == INDEX and headers["OCI-Filters-Applied"] == "artifactType", f"{base}: {dict(headers)}")
            expect(json.loads(self.get(self.edge, f"{base}/referrers/{subject['digest']}?artifactType=test/none")[2])["manifests"] == [], "a filter")
            self.same(self.edge, f"{base}/manifests/{digest(signature)}", signature, "MISS")
            tags, path = [], f"{base}/tags/list?n=1"
            while path and len(tags) < 9:
                status, headers, data = self.get(self.edge, path)
                tags += json.loads(data)["tags"]
                path = headers["Link"].split("<")[1].split(">")[0] if headers["Link"] else None
            expect(tags == ["1", "2", "3"], f"{base}: tags by pages: {tags}")

    def stopping(self):
        """From the far end on. Whoever lost its upstream says STALE; whoever has one asks it, and is told the same."""
        child, layer = self.parts()
        for down in ("registry", "hub", "region"):
            getattr(self, down).stop()
            up = self.levels[{"registry": 0, "hub": 1, "region": 2}[down]:]
            for number, (server, name) in enumerate(up):
                base = f"/v2/{name}/app"
                self.same(server, f"{base}/manifests/1", self.pushed["index"], "REVALIDATED" if number else "STALE", OLD, OLD + 300)
                self.same(server, f"{base}/manifests/{digest(child)}", child, "HIT", OLD, OLD + 300)
                status, headers, data = self.get(server, f"{base}/blobs/{layer}")
                expect((status, digest(data), headers["X-Cache"]) == (200, layer, "HIT"), f"without the {down}: {name} {layer}: {status}")
            status, _, data = self.get(self.edge, "/v2/edge/app/manifests/never")
            expect(status in (502, 504), f"without the {down}, what is not kept: {status} {data[:200]}")
        # What the hub hosted, with region and hub gone: the signature that was pulled is told of still.
        self.same(self.edge, "/v2/own/team/app/manifests/1", self.signed["index"], "STALE")
        status, _, data = self.get(self.edge, f"/v2/own/team/app/referrers/{self.signed['subject']}")
        found = [entry["digest"] for entry in json.loads(data).get("manifests", [])]
        expect(status == 200 and found == [digest(self.signed["signature"])], f"referrers that are kept: {status} {data[:300]}")
        status, _, data = self.get(self.edge, "/v2/own/team/app/tags/list")
        expect(status == 200 and json.loads(data)["tags"] == ["1"], f"tags that are kept: {status} {data[:200]}")


if __name__ == "__main__":
    Chain(*sys.argv[1:]).run()
