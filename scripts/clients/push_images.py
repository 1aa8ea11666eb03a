#!/usr/bin/env python3
"""Pushes small images that run: one static program, for two platforms, with attestations, as builders make them.

    push_images.py PORT PROGRAM NAME:TAG...

Each name is an OCI index of this machine's platform, another platform, and an attestation for each of them. Prints what was pushed, as JSON.
"""
import gzip
import io
import json
import platform
import sys
import tarfile

from registry import CONFIG, MANIFEST, Registry, digest

INDEX = "application/vnd.oci.image.index.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar+gzip"
HERE = {"x86_64": "amd64", "aarch64": "arm64"}[platform.machine()]
ELSEWHERE = "s390x"


def layer(program):
    """(bytes, digest of what is packed in them)."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        entry = tarfile.TarInfo("bin/busybox")
        entry.mode = 0o755
        with open(program, "rb") as file:
            data = file.read()
        entry.size = len(data)
        archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(out.getvalue(), 1, mtime=0), digest(out.getvalue())


def descriptor(media_type, data, **more):
    return {"mediaType": media_type, "digest": digest(data), "size": len(data), **more}


def manifest(config, layers, **more):
    return json.dumps({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers, **more}).encode()


class Publisher:
    def __init__(self, port, program):
        self.registry = Registry(port)
        self.layer, self.unpacked = layer(program)

    def image(self, name, architecture):
        """Bytes of a manifest. The label makes every name an image of its own; the layer is everybody's."""
        config = json.dumps({
            "architecture": architecture, "os": "linux", "config": {"Entrypoint": ["/bin/busybox"], "Labels": {"name": name}},
            "rootfs": {"type": "layers", "diff_ids": [self.unpacked]},
        }).encode()
        for data in (self.layer, config):
            self.registry.push_blob(name, data)
        return manifest(descriptor(CONFIG, config), [descriptor(LAYER, self.layer)])

    def attestation(self, name, subject):
        """As BuildKit makes it."""
        statement = json.dumps({"_type": "https://in-toto.io/Statement/v0.1", "subject": [{"name": name, "digest": digest(subject)}]}).encode()
        config = json.dumps({"architecture": "unknown", "os": "unknown", "rootfs": {"type": "layers", "diff_ids": [digest(statement)]}}).encode()
        for data in (statement, config):
            self.registry.push_blob(name, data)
        return manifest(descriptor(CONFIG, config), [descriptor("application/vnd.in-toto+json", statement)])

    def push(self, reference):
        name, _, tag = reference.rpartition(":")
        entries, pushed = [], {}
        for architecture in (HERE, ELSEWHERE):
            image = self.image(name, architecture)
            pushed[architecture] = image
            entries.append(descriptor(MANIFEST, image, platform={"architecture": architecture, "os": "linux"}))
        for architecture in (HERE, ELSEWHERE):
            attestation = self.attestation(name, pushed[architecture])
            pushed["attestation of " + architecture] = attestation
            annotations = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": digest(pushed[architecture])}
            entries.append(descriptor(MANIFEST, attestation, platform={"architecture": "unknown", "os": "unknown"}, annotations=annotations))
        for data in pushed.values():
            self.put(name, digest(data), data, MANIFEST)
        # Spaces as no program writes them: bytes must be kept, and not what they mean.
        index = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}, indent=3).encode()
        self.put(name, tag, index, INDEX)
        return {"index": index, **pushed}

    def put(self, name, reference, data, media_type):
        self.registry.request("PUT", f"/v2/{name}/manifests/{reference}", body=data, headers={"Content-Type": media_type}, wanted={201})


def main(port, program, *references):
    publisher = Publisher(int(port), program)
    print(json.dumps({reference: {key: digest(data) for key, data in publisher.push(reference).items()} for reference in references}))


if __name__ == "__main__":
    main(*sys.argv[1:])
