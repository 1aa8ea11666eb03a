#!/usr/bin/env python3
"""Proxies of a docker-registry that is open, has an htpasswd, or a token service, with right, wrong and no credentials.

    proxy_auth.py BINARY FOLDER PROGRAM

What may be had comes; a refusal upstream is never 404 and never a challenge to the client, and tells neither the client nor the log a
credential; the client's own credentials do not go upstream; tokens are asked for once per image; without the upstream, what is kept pulls.
"""
import base64
import json
import sys

from push_images import INDEX, MANIFEST, Publisher, digest
from registry import Registry
from registries import PASSWORD, USER, DockerRegistry, Entrepot, Ground, Tokens, expect, settled

WRONG = "wrong-and-secret"
APP, PUBLIC = "library/app", "public/app"
CREDENTIALS = {"right": f"authentication: {{ username: {USER}, password: {PASSWORD} }}, ",
               "wrong": f"authentication: {{ username: {USER}, password: {WRONG} }}, ", "none": ""}
ACCEPT = {"Accept": f"{INDEX}, {MANIFEST}"}


class Scenario:
    def __init__(self, binary, folder, program):
        self.binary, self.folder, self.program = binary, folder, program

    def run(self):
        with Ground() as ground:
            seed = ground.add(DockerRegistry(self.folder, "seed"))
            publisher = Publisher(seed.port, self.program)
            self.pushed = {name: publisher.push(f"{name}:1") for name in (APP, PUBLIC)}
            seed.stop()
            self.tokens = ground.add(Tokens(self.folder))
            self.upstreams = {
                guard: ground.add(DockerRegistry(self.folder, guard or "open", guard=guard, tokens=self.tokens)) for guard in (None, "passwords", "tokens")}
            self.server = ground.add(self.entrepot("proxy", CREDENTIALS))
            self.client = Registry(self.server.port)
            for repository in ("open-right", "open-wrong", "open-none", "passwords-right", "tokens-right"):
                self.pulls(repository, "app", APP)
            self.pulls("tokens-none", PUBLIC, PUBLIC)
            for repository in ("passwords-wrong", "passwords-none", "tokens-wrong"):
                self.is_refused(repository)
            self.is_hidden("tokens-none")
            self.tokens_are_kept()
            self.nothing_leaked()
            # The passwords were changed upstream, as far as the server knows: what is kept pulls, and nothing else.
            self.server.stop()
            self.server = ground.add(self.entrepot("proxy", CREDENTIALS | {"right": CREDENTIALS["wrong"]}))
            self.client = Registry(self.server.port)
            for repository in ("passwords-right", "tokens-right"):
                self.pulls(repository, "app", APP, tag="STALE", parts="HIT")
                status, _, data = self.get(f"/v2/{repository}/app/manifests/2")
                expect(status in (502, 503), f"with a password that is no longer right: {status} {data[:300]}")
            self.nothing_leaked()
            # Set right again, a refusal is not remembered.
            self.server.stop()
            self.server = ground.add(self.entrepot("proxy", CREDENTIALS))
            self.client = Registry(self.server.port)
            for repository in ("passwords-right", "tokens-right"):
                self.pulls(repository, "app", APP, tag="REVALIDATED", parts="HIT")
            for upstream in self.upstreams.values():
                upstream.stop()
            self.tokens.stop()
            for repository in ("open-none", "passwords-right", "tokens-right"):
                self.pulls(repository, "app", APP, tag="STALE", parts="HIT")
            self.nothing_leaked()

    def entrepot(self, name, credentials):
        # The token service is on this machine, and the registries name it themselves.
        lines = ["outbound: { allowPrivate: [127.0.0.0/8] }", "security: { openAccess: true }", "repositories:"]
        for guard, upstream in self.upstreams.items():
            for word, text in credentials.items():
                lines.append(
                    f"  {guard or 'open'}-{word}: {{ format: docker, type: proxy, remote: 'http://127.0.0.1:{upstream.port}', {text}"
                    "officialPrefix: library, mirror: true, cache: { maxAge: 0s } }")
        return Entrepot(self.binary, self.folder, name, "\n".join(lines) + "\n")

    def get(self, path, method="GET", **headers):
        return self.client.request(method, path, headers=ACCEPT | headers)

    def pulls(self, repository, image, name, tag=None, parts=None):
        """The index by its tag, a child and an attestation by digest, and a layer: each with its very bytes."""
        pushed = self.pushed[name]
        base = f"/v2/{repository}/{image}"
        status, headers, data = settled(lambda: self.get(f"{base}/manifests/1"), tag or "MISS")
        expect((status, data) == (200, pushed["index"]), f"{base}: {status} {data[:300]}")
        expect(tag in (None, headers["X-Cache"]), f"{base}: {headers['X-Cache']}")
        for key, child in pushed.items():
            if key.startswith("attestation") or key == "index":
                continue
            status, headers, data = self.get(f"{base}/manifests/{digest(child)}")
            expect((status, data, headers["Content-Type"]) == (200, child, MANIFEST), f"{base} {key}: {status} {data[:300]}")
            expect(parts in (None, headers["X-Cache"]), f"{base} {key}: {headers['X-Cache']}")
            layer = json.loads(child)["layers"][0]["digest"]
            status, headers, data = self.get(f"{base}/blobs/{layer}")
            expect((status, digest(data)) == (200, layer), f"{base} {layer}: {status} {data[:300]}")
            expect(parts in (None, headers["X-Cache"]), f"{base} {layer}: {headers['X-Cache']}")

    def is_refused(self, repository):
        pushed = self.pushed[APP]
        layer = json.loads(next(iter(list(pushed.values())[1:])))["layers"][0]["digest"]
        own = "Basic " + base64.b64encode(b"client:of-its-own").decode()
        for path in ("manifests/1", f"manifests/{digest(pushed['index'])}", f"blobs/{layer}", "tags/list", f"referrers/{digest(pushed['index'])}"):
            for method in ("GET", "HEAD"):
                for headers in ({}, {"Authorization": own}):
                    status, headers, data = self.get(f"/v2/{repository}/app/{path}", method, **headers)
                    words = f"{method} {repository} {path}: {status} {dict(headers)} {data[:400]}"
                    expect(status in (502, 503), words)
                    expect("WWW-Authenticate" not in headers, words)
                    expect(method == "HEAD" or json.loads(data)["errors"][0]["code"] == "UNAVAILABLE", words)
                    self.tells_no_secret(str(headers) + data.decode())

    def is_hidden(self, repository):
        """A token was issued, and does not open it: such a thing is not there, for this proxy."""
        status, _, data = self.get(f"/v2/{repository}/app/manifests/1")
        expect(status == 404 and json.loads(data)["errors"][0]["code"] == "MANIFEST_UNKNOWN", f"what strangers may not have: {status} {data[:300]}")

    def tokens_are_kept(self):
        """Of the right user one, for all that was pulled of the image."""
        asked = [line for line in self.tokens.asked() if APP in line.replace("%2F", "/") and line.endswith(f" {USER}")]
        expect(len(asked) == 1, f"tokens asked for by tokens-right: {asked}")

    def tells_no_secret(self, text):
        for secret in (WRONG, PASSWORD, "of-its-own"):
            for form in (secret, base64.b64encode(f"{USER}:{secret}".encode()).decode()):
                expect(form not in text, f"«{form}» is told: {text[-600:]}")
        expect("eyJ" not in text, f"a token is told: {text[-600:]}")

    def nothing_leaked(self):
        self.tells_no_secret(self.server.text())
        for upstream in self.upstreams.values():
            expect("of-its-own" not in upstream.text() and " - client " not in upstream.text(), "the client's own credentials went upstream")


if __name__ == "__main__":
    Scenario(*sys.argv[1:]).run()
