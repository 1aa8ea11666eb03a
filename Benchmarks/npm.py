"""npm: packuments beside nginx with the same bytes, through a group of three, `npm ci` from an upstream that is far away, and the memory that a large
package and a large packument take."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

import work
from groups import Other
from scale import Connection
from servers import Entrepot, Nginx, Server, free_port

import npm_packages
from npm_ground import Person

ABBREVIATED = "application/vnd.npm.install-v1+json"
VERSIONS = 500
ROUND_TRIP, BANDWIDTH = 30, 20
PULLS = 400
BIG = 100 << 20
LARGE = 40 << 20
# Packages that bring a compiled program, as bundlers and compilers do.
PROGRAMS, PROGRAM = 6, 8 << 20


class Shelf(Nginx):
    """A registry of static files."""

    name = "nginx"

    def locations(self):
        more = f"default_type '{ABBREVIATED}';"
        return f"location ~ /-/ {{ root {self.folder}/tarballs; default_type application/octet-stream; }} location / {{ root {self.folder}/packuments; {more} }}"

    def registry(self):
        return self.url("")

    def put(self, name, packument):
        path = f"{self.folder}/packuments/{name}"
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(packument)

    def stock(self, packages, registry):
        """`registry`: where clients see the tarballs."""
        for package in packages:
            tarball = f"{registry}/{package.name}/-/{package.file}"
            self.put(package.name, json.dumps({"name": package.name, "dist-tags": {"latest": package.version}, "versions": {package.version: package.published(tarball)}}).encode())
            path = f"{self.folder}/tarballs/{package.name}/-/{package.file}"
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "wb") as file:
                file.write(package.data)


class Far(Server):
    """The shelf, far away."""

    name = "direct"

    def __init__(self, folder, shelf):
        super().__init__(folder)
        self.shelf = shelf

    def command(self):
        self.port = self.port or free_port()
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "shaping.py")
        return [sys.executable, script, str(self.port), str(self.shelf.port), str(ROUND_TRIP), str(BANDWIDTH)]

    def registry(self):
        return self.url("")


class Site(Entrepot):
    """`remotes`: name -> URL of what a proxy each stands for; the group `all` has them behind a hosted repository."""

    def __init__(self, binary, folder, remotes):
        super().__init__(binary, folder)
        proxies = "".join(f"  {name}: {{ format: npm, type: proxy, remote: '{remote}', cache: {{ maxAge: 1h }} }}\n" for name, remote in remotes.items())
        with open(self.configuration, "w") as file:
            file.write(
                "configVersion: 1\nsecurity: { openAccess: true }\nrepositories:\n  own: { format: npm, type: hosted }\n" + proxies
                + f"  all: {{ format: npm, type: group, members: [{', '.join(['own', *remotes])}], writeTo: own }}\n")

    def registry(self):
        return self.url("/repository/hub")


def many_versions(name, count, padding=0):
    """A packument of `count` versions, with `padding` bytes of dependencies each."""
    package = npm_packages.made(name, "1.0.0", dependencies={f"dependency-{number}": "^1.0.0" for number in range(padding // 27)})
    versions = {}
    for number in range(count):
        version = f"1.{number}.0"
        versions[version] = package.published(f"/{name}/-/{name}-{version}.tgz") | {"version": version, "_id": f"{name}@{version}"}
    return versions, f"1.{count - 1}.0"


def packument(shelf, name, count, padding=0):
    versions, latest = many_versions(name, count, padding)
    for version in versions.values():
        version["dist"] = version["dist"] | {"tarball": shelf.url(version["dist"]["tarball"])}
    return json.dumps({"name": name, "modified": "2026-01-01T00:00:00.000Z", "dist-tags": {"latest": latest}, "versions": versions}).encode()


def beside_nginx(site, nginx, seconds, rounds):
    """(whole answers, answers that nothing has changed): server name -> rounds."""
    path = "/repository/hub/many"
    kept = Connection(site.port)
    kept.seconds("GET", path, 200, accept=ABBREVIATED)
    kept.close()
    # nginx serves the very bytes that the other one does.
    served = subprocess.run(["curl", "--silent", "--fail", "--header", f"Accept: {ABBREVIATED}", site.url(path)], capture_output=True, check=True).stdout
    nginx.put("many-served", served)
    urls = {site.name: site.url(path), nginx.name: nginx.url("/many-served")}
    tags = {}
    for name, url in urls.items():
        head = subprocess.run(["curl", "--silent", "--fail", "--output", "/dev/null", "--dump-header", "-", "--header", f"Accept: {ABBREVIATED}", url], capture_output=True, text=True, check=True).stdout
        tags[name] = next(line.split(":", 1)[1].strip() for line in head.splitlines() if line.lower().startswith("etag:"))
    accept = [f"Accept: {ABBREVIATED}"]
    print(f"packument of {VERSIONS} versions, {len(served) >> 10} KiB, wrk -t1 -c32 -d{seconds}s", file=sys.stderr)
    whole = work.interleaved([site, nginx], rounds, lambda server, _: work.wrk(server, urls[server.name], accept, seconds))
    print("the same, unchanged", file=sys.stderr)
    same = work.interleaved([site, nginx], rounds, lambda server, _: work.wrk(server, urls[server.name], accept + [f"If-None-Match: {tags[server.name]}"], seconds))
    return whole, same, len(served)


def group(site, rounds):
    """Repository -> rounds: one after the other over a kept connection, taken in turns; with a field that has each one asked anew, as of who signs in."""
    print("a packument through a group of three", file=sys.stderr)
    connection, results = Connection(site.port), {"hub": [], "all": []}
    ask = lambda repository: connection.seconds("GET", f"/repository/{repository}/many", 200, headers="X-Asked: anew\r\n", accept=ABBREVIATED)[0]
    for repository in results:
        ask(repository)
    for number in range(rounds):
        times = {"hub": [], "all": []}
        for at in range(PULLS):
            for repository in sorted(times, reverse=at % 2 == 0):
                times[repository].append(ask(repository))
        for repository, all_times in times.items():
            results[repository].append({"p50": statistics.median(all_times) * 1e6, "p99": sorted(all_times)[len(all_times) * 99 // 100] * 1e6})
        print(f"  round {number}: " + ", ".join(f"{name} {rows[-1]['p50']:.0f} µs" for name, rows in results.items()), file=sys.stderr)
    connection.close()
    return results


def installs(binary, folder, rounds):
    """`npm ci` with nothing cached by npm: server name -> rounds of seconds. `nginx` is the upstream without the distance: what npm itself takes."""
    packages = npm_packages.real() + [npm_packages.made(f"program-{number}", "1.0.0", files={"program": os.urandom(PROGRAM)}) for number in range(PROGRAMS)]
    print(f"npm ci of {len(packages)} packages, {ROUND_TRIP} ms and {BANDWIDTH} MiB/s away", file=sys.stderr)
    shelf = Shelf(folder)
    shelf.start()
    far = Far(folder, shelf)
    far.start()
    shelf.stock(packages, far.registry())
    site = Site(binary, folder, {"hub": far.registry()})
    person = Person(f"{folder}/person", far.registry())
    project = person.project("closure", {name: "*" for name in [*npm_packages.WANTED, *(package.name for package in packages[-PROGRAMS:])]})
    person.succeed(["npm", "install", "--package-lock-only", "--no-audit"], within=project)
    with open(f"{project}/package-lock.json") as file:
        lock = file.read()

    def ci(registry):
        person.registry = registry + "/"
        person.write()
        person.forget()
        with open(f"{project}/package-lock.json", "w") as file:
            file.write(lock.replace(f"{far.registry()}/", person.registry))
        return person.timed(["npm", "ci", "--no-audit", "--ignore-scripts"], within=project)

    def measure(server, _):
        if server is not site:
            return {"cold": ci(server.registry())}
        site.stop()
        site.empty()
        site.start()
        cold = ci(site.registry())
        return {"cold": cold, "warm": ci(site.registry())}

    try:
        ci(far.registry())  # node itself, in the page cache
        return work.interleaved([far, site, shelf], rounds, measure)
    finally:
        for server in (site, far, shelf):
            server.stop()


def memory(site, shelf, rounds):
    """What is done -> rounds: MiB that the server's peak is above what it had, and seconds."""
    print("memory: a package of 100 MB published, a packument of 40 MB proxied", file=sys.stderr)
    publisher = npm_packages.Publisher(site.url("/repository/own"))
    publisher.publish(npm_packages.made("warm-up", "1.0.0"))
    results = {"publish": [], "packument": [], "again": []}
    for number in range(rounds):
        name = f"large-{number}"
        shelf.put(name, packument(shelf, name, LARGE // 40_000, 40_000))
        results["publish"].append(grown(site, lambda: publish_big(site, number)))
        for key in ("packument", "again"):
            results[key].append(grown(site, lambda: fetch(site.url(f"/repository/hub/{name}"))))
        print("  " + ", ".join(f"{key} + {rows[-1]['memory']:.0f} MiB in {rows[-1]['seconds']:.1f} s" for key, rows in results.items()), file=sys.stderr)
    return results


def rewriting(binary, folder, rounds):
    """Rounds of what a packument of 4.75 MB costs between the upstream's bytes and the client's: step -> milliseconds."""
    versions, latest = many_versions("many", VERSIONS * 4, 2085)
    times = {version: "2026-01-01T00:00:00.000Z" for version in versions}
    for version in versions.values():
        version["dist"] = version["dist"] | {"tarball": f"https://registry.example.com{version['dist']['tarball']}"}
    document = json.dumps({"name": "many", "dist-tags": {"latest": latest}, "versions": versions, "time": times}, separators=(",", ":")).encode()
    path = os.path.join(folder, "rewritten.json")
    with open(path, "wb") as file:
        file.write(document)
    print(f"a packument of {len(document)} bytes and {len(versions)} versions rewritten", file=sys.stderr)
    results = []
    for _ in range(rounds):
        line = [os.path.join(os.path.dirname(binary), "rewriting"), path, "many", "41"]
        output = subprocess.run(line, capture_output=True, text=True, timeout=120, check=True).stdout
        results.append({name: float(took) for name, took in (row.split("\t") for row in output.splitlines())})
        print("  " + ", ".join(f"{name} {took:.2f} ms" for name, took in results[-1].items()), file=sys.stderr)
    return results, len(document), len(versions)


def grown(server, action):
    server.reset_peak()
    before, began = server.memory("VmRSS"), time.monotonic()
    action()
    return {"seconds": time.monotonic() - began, "memory": server.memory("VmHWM") - before}


def fetch(url):
    line = ["curl", "--silent", "--show-error", "--fail", "--header", f"Accept: {ABBREVIATED}", "--output", "/dev/null", "--write-out", "%{size_download}", url]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300)
    if done.returncode or int(done.stdout) < LARGE * 9 // 10:
        sys.exit(f"{url}: {done.stdout} bytes, {done.stderr}")


def publish_big(site, number):
    """The document is made in a file and sent by curl: what it costs to make is not of the server."""
    package = npm_packages.Package({"name": "big", "version": f"1.{number}.0"}, os.urandom(BIG))
    path = os.path.join(site.folder, "publish.json")
    document = package.document(site.url("/repository/own"))
    with open(path, "w") as file:
        json.dump(document, file)
    del document
    line = ["curl", "--silent", "--show-error", "--fail-with-body", "--header", "Content-Type: application/json", "--upload-file", path, site.url("/repository/own/big")]
    done = subprocess.run(line, capture_output=True, text=True, timeout=300)
    os.remove(path)
    if done.returncode:
        sys.exit(f"publishing 100 MB: {done.stdout} {done.stderr}")


def measure(binary, folder, rounds, seconds):
    folder = os.path.join(folder, "npm")
    os.makedirs(f"{folder}/far")
    for place in (folder, f"{folder}/far"):
        os.chmod(place, 0o755)
    shelf, other = Shelf(folder), Other(folder)
    servers = [shelf, other]
    try:
        for server in servers:
            server.start()
        shelf.put("many", packument(shelf, "many", VERSIONS))
        site = Site(binary, folder, {"other": other.url(""), "hub": shelf.url("")})
        servers.append(site)
        site.start()
        results = [beside_nginx(site, shelf, seconds, rounds), rewriting(binary, folder, rounds), group(site, rounds), memory(site, shelf, rounds)]
    finally:
        for server in reversed(servers):
            server.stop()
    results.append(installs(binary, f"{folder}/far", rounds))
    shutil.rmtree(folder)
    return results
