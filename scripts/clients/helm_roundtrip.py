#!/usr/bin/env python3
"""helm: packages a chart, signs it, pushes it, lists its version, pulls it. usage: helm_roundtrip.py HOST:PORT REPOSITORY FOLDER"""
import json
import os
import subprocess
import sys
import urllib.request

host, repository, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
# Helm and GnuPG keep everything below the folder of this test; the agent's socket wants a short path.
keys = os.path.join(folder, "g")
for name in ("CACHE", "CONFIG", "DATA"):
    os.environ[f"HELM_{name}_HOME"] = os.path.join(folder, name.lower())
os.environ.update(HOME=folder, GNUPGHOME=keys, HELM_REGISTRY_CONFIG=os.path.join(folder, "registry.json"))

from helm_python import chart, registry  # noqa: E402  reads the environment


def read(*parts):
    with open(os.path.join(*parts), "rb") as file:
        return file.read()


def gpg(*arguments, to=None):
    line = ["gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "", *arguments]
    result = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, check=True)
    if to:
        with open(to, "wb") as file:
            file.write(result.stdout)
    return to


def fetch(path):
    accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    with urllib.request.urlopen(urllib.request.Request(f"http://{host}/v2/{repository}/demo/{path}", headers=accept)) as answer:
        return answer.read()


os.makedirs(keys, mode=0o700)
gpg("--quick-gen-key", "A test <test@example.test>", "rsa2048", "sign", "never")
secret = gpg("--export-secret-keys", to=os.path.join(folder, "secret.gpg"))
public = gpg("--export", to=os.path.join(folder, "public.gpg"))
subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)

chart.Chart.create("demo", folder)
# A `+` may not be in a tag: helm writes `_`, and reads it back.
versions = ["0.1.0", "0.2.0+build.7"]
for version in versions:
    package = str(chart.package(os.path.join(folder, "demo"), destination=folder, version=version))
    chart.sign(package, key="A test", keyring=secret)
    registry.push(package, f"oci://{host}/{repository}", plain_http=True)
    # Again: everything is there already.
    registry.push(package, f"oci://{host}/{repository}", plain_http=True)

client = registry.RegistryClient(plain_http=True)
tags = client.tags(f"{host}/{repository}/demo")
assert sorted(tags) == versions, tags

for version in versions:
    target = os.path.join(folder, f"pulled-{version}")
    os.makedirs(target)
    registry.pull(f"oci://{host}/{repository}/demo", version=version, destination=target, plain_http=True)
    name = f"demo-{version}.tgz"
    assert read(target, name) == read(folder, name), f"{name} came back as other bytes"
    manifest = json.loads(fetch("manifests/" + version.replace("+", "_")))
    assert manifest["config"]["mediaType"] == "application/vnd.cncf.helm.config.v1+json", manifest
    layers = {layer["mediaType"]: layer["digest"] for layer in manifest["layers"]}
    assert fetch("blobs/" + layers["application/vnd.cncf.helm.chart.content.v1.tar+gzip"]) == read(folder, name)
    signature = fetch("blobs/" + layers["application/vnd.cncf.helm.chart.provenance.v1.prov"])
    assert signature == read(folder, name + ".prov"), "the provenance came back as other bytes"
    with open(os.path.join(target, name + ".prov"), "wb") as file:
        file.write(signature)
    chart.verify(os.path.join(target, name), public)
print("helm: packaged, signed, pushed, listed, pulled and verified")
