#!/usr/bin/env python3
"""modelpack: pushes a small model and pulls it. usage: modelpack_roundtrip.py HOST:PORT IMAGE FOLDER"""
import json
import os
import struct
import sys
import urllib.request

from modelpack_client import ModelDescriptor, ModelLayer, ModelPackClient, ModelPackConfig, ModelTechnicalConfig

host, image, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)


def write(name, data):
    path = os.path.join(folder, name)
    with open(path, "wb") as file:
        file.write(data)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


# Safetensors: the length of the header, the header, the numbers.
header = json.dumps({"weight": {"dtype": "F32", "shape": [256, 1024], "data_offsets": [0, 1 << 20]}}).encode()
weights = struct.pack("<Q", len(header)) + header + os.urandom(1 << 20)
files = {
    write("model.safetensors", weights): "application/vnd.cncf.model.weight.v1.raw",
    write("tokenizer.json", b'{"version": "1.0"}'): "application/vnd.cncf.model.weight.config.v1.raw",
}
config = ModelPackConfig(
    descriptor=ModelDescriptor(name="tiny", version="1.0.0", licenses=("Apache-2.0",)),
    config=ModelTechnicalConfig(architecture="transformer", format="safetensors", param_size="262k", precision="float32"),
)
for chunked, tag in ((False, "1.0.0"), (True, "1.0.0-chunked")):
    target = f"{host}/{image}:{tag}"
    client = ModelPackClient(insecure=True)
    client.push(target, layers=[ModelLayer(path, media_type=kind) for path, kind in files.items()], config=config, chunked=chunked, chunk_size=300_000)
    pulled = os.path.join(folder, f"pulled-{tag}")
    client.pull(target, pulled)
    for path in files:
        assert read(os.path.join(pulled, os.path.basename(path))) == read(path), f"{path} came back as other bytes"
    accept = {"Accept": "application/vnd.oci.image.manifest.v1+json"}
    with urllib.request.urlopen(urllib.request.Request(f"http://{host}/v2/{image}/manifests/{tag}", headers=accept)) as answer:
        manifest = json.load(answer)
    assert manifest["artifactType"] == "application/vnd.cncf.model.manifest.v1+json", manifest
    assert manifest["config"]["mediaType"] == "application/vnd.cncf.model.config.v1+json", manifest
    assert [layer["mediaType"] for layer in manifest["layers"]] == list(files.values()), manifest
print("modelpack: pushed and pulled")
