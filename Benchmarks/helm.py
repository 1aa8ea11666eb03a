"""Helm: an index of 5,000 chart versions beside nginx with the same bytes, what publishing into it costs, a proxy's index of 20 MB, and the memory of it all."""
import gzip
import io
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import time

import work
from scale import Connection
from servers import Entrepot, Nginx

MANY = 5000
CHARTS = 50
EARLY, AROUND = 10, 20
# The last publishes, whose CPU is counted.
LAST = 100
LARGE = 20 << 20


class Shelf(Nginx):
    """An index as a static file, and a large one as an upstream."""

    name = "nginx"

    def locations(self):
        return f"location / {{ root {self.folder}/shelf; default_type application/yaml; }}"

    def put(self, name, data):
        path = f"{self.folder}/shelf/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)


class Site(Entrepot):
    def __init__(self, binary, folder, far):
        super().__init__(binary, folder)
        with open(self.configuration, "w") as file:
            file.write(
                "configVersion: 1\nsecurity: { openAccess: true }\nrepositories:\n  charts: { format: helm, type: hosted }\n"
                f"  far: {{ format: helm, type: proxy, remote: '{far}', cache: {{ maxAge: 1h }} }}\n")


def archive(name, version):
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as tar:
        for path, text in (("Chart.yaml", f"apiVersion: v2\nname: {name}\nversion: {version}\ndescription: a chart of many\ntype: application\nappVersion: '1.0'\n"), ("values.yaml", "replicas: 1\n" * 50)):
            entry = tarfile.TarInfo(f"{name}/{path}")
            data = text.encode()
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return gzip.compress(raw.getvalue(), 1, mtime=0)


def large_index(digest="0" * 64):
    """YAML as Go writes it."""
    out = ["apiVersion: v1\nentries:\n"]
    size, number = 0, 0
    while size < LARGE:
        lines = [f"  chart-{number}:\n"]
        for version in range(100):
            lines.append(
                f"  - apiVersion: v2\n    appVersion: 1.{version}.0\n    created: \"2026-01-01T00:00:00.000000000Z\"\n    description: A chart for Kubernetes that does something\n    digest: {digest}\n"
                f"    home: https://charts.example.com/chart-{number}\n    keywords:\n    - one\n    - two\n    maintainers:\n    - email: someone@example.com\n      name: someone\n"
                f"    name: chart-{number}\n    type: application\n    urls:\n    - https://charts.example.com/files/chart-{number}-1.{version}.0.tgz\n    version: 1.{version}.0\n")
        text = "".join(lines)
        size += len(text)
        number += 1
        out.append(text)
    return "".join(out + ['generated: "2026-01-01T00:00:00.000000000Z"\n']).encode()


def publish(site):
    """The seconds of each, and the CPU milliseconds of one of the last, alone and with the index read after it."""
    connection = Connection(site.port)
    times = []

    def one(number):
        name, version = f"chart-{number % CHARTS}", f"1.{number // CHARTS}.0"
        times.append(connection.seconds("PUT", f"/repository/charts/{name}-{version}.tgz", 201, body=archive(name, version))[0])

    for number in range(MANY - LAST):
        one(number)
    cpu = site.cpu()
    for number in range(MANY - LAST, MANY):
        one(number)
    alone = (site.cpu() - cpu) / LAST * 1e3
    cpu = site.cpu()
    for number in range(MANY, MANY + LAST):
        one(number)
        connection.seconds("GET", "/repository/charts/index.yaml", 200)
    followed = (site.cpu() - cpu) / LAST * 1e3
    connection.close()
    return times, alone, followed


def measure(binary, folder, rounds, seconds):
    folder = os.path.join(folder, "helm")
    os.makedirs(folder)
    os.chmod(folder, 0o755)
    shelf = Shelf(folder)
    shelf.start()
    shelf.put("far/index.yaml", large_index())
    site = Site(binary, folder, shelf.url("/far"))
    site.start()
    try:
        site.reset_peak()
        print(f"publishing {MANY + LAST} versions of {CHARTS} charts", file=sys.stderr)
        times, alone, followed = publish(site)
        early = statistics.median(times[EARLY - AROUND // 2 : EARLY + AROUND // 2 + 1]) * 1e3
        late = statistics.median(times[MANY - AROUND : MANY]) * 1e3
        url = site.url("/repository/charts/index.yaml")
        served = subprocess.run(["curl", "--silent", "--fail", url], capture_output=True, check=True).stdout
        shelf.put("index.yaml", served)
        urls = {site.name: url, shelf.name: shelf.url("/index.yaml")}
        print(f"an index of {len(served) >> 10} KiB, wrk -t1 -c32 -d{seconds}s", file=sys.stderr)
        index = work.interleaved([site, shelf], rounds, lambda server, _: work.wrk(server, urls[server.name], [], seconds))
        peak = site.memory("VmHWM")
        print("a proxy's index of 20 MB", file=sys.stderr)
        site.reset_peak()
        large = []
        for path in ("/repository/far/index.yaml",) * 2:
            cpu, began = site.cpu(), time.monotonic()
            done = subprocess.run(["curl", "--silent", "--fail", "--output", "/dev/null", site.url(path)], timeout=120, check=True)
            large.append({"seconds": time.monotonic() - began, "cpu": site.cpu() - cpu})
        return index, len(served), (early, late, alone, followed), peak, large, site.memory("VmHWM")
    finally:
        for server in (site, shelf):
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
