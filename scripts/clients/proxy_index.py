#!/usr/bin/env python3
"""An index with attestations, signatures and lists of referrers, through a proxy of Debian's docker-registry.

    proxy_index.py BINARY FOLDER PROGRAM

Bytes are kept exactly, and of what the index names only what a client asks for is fetched: docker-registry's access log tells.
"""
import json
import sys
import time

from push_images import ELSEWHERE, HERE, INDEX, MANIFEST, Publisher, descriptor, digest, manifest
from registry import Registry
from registries import DockerRegistry, Entrepot, Ground, expect, settled

NAME = "library/app"


class Scenario:
    def __init__(self, binary, folder, program):
        self.binary, self.folder, self.program = binary, folder, program

    def run(self):
        with Ground() as ground:
            self.upstream = ground.add(DockerRegistry(self.folder, "registry"))
            self.push()
            configuration = (
                f"security: {{ openAccess: true }}\nrepositories:\n  hub: {{ format: docker, type: proxy, remote: 'http://127.0.0.1:{self.upstream.port}', officialPrefix: library, "
                "listen: '127.0.0.1:0', host: hub.example.com, cache: { maxAge: 0s } }\n")
            server = ground.add(Entrepot(self.binary, self.folder, "proxy", configuration, listeners=2))
            # The repository's own root: as dockerd asks a mirror.
            self.client = Registry(server.ports[1])
            self.seen = len(self.upstream.asked())
            by_host = Registry(server.port)
            for host, status in (("hub.example.com", 404), ("other.example.com", 404), ("hub.example.com", 404)):
                by_host.request("GET", f"/v2/{NAME}/manifests/none", headers={"Host": host}, wanted={status})
            self.asked("HEAD manifests/none")
            self.one_platform()
            self.attestation()
            self.heads()
            self.referrers()
            self.ranges()
            self.docker_types()
            self.upstream.stop()
            self.without()
            # Back at its place: it is asked again at once, over whatever became of the connections to it.
            self.upstream, self.seen = ground.add(DockerRegistry(self.folder, "registry-again", port=self.upstream.port)), 0
            self.same("manifests/1", self.index, INDEX, "REVALIDATED")
            self.asked("HEAD manifests/1")

    def push(self):
        publisher = Publisher(self.upstream.port, self.program)
        self.pushed = publisher.push(f"{NAME}:1")
        self.index = self.pushed["index"]
        publisher.registry.push_blob(NAME, b"{}")
        subject = descriptor(INDEX, self.index)
        empty = descriptor("application/vnd.oci.empty.v1+json", b"{}")
        self.signature = manifest(empty, [empty], artifactType="test/signature", subject=subject, annotations={"made": "by hand"})
        publisher.put(NAME, digest(self.signature), self.signature, MANIFEST)
        # docker-registry has no referrers API: clients keep the list under a tag.
        self.listed = json.dumps({
            "schemaVersion": 2, "mediaType": INDEX,
            "manifests": [descriptor(MANIFEST, self.signature, artifactType="test/signature", annotations={"made": "by hand"})]}).encode()
        self.fallback = digest(self.index).replace(":", "-")
        publisher.put(NAME, self.fallback, self.listed, INDEX)
        # As cosign signs.
        self.cosigned = manifest(empty, [empty], annotations={"dev.cosignproject.cosign/signature": "none"})
        publisher.put(NAME, f"{self.fallback}.sig", self.cosigned, MANIFEST)

    def get(self, path, method="GET", **headers):
        return self.client.request(method, f"/v2/{NAME}/{path}", headers={"Accept": f"{INDEX}, {MANIFEST}"} | headers)

    def same(self, path, wanted, media_type, cache):
        status, headers, data = settled(lambda: self.get(path), cache)
        words = f"{path}: {status} {dict(headers)} {data[:200]}"
        expect((status, data, headers["Content-Type"], headers["X-Cache"]) == (200, wanted, media_type, cache), words)
        expect(headers["Docker-Content-Digest"] == digest(wanted) and int(headers["Content-Length"]) == len(wanted), words)

    def asked(self, *wanted):
        """What has reached the upstream since the last time, in any order; `wanted` without the image's name."""
        for _ in range(200):
            now = [line.rsplit(" ", 1)[0].replace(f" /v2/{NAME}/", " ") for line in self.upstream.asked()]
            new = now[self.seen:]
            if len(new) >= len(wanted):
                break
            # docker-registry writes its log after the last byte.
            time.sleep(0.01)
        self.seen = len(now)
        expect(sorted(new) == sorted(wanted), f"the upstream was asked for {new}; wanted {list(wanted)}")

    def parts(self, name):
        value = json.loads(self.pushed[name])
        return value["config"]["digest"], value["layers"][0]["digest"]

    def blob(self, name):
        status, headers, data = self.get(f"blobs/{name}")
        expect((status, digest(data), headers["Docker-Content-Digest"]) == (200, name, name), f"{name}: {status} {data[:200]}")

    def one_platform(self):
        """As docker pulls: the index by its tag, the platform's manifest, its configuration and layer; no more than that is fetched."""
        index, child = digest(self.index), digest(self.pushed[HERE])
        self.same("manifests/1", self.index, INDEX, "MISS")
        self.asked("HEAD manifests/1", f"GET manifests/{index}")
        self.same(f"manifests/{index}", self.index, INDEX, "HIT")
        self.same(f"manifests/{child}", self.pushed[HERE], MANIFEST, "MISS")
        config, layer = self.parts(HERE)
        self.blob(config)
        self.blob(layer)
        self.asked(f"GET manifests/{child}", f"GET blobs/{config}", f"GET blobs/{layer}")
        for _ in range(2):
            self.same(f"manifests/{child}", self.pushed[HERE], MANIFEST, "HIT")
            self.blob(layer)
        self.asked()
        self.same("manifests/1", self.index, INDEX, "REVALIDATED")
        self.asked("HEAD manifests/1")

    def attestation(self):
        name = f"attestation of {HERE}"
        child = digest(self.pushed[name])
        self.same(f"manifests/{child}", self.pushed[name], MANIFEST, "MISS")
        config, statement = self.parts(name)
        self.blob(statement)
        self.asked(f"GET manifests/{child}", f"GET blobs/{statement}")
        # The other platform: its layer is here already, and its upstream is asked only whether this image may have it.
        child = digest(self.pushed[ELSEWHERE])
        self.same(f"manifests/{child}", self.pushed[ELSEWHERE], MANIFEST, "MISS")
        self.blob(self.parts(ELSEWHERE)[1])
        self.asked(f"GET manifests/{child}")

    def heads(self):
        """A HEAD of what is not here asks upstream, and fetches nothing; containerd asks for manifests as blobs too."""
        name = f"attestation of {ELSEWHERE}"
        child, (config, statement) = digest(self.pushed[name]), self.parts(name)
        for path, size in ((f"manifests/{child}", len(self.pushed[name])), (f"blobs/{statement}", None)):
            status, headers, data = self.get(path, "HEAD")
            expect(status == 200 and not data and size in (None, int(headers["Content-Length"])), f"HEAD {path}: {status} {dict(headers)}")
        self.asked(f"HEAD manifests/{child}", f"HEAD blobs/{statement}")
        status, headers, _ = self.get("manifests/nothing", "HEAD")
        expect(status == 404, f"HEAD of nothing: {status}")
        self.asked("HEAD manifests/nothing")

    def referrers(self):
        subject = digest(self.index)
        status, headers, data = self.get(f"referrers/{subject}")
        found = json.loads(data)["manifests"]
        expect(status == 200 and headers["Content-Type"] == INDEX, f"referrers: {status} {dict(headers)}")
        expect([(entry["digest"], entry["artifactType"], entry["annotations"]) for entry in found]
               == [(digest(self.signature), "test/signature", {"made": "by hand"})], f"referrers: {data[:400]}")
        self.asked(f"GET referrers/{subject}", f"HEAD manifests/{self.fallback}", f"GET manifests/{digest(self.listed)}")
        self.same(f"manifests/{digest(self.signature)}", self.signature, MANIFEST, "MISS")
        self.same(f"manifests/{self.fallback}.sig", self.cosigned, MANIFEST, "MISS")
        self.asked(f"GET manifests/{digest(self.signature)}", f"HEAD manifests/{self.fallback}.sig", f"GET manifests/{digest(self.cosigned)}")
        # Listed twice, by its own subject and under the tag: it is one.
        found = json.loads(self.get(f"referrers/{subject}")[2])["manifests"]
        expect([entry["digest"] for entry in found] == [digest(self.signature)], f"a referrer that is kept and listed: {found}")

    def ranges(self):
        layer = self.parts(HERE)[1]
        whole = self.get(f"blobs/{layer}")[2]
        status, headers, data = self.get(f"blobs/{layer}", Range="bytes=10-19")
        expect((status, data, headers["Content-Range"]) == (206, whole[10:20], f"bytes 10-19/{len(whole)}"), f"a range: {status} {dict(headers)}")
        status, _, data = self.get(f"manifests/{digest(self.index)}", **{"If-None-Match": f'"{digest(self.index)}"'})
        expect((status, data) == (304, b""), f"If-None-Match: {status}")
        for algorithm in ("gzip", "gzip, zstd"):
            status, headers, data = self.get(f"manifests/{digest(self.index)}", **{"Accept-Encoding": algorithm})
            expect((data, headers["Content-Encoding"]) == (self.index, None), "a manifest was encoded on its way")

    def docker_types(self):
        """Docker's own types stay what they are, and are not made OCI's."""
        image, listed = "application/vnd.docker.distribution.manifest.v2+json", "application/vnd.docker.distribution.manifest.list.v2+json"
        publisher = Publisher(self.upstream.port, self.program)
        child = json.loads(self.pushed[HERE])
        child["mediaType"], child["config"]["mediaType"] = image, "application/vnd.docker.container.image.v1+json"
        child["layers"][0]["mediaType"] = "application/vnd.docker.image.rootfs.diff.tar.gzip"
        child = json.dumps(child).encode()
        publisher.put(NAME, digest(child), child, image)
        value = {"schemaVersion": 2, "mediaType": listed, "manifests": [descriptor(image, child, platform={"architecture": HERE, "os": "linux"})]}
        index = json.dumps(value, indent=2).encode()
        publisher.put(NAME, "docker", index, listed)
        self.same("manifests/docker", index, listed, "MISS")
        self.same(f"manifests/{digest(child)}", child, image, "MISS")
        self.same("manifests/docker", index, listed, "REVALIDATED")

    def without(self):
        subject = digest(self.index)
        self.same("manifests/1", self.index, INDEX, "STALE")
        for name in (HERE, ELSEWHERE, f"attestation of {HERE}"):
            self.same(f"manifests/{digest(self.pushed[name])}", self.pushed[name], MANIFEST, "HIT")
        self.same(f"manifests/{self.fallback}.sig", self.cosigned, MANIFEST, "STALE")
        found = json.loads(self.get(f"referrers/{subject}")[2])["manifests"]
        expect([entry["digest"] for entry in found] == [digest(self.signature)], f"referrers without the upstream: {found}")
        status, _, data = self.get(f"manifests/{digest(self.pushed[f'attestation of {ELSEWHERE}'])}")
        expect(status == 502 and json.loads(data)["errors"][0]["code"] == "UNAVAILABLE", f"what was never fetched: {status} {data[:200]}")


if __name__ == "__main__":
    Scenario(*sys.argv[1:]).run()
