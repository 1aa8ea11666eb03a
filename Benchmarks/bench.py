#!/usr/bin/env python3
"""Measures the release binary beside nginx and docker-registry: the same bytes, the same clients, rounds interleaved, medians.

Everything is on loopback, in a temporary folder, and every process that is started here is ended here by its id. Client and
servers share the machine's cores: trust ratios within one table and CPU seconds, not absolute rates. `scale` needs no peer: it measures
the binary beside itself, with a thousand rows and with a million.
"""
import argparse
import mmap
import os
import shutil
import sys
import tempfile

import access
import cold
import groups
import helm
import maven
import npm
import report
import scale
import tls
import work
from servers import DockerRegistry, Entrepot, Nginx

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
BESIDE = ["pull", "manifest", "push", "start"]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--binary", default=os.path.join(ROOT, ".build/release/entrepot"))
    parser.add_argument("--rounds", type=int, default=3, help="of each measurement (3)")
    parser.add_argument("--size", type=int, default=1024, help="of the big layer, in MiB (1024)")
    parser.add_argument("--seconds", type=int, default=4, help="of each wrk run (4)")
    parser.add_argument("--only", choices=BESIDE + ["tls", "access", "cold", "groups", "npm", "maven", "helm", "scale"], action="append", help="may be given more than once")
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    return parser.parse_args()


def touch_memory():
    """A virtual machine's memory costs its first writer a fault in the host. Touched once, it costs all that is measured the same."""
    with open("/proc/meminfo") as lines:
        available = next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))
    size = available * 3 // 4 >> 22 << 22
    with mmap.mmap(-1, size) as memory:
        block = b"\1" * (1 << 22)
        for at in range(0, size, len(block)):
            memory[at:at + len(block)] = block


def beside(options, wanted, folder):
    """Tables that show the binary beside other programs."""
    servers = [Entrepot(options.binary, folder), DockerRegistry(folder), Nginx(folder)]
    tables = []
    try:
        touch_memory()
        layer = work.random_file(os.path.join(folder, "layer.bin"), options.size)
        for server in servers:
            server.start()
        if "pull" in wanted or "manifest" in wanted:
            for server in servers:
                server.place(layer)
        if "pull" in wanted:
            tables.append(report.pull(work.pull(servers, layer, 1, options.rounds), 1))
            tables.append(report.pull(work.pull(servers, layer, 8, options.rounds), 8))
        if "manifest" in wanted:
            tables.append(report.manifest(work.manifest(servers, options.seconds, options.rounds)))
        if "push" in wanted:
            tables.append(report.push(work.push([s for s in servers if s.pushes], layer, options.rounds)))
        if "start" in wanted:
            tables.append(report.start(work.start(servers[:2], options.rounds)))
    finally:
        for server in servers:
            server.stop()
    return tables


def main():
    options = arguments()
    wanted = options.only or BESIDE + ["tls", "access", "cold", "groups", "npm", "maven", "helm", "scale"]
    peers = [name for name in wanted if name in BESIDE]
    for program in [options.binary] + (["curl", "wrk", "docker-registry", "/usr/sbin/nginx"] + ["npm"] * ("npm" in wanted) + ["mvn"] * ("maven" in wanted) if wanted != ["scale"] else []):
        if shutil.which(program) is None:
            sys.exit(f"{program} is not there; make bench installs and builds what is needed")
    texts = {}
    # On a disk: /tmp may be memory.
    folder = tempfile.mkdtemp(prefix="entrepot-bench-", dir="/var/tmp")
    os.chmod(folder, 0o755)  # nginx's worker may run as another user
    try:
        if peers:
            texts["bench"] = report.document(beside(options, peers, folder), options)
        if "tls" in wanted:
            if not peers:
                touch_memory()
            texts["tls"] = report.tls(*tls.measure(options.binary, folder, options.rounds, options.size), options)
        if "access" in wanted:
            texts["access"] = report.access(access.measure(options.binary, folder, options.rounds, options.seconds), options)
        if "cold" in wanted:
            touch_memory()
            texts["cold"] = report.cold(*cold.measure(options.binary, folder, options.rounds, options.size), options)
        if "groups" in wanted:
            texts["groups"] = report.groups(*groups.measure(options.binary, folder, options.rounds))
        if "npm" in wanted:
            texts["npm"] = report.npm(*npm.measure(options.binary, folder, options.rounds, options.seconds))
        if "maven" in wanted:
            texts["maven"] = report.maven(*maven.measure(options.binary, folder, options.rounds, options.seconds))
        if "helm" in wanted:
            texts["helm"] = report.helm(*helm.measure(options.binary, folder, options.rounds, options.seconds))
        if "scale" in wanted:
            texts["scale"] = report.scale(*scale.measure(options.binary, folder, options.rounds))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    for section, text in texts.items():
        print(text)
        if options.write:
            report.write(os.path.join(ROOT, "docs/performance.md"), section, text)


if __name__ == "__main__":
    main()
