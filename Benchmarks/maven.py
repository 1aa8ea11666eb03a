"""Maven: the requests of a real build played again beside nginx with the same files, a small jar, metadata of two thousand versions, and what it costs to deploy the
tenth version and the last."""
import json
import os
import shutil
import statistics
import subprocess
import sys
import time

import work
from scale import Connection
from servers import Entrepot, Nginx

import maven_ground

MANY, EARLY = 2000, 10
# What one deploy takes scatters; the median of so many around the tenth and the last.
AROUND = 15


class Files(Nginx):
    """The machine's own Maven repository."""

    def locations(self):
        return f"location / {{ root {maven_ground.CENTRAL}; default_type application/octet-stream; }}"


class Site(Entrepot):
    def __init__(self, binary, folder, upstream):
        super().__init__(binary, folder)
        with open(self.configuration, "w") as file:
            file.write(
                "configVersion: 1\nsecurity: { openAccess: true }\nrepositories:\n  own: { format: maven2, type: hosted }\n"
                f"  central: {{ format: maven2, type: proxy, remote: '{upstream}', cache: {{ maxAge: 1h }} }}\n"
                "  public: { format: maven2, type: group, members: [own, central] }\n")

    def asked(self, repository):
        """Paths below the repository that were answered by 200, in their order."""
        found = []
        with open(os.path.join(self.folder, "log"), errors="replace") as log:
            for line in log:
                if '"logger":"access"' in line:
                    entry = json.loads(line)
                    if entry["repository"] == repository and entry["status"] == 200 and entry["method"] == "GET":
                        found.append(entry["path"].removeprefix(f"/repository/{repository}"))
        return found


def replayed(server, prefix, paths, seconds, folder):
    """All connections walk the list, over and over."""
    script = os.path.join(folder, "paths.lua")
    with open(script, "w") as file:
        file.write("local paths = {" + ",".join(json.dumps(prefix + path) for path in paths) + "}\nlocal at = 0\n")
        file.write("request = function() at = at % #paths + 1; return wrk.format('GET', paths[at]) end\n")
    return work.wrk(server, server.url("/"), [], seconds, more=["-s", script])


def deploys(site):
    """Version after version of one artifact: the seconds of each."""
    connection = Connection(site.port)
    rows = []
    for number in range(MANY + 1):
        path = f"/repository/own/com/acme/many/1.{number}/many-1.{number}.jar"
        rows.append(connection.seconds("PUT", path, 201, body=b"%d" % number * 200)[0])
    connection.close()
    return rows


def measure(binary, folder, rounds, seconds):
    folder = os.path.join(folder, "maven")
    os.makedirs(folder)
    os.chmod(folder, 0o755)
    files = Files(folder)
    files.start()
    site = Site(binary, folder, files.url("/"))
    site.start()
    servers = [site, files]
    try:
        person = maven_ground.Person(f"{folder}/person", site.url("/repository"))
        print("a build with mvn, through the group", file=sys.stderr)
        person.mvn(person.project("app", "1.0", maven_ground.JUNIT + maven_ground.IO, test=True), "package")
        paths = [path for path in site.asked("public") if os.path.isfile(maven_ground.CENTRAL + path)]
        prefix = {site.name: "/repository/public", files.name: ""}
        print(f"its {len(paths)} requests again, wrk -t1 -c32 -d{seconds}s", file=sys.stderr)
        build = work.interleaved(servers, rounds, lambda server, _: replayed(server, prefix[server.name], paths, seconds, folder))
        small = min((path for path in paths if path.endswith(".jar")), key=lambda path: abs(os.path.getsize(maven_ground.CENTRAL + path) - 20_000))
        print(f"a small jar: {small}", file=sys.stderr)
        jar = work.interleaved(servers, rounds, lambda server, _: work.wrk(server, server.url(prefix[server.name] + small), [], seconds))
        print(f"deploying {MANY + 1} versions", file=sys.stderr)
        times = [took * 1e3 for took in deploys(site)]
        early = statistics.median(times[EARLY - AROUND // 2 : EARLY + AROUND // 2 + 1])
        late = statistics.median(times[-AROUND:])
        url = site.url("/repository/own/com/acme/many/maven-metadata.xml")
        metadata = work.interleaved([site], rounds, lambda server, _: work.wrk(server, url, [], seconds))
        size = int(subprocess.run(["curl", "--silent", "--output", "/dev/null", "--write-out", "%{size_download}", url], capture_output=True, text=True, check=True).stdout)
        jar_size = os.path.getsize(maven_ground.CENTRAL + small)
        return build, len(paths), jar, jar_size, (early, late), metadata, size
    finally:
        for server in reversed(servers):
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)
