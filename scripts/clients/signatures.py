#!/usr/bin/env python3
"""Artifacts that refer to an image, by oras and by the formats of cosign. usage: signatures.py HOST:PORT IMAGE FOLDER"""
import base64
import json
import os
import sys

import oras.client
import oras.oci
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

from registry import CONFIG, MANIFEST, Registry, digest

INDEX = "application/vnd.oci.image.index.v1+json"
SIGNED = "application/vnd.dev.cosign.simplesigning.v1+json"
ANNOTATION = "dev.cosignproject.cosign/signature"

host, image, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
os.chdir(folder)
registry = Registry(int(host.rpartition(":")[2]))


def push_image(tag, content):
    layer, config = registry.push_blob(image, content), registry.push_blob(image, b"{}")
    manifest = registry.image_manifest((config, 2), [(layer, len(content))])
    registry.push_manifest(image, tag, manifest)
    return manifest


def referrers(name, kind=None):
    path = f"/v2/{image}/referrers/{name}" + (f"?artifactType={kind}" if kind else "")
    _, headers, data = registry.request("GET", path, wanted={200})
    assert headers["Content-Type"] == INDEX, headers["Content-Type"]
    assert headers.get("OCI-Filters-Applied") == ("artifactType" if kind else None), headers
    return {entry["digest"]: entry for entry in json.loads(data)["manifests"]}


def attach(subject):
    """As `oras attach`: a manifest with a subject, once by the SDK, once with an artifact type of its own."""
    name = digest(subject)
    with open("sbom.json", "wb") as file:
        file.write(b'{"spdxVersion": "SPDX-2.3"}')
    client = oras.client.OrasClient(hostname=host, insecure=True)
    about = oras.oci.Subject(MANIFEST, name, len(subject))
    client.push(files=["sbom.json:application/spdx+json"], target=f"{host}/{image}:sbom", subject=about, disable_path_validation=True)
    sbom = registry.manifest(image, "sbom")
    assert json.loads(sbom)["subject"]["digest"] == name
    empty = {"mediaType": "application/vnd.oci.empty.v1+json", "digest": registry.push_blob(image, b"{}"), "size": 2}
    note = {"schemaVersion": 2, "mediaType": MANIFEST, "artifactType": "application/vnd.example.note", "config": empty, "layers": [empty]}
    note |= {"subject": {"mediaType": MANIFEST, "digest": name, "size": len(subject)}, "annotations": {"by": "a test"}}
    note = json.dumps(note).encode()
    _, headers, _ = registry.request(
        "PUT", f"/v2/{image}/manifests/{digest(note)}", body=note, headers={"Content-Type": MANIFEST}, wanted={201})
    assert headers["OCI-Subject"] == name, headers

    found = referrers(name)
    assert set(found) == {digest(sbom), digest(note)}, found
    assert found[digest(note)]["artifactType"] == "application/vnd.example.note" and found[digest(note)]["annotations"] == {"by": "a test"}
    assert found[digest(sbom)]["artifactType"] == json.loads(sbom)["config"]["mediaType"], found
    assert set(referrers(name, "application/vnd.example.note")) == {digest(note)}
    assert referrers(name, "application/vnd.example.other") == {}
    return note


def copy(names, target):
    """As `oras copy -r`: blobs are mounted, manifests are pushed byte for byte, and the list of referrers follows."""
    for name in names:
        data = registry.manifest(image, name)
        value = json.loads(data)
        for part in [value["config"], *value["layers"]]:
            registry.request("POST", f"/v2/{target}/blobs/uploads/?mount={part['digest']}&from={image}", body=b"", wanted={201})
        registry.push_manifest(target, name, data)
        assert registry.manifest(target, name) == data
    _, _, data = registry.request("GET", f"/v2/{target}/referrers/{names[0]}", wanted={200})
    assert [entry["digest"] for entry in json.loads(data)["manifests"]] == names[1:], data


def sign(subject):
    """As `cosign sign --key`: a tag `sha256-<hex>.sig`, whose layer is what was signed and says so in an annotation."""
    name = digest(subject)
    key = ec.generate_private_key(ec.SECP256R1())
    identity = {"docker-reference": f"{host}/{image}"}
    critical = {"identity": identity, "image": {"docker-manifest-digest": name}, "type": "cosign container image signature"}
    payload = json.dumps({"critical": critical, "optional": None}).encode()
    signature = base64.b64encode(key.sign(payload, ec.ECDSA(hashes.SHA256()))).decode()
    layer = {"mediaType": SIGNED, "digest": registry.push_blob(image, payload), "size": len(payload), "annotations": {ANNOTATION: signature}}
    config = json.dumps({"architecture": "", "os": "", "config": {}, "rootfs": {"type": "layers", "diff_ids": [digest(payload)]}}).encode()
    part = {"mediaType": CONFIG, "digest": registry.push_blob(image, config), "size": len(config)}
    manifest = json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": part, "layers": [layer]}).encode()
    tag = name.replace(":", "-") + ".sig"
    registry.push_manifest(image, tag, manifest)

    (layer,) = json.loads(registry.manifest(image, tag))["layers"]
    _, _, served = registry.request("GET", f"/v2/{image}/blobs/{layer['digest']}", wanted={200})
    proof = base64.b64decode(layer["annotations"][ANNOTATION])
    key.public_key().verify(proof, served, ec.ECDSA(hashes.SHA256()))
    try:
        key.public_key().verify(proof, served + b" ", ec.ECDSA(hashes.SHA256()))
        raise AssertionError("a signature of other bytes was accepted")
    except InvalidSignature:
        pass
    assert digest(manifest) not in referrers(name), "a tag that ends in .sig is a tag, and no list of referrers"


def fall_back(subject, note):
    """As a client that knows no referrers API: it keeps the list itself, under the tag `sha256-<hex>`."""
    name, tag = digest(subject), digest(subject).replace(":", "-")
    old = push_image("old-signature", b"a signature that has no subject")
    before = referrers(name)
    entries = [
        {"mediaType": MANIFEST, "digest": digest(old), "size": len(old), "artifactType": "application/vnd.example.old"},
        {"mediaType": MANIFEST, "digest": digest(note), "size": len(note), "artifactType": "application/vnd.example.note"},
    ]
    listed = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()
    target = f"/v2/{image}/manifests/{tag}"
    registry.request("PUT", target, body=listed, headers={"Content-Type": INDEX}, wanted={201})
    _, _, served = registry.request("GET", target, headers={"Accept": INDEX}, wanted={200})
    assert served == listed
    path = f"/v2/{image}/referrers/{name}"
    _, _, data = registry.request("GET", path, wanted={200})
    names = [entry["digest"] for entry in json.loads(data)["manifests"]]
    assert len(names) == len(set(names)) and set(names) == set(before) | {digest(old)}, names
    assert set(referrers(name, "application/vnd.example.old")) == {digest(old)}
    registry.request("DELETE", target, wanted={202})
    assert set(referrers(name)) == set(before)


subject = push_image("1", b"an image's only layer")
note = attach(subject)
copy([digest(subject), digest(note)], image + "-copied")
sign(subject)
fall_back(subject, note)
registry.request("DELETE", f"/v2/{image}/manifests/{digest(note)}", wanted={202})
assert digest(note) not in referrers(digest(subject)), "a deleted artifact still refers"
print("attached, listed, copied, signed and merged")
