#!/usr/bin/env python3
"""Pushes a layer of random bytes as docker does, then pulls it and compares; holds one MiB at a time.

    big_layer.py PORT MEBIBYTES
"""
import hashlib
import random
import sys

from registry import Registry

IMAGE = "docker-local/acme/big"


def pieces(mebibytes, hashed):
    for number in range(mebibytes):
        piece = random.Random(number).randbytes(1 << 20)
        hashed.update(piece)
        yield piece


def main(port, mebibytes):
    registry = Registry(port, timeout=300)
    hashed = hashlib.sha256()
    location = registry.append(registry.session(IMAGE), pieces(mebibytes, hashed))
    name = "sha256:" + hashed.hexdigest()
    registry.finish(location, name)
    found = registry.blob_digest(IMAGE, name)
    if found != (name, mebibytes << 20):
        sys.exit(f"pushed {name}, pulled {found}")
    print(name)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
