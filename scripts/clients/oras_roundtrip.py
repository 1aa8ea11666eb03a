#!/usr/bin/env python3
"""oras: pushes a file as an artifact, lists its tag, pulls it. usage: oras_roundtrip.py HOST:PORT IMAGE FOLDER"""
import os
import sys

import oras.client

host, image, folder = sys.argv[1:]
os.makedirs(folder, exist_ok=True)
os.chdir(folder)
content = os.urandom(100_000)
with open("model.bin", "wb") as file:
    file.write(content)
client = oras.client.OrasClient(hostname=host, insecure=True)
target = f"{host}/{image}:1"
answer = client.push(files=["model.bin"], target=target, manifest_annotations={"made.by": "a test"}, disable_path_validation=True)
assert answer.status_code in (200, 201), answer.text
assert client.get_tags(f"{host}/{image}") == ["1"], client.get_tags(f"{host}/{image}")
assert client.get_manifest(target)["annotations"] == {"made.by": "a test"}
(pulled,) = client.pull(target=target, outdir="pulled")
with open(pulled, "rb") as file:
    assert file.read() == content
print("oras: pushed, listed and pulled")
