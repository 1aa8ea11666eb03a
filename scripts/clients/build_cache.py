#!/usr/bin/env python3
"""What buildx leaves in a registry: a build cache, and an image with attestations. usage: build_cache.py HOST:PORT IMAGE"""
import json
import os
import sys

from registry import CONFIG, LAYER, MANIFEST, Registry, digest

INDEX = "application/vnd.oci.image.index.v1+json"
CACHE = "application/vnd.buildkit.cacheconfig.v0"
STATEMENT = "application/vnd.in-toto+json"
GZIPPED = LAYER + "+gzip"
UNKNOWN = {"architecture": "unknown", "os": "unknown"}

host, image = sys.argv[1:]
registry = Registry(int(host.rpartition(":")[2]))


def part(kind, data, **more):
    return {"mediaType": kind, "digest": registry.push_blob(image, data, in_chunks=True), "size": len(data), **more}


def push(reference, value):
    data = json.dumps(value).encode()
    registry.request("PUT", f"/v2/{image}/manifests/{reference or digest(data)}", body=data, headers={"Content-Type": value["mediaType"]}, wanted={201})
    return {"mediaType": value["mediaType"], "digest": digest(data), "size": len(data)}


def pull(reference, pushed):
    """Every byte below it is what its digest says."""
    accept = {"Accept": f"{INDEX}, {MANIFEST}"}
    _, headers, data = registry.request("GET", f"/v2/{image}/manifests/{reference}", headers=accept, wanted={200})
    assert digest(data) == pushed["digest"] == headers["Docker-Content-Digest"] and headers["Content-Type"] == pushed["mediaType"], headers
    value = json.loads(data)
    for entry in [*value.get("manifests", []), *value.get("layers", []), *([value["config"]] if "config" in value else [])]:
        if entry["mediaType"] in (INDEX, MANIFEST):
            pull(entry["digest"], entry)
        else:
            assert registry.blob_digest(image, entry["digest"]) == (entry["digest"], entry["size"]), entry


def delete(reference):
    registry.request("DELETE", f"/v2/{image}/manifests/{reference}", wanted={202})
    registry.request("GET", f"/v2/{image}/manifests/{reference}", wanted={404})


def cache(tag, kind):
    """`--cache-to type=registry`: an index (or, with image-manifest=true, a manifest) over layers and one configuration of records."""
    layers = [part(GZIPPED, os.urandom(size)) for size in (100_000, 300)]
    records = [{"digest": layer["digest"], "layers": [{"layer": number}]} for number, layer in enumerate(layers)]
    config = part(CACHE, json.dumps({"layers": [{"blob": layer["digest"]} for layer in layers], "records": records}).encode())
    value = {"schemaVersion": 2, "mediaType": kind}
    value |= {"manifests": [*layers, config]} if kind == INDEX else {"config": config, "layers": layers}
    pushed = push(tag, value)
    pull(tag, pushed)
    return pushed


def attested(tag):
    """`--provenance --sbom`: for each platform a manifest of statements, whose platform is unknown."""
    children = []
    for machine in ("amd64", "arm64"):
        config = part(CONFIG, json.dumps({"architecture": machine, "os": "linux"}).encode())
        made = push(None, {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [part(GZIPPED, os.urandom(5000))]})
        children.append(made | {"platform": {"architecture": machine, "os": "linux"}})
    for made in children[:]:
        statements = []
        for kind in ("https://slsa.dev/provenance/v0.2", "https://spdx.dev/Document"):
            subject = [{"name": "_", "digest": {"sha256": made["digest"].partition(":")[2]}}]
            text = json.dumps({"_type": "https://in-toto.io/Statement/v0.1", "predicateType": kind, "subject": subject, "predicate": {}}).encode()
            statements.append(part(STATEMENT, text, annotations={"in-toto.io/predicate-type": kind}))
        config = part(CONFIG, json.dumps(UNKNOWN | {"config": {}, "rootfs": {"type": "layers", "diff_ids": []}}).encode())
        attestation = push(None, {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": statements})
        about = {"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": made["digest"]}
        children.append(attestation | {"platform": UNKNOWN, "annotations": about})
    pushed = push(tag, {"schemaVersion": 2, "mediaType": INDEX, "manifests": children})
    pull(tag, pushed)
    return pushed, children


first = cache("cache", INDEX)
# Each build replaces the tag; the old cache stays readable by its digest until it is deleted.
second = cache("cache", INDEX)
pull(first["digest"], first)
delete(first["digest"])
pull("cache", second)
cache("cache-manifest", MANIFEST)
image_index, children = attested("1")
delete("1")
pull(image_index["digest"], image_index)
delete(image_index["digest"])
for child in children:
    pull(child["digest"], child)
    delete(child["digest"])
pull("cache", second)
delete("cache")
print("build caches and attestations: pushed, pulled and deleted")
