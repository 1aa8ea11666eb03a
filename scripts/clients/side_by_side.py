#!/usr/bin/env python3
"""Several pushes at once, released by a barrier.

    side_by_side.py blob PORT     16 pushes of one blob: each is answered 201, and the blob is whole
    side_by_side.py tag  PORT     rounds of two pushes of one tag: both are answered 201, the tag is one of them, both stay by digest
"""
import random
import sys
import threading

from registry import Registry, digest

IMAGE = "docker-local/acme/concurrent"


def at_once(actions):
    """Runs all of them at the same moment; the errors, as text."""
    barrier, errors = threading.Barrier(len(actions)), []

    def run(action):
        try:
            barrier.wait(30)
            action()
        except Exception as error:  # every failure of a thread must reach the end of the script
            errors.append(repr(error))

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    return errors


def one_blob(port):
    data = random.Random(16).randbytes(3_000_000)
    errors = at_once([lambda n=n: Registry(port).push_blob(IMAGE, data, in_chunks=n % 2 == 0) for n in range(16)])
    if errors:
        sys.exit("\n".join(errors))
    found = Registry(port).blob_digest(IMAGE, digest(data))
    if found != (digest(data), len(data)):
        sys.exit(f"the blob is {found}")


def one_tag(port):
    registry = Registry(port)
    numbers = random.Random(2)
    for round_number in range(20):
        manifests = []
        for _ in range(2):
            data = numbers.randbytes(100)
            part = (registry.push_blob(IMAGE, data), len(data))
            manifests.append(registry.image_manifest(part, [part]))
        errors = at_once([lambda m=m: Registry(port).push_manifest(IMAGE, "one", m) for m in manifests])
        if errors:
            sys.exit("\n".join(errors))
        if registry.manifest(IMAGE, "one") not in manifests:
            sys.exit(f"round {round_number}: the tag is neither of the two")
        for manifest in manifests:
            if registry.manifest(IMAGE, digest(manifest)) != manifest:
                sys.exit(f"round {round_number}: {digest(manifest)} was acknowledged and is not there")


if __name__ == "__main__":
    {"blob": one_blob, "tag": one_tag}[sys.argv[1]](int(sys.argv[2]))
