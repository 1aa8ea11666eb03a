#!/usr/bin/env python3
"""Sixteen clients push images that share their layers, at once: six skopeo processes and ten pushers of our own, of which half mount.

    crowd.py push  PORT FOLDER   the pushes; their manifests are noted in FOLDER/crowd.json
    crowd.py check PORT FOLDER   every noted manifest is served whole by its digest and its tag, with all its blobs
    crowd.py drop  PORT FOLDER   deletes every second one by its digest, and notes only the others
"""
import json
import os
import random
import subprocess
import sys

from side_by_side import at_once
from registry import MANIFEST, Refused, Registry, digest

ROOT = "docker-local/crowd"
SHARED = 6
SKOPEOS, PUSHERS = 6, 10


def blob(name, size):
    return random.Random(name).randbytes(size)


def layers(number):
    """What image `number` consists of: layers that all of them have, in an order of its own, and one that only it has."""
    shared = [blob(f"shared {n}", 400_000 + n) for n in range(SHARED)]
    random.Random(number).shuffle(shared)
    return shared + [blob(f"own {number}", 150_000)]


def image(number):
    """(manifest, blobs): the configuration is the first blob."""
    parts = layers(number)
    diffs = [digest(part) for part in parts]
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "rootfs": {"type": "layers", "diff_ids": diffs}, "config": {}, "n": number}
    ).encode()
    described = [(name, len(part)) for name, part in zip(diffs, parts)]
    return Registry(0).image_manifest((digest(config), len(config)), described), [config] + parts


def layout(folder, number):
    """The image as an OCI layout, for skopeo."""
    path = os.path.join(folder, f"layout-{number}")
    blobs = os.path.join(path, "blobs", "sha256")
    os.makedirs(blobs)
    manifest, parts = image(number)
    for data in [manifest] + parts:
        with open(os.path.join(blobs, digest(data)[7:]), "wb") as file:
            file.write(data)
    entry = {"mediaType": MANIFEST, "digest": digest(manifest), "size": len(manifest)}
    entry["annotations"] = {"org.opencontainers.image.ref.name": "one"}
    for name, value in {"oci-layout": {"imageLayoutVersion": "1.0.0"}, "index.json": {"schemaVersion": 2, "manifests": [entry]}}.items():
        with open(os.path.join(path, name), "w") as file:
            json.dump(value, file)
    return path


def by_skopeo(port, number, path):
    target = f"docker://127.0.0.1:{port}/{ROOT}/{number}:1"
    line = ["skopeo", "--insecure-policy", "copy", "--preserve-digests", "--dest-tls-verify=false", f"oci:{path}:one", target]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise Refused(f"skopeo {number}: {done.stderr[-800:]}")


def by_hand(port, number, mounts):
    registry, name = Registry(port), f"{ROOT}/{number}"
    manifest, parts = image(number)
    for index, data in enumerate(parts):
        if registry.request("HEAD", f"/v2/{name}/blobs/{digest(data)}", wanted={200, 404})[0] == 200:
            continue
        if mounts and mounted(registry, name, data, f"{ROOT}/{(number + 1) % (SKOPEOS + PUSHERS)}"):
            continue
        registry.push_blob(name, data, in_chunks=index % 2 == 0)
    registry.push_manifest(name, "1", manifest)
    registry.close()


def mounted(registry, name, data, source):
    """From an image whose own push is on its way: what is not there yet is answered with a session, which is cancelled."""
    query = f"?mount={digest(data)}&from={source}"
    status, headers, _ = registry.request("POST", f"/v2/{name}/blobs/uploads/{query}", body=b"", wanted={201, 202})
    if status == 202:
        registry.request("DELETE", registry.local(headers["Location"]), wanted={204})
    return status == 201


def note(folder, numbers=None):
    path = os.path.join(folder, "crowd.json")
    if numbers is not None:
        with open(path, "w") as file:
            json.dump(numbers, file)
        return numbers
    with open(path) as file:
        return json.load(file)


def push(port, folder):
    paths = [layout(folder, number) for number in range(SKOPEOS)]
    actions = [lambda n=n: by_skopeo(port, n, paths[n]) for n in range(SKOPEOS)]
    actions += [lambda n=n: by_hand(port, n, mounts=n % 2 == 0) for n in range(SKOPEOS, SKOPEOS + PUSHERS)]
    errors = at_once(actions)
    if errors:
        sys.exit("\n".join(errors))
    note(folder, list(range(SKOPEOS + PUSHERS)))


def check(port, folder):
    registry, wrong = Registry(port), []
    for number in note(folder):
        name, (manifest, parts) = f"{ROOT}/{number}", image(number)
        for reference in ("1", digest(manifest)):
            if registry.manifest(name, reference) != manifest:
                wrong.append(f"{name} {reference} is not what was pushed")
        for data in parts:
            if registry.blob_digest(name, digest(data)) != (digest(data), len(data)):
                wrong.append(f"{name} lacks {digest(data)}")
    if wrong:
        sys.exit("\n".join(wrong))
    print(f"{len(note(folder))} images are whole")


def drop(port, folder):
    registry, numbers = Registry(port), note(folder)
    for number in numbers[::2]:
        name, (manifest, _) = f"{ROOT}/{number}", image(number)
        registry.request("DELETE", f"/v2/{name}/manifests/{digest(manifest)}", wanted={202})
        if registry.manifest(name, "1") is not None:
            sys.exit(f"{name} was deleted and is there")
    note(folder, numbers[1::2])


if __name__ == "__main__":
    {"push": push, "check": check, "drop": drop}[sys.argv[1]](int(sys.argv[2]), sys.argv[3])
