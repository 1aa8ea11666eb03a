"""mvn with no, wrong, good, reading and revoked credentials; and what is answered before a body has come.

usage: maven_access.py ENTREPOT FOLDER
"""
import base64
import http.client
import re
import socket
import subprocess
import sys

from maven_ground import JUNIT, Person, Upstream, plugin
from registries import Entrepot

SITE = """configVersion: 1
repositories:
  releases: {{ format: maven2, type: hosted, versionPolicy: release, owns: ["com.acme.**"] }}
  central: {{ format: maven2, type: proxy, remote: "http://127.0.0.1:{upstream}/" }}
  public: {{ format: maven2, type: group, members: [releases, central] }}
security:
  roles: {{ deployer: ["read:*", "write:*"], reader: ["read:*"] }}
"""


def check(what, holds):
    if not holds:
        raise SystemExit(f"not so: {what}")
    print(f"ok: {what}", flush=True)


def command(binary, folder, *words, given=None):
    line = [binary, *words, "--config", f"{folder}/access.yaml", "--data", f"{folder}/access-data"]
    done = subprocess.run(line, input=given, capture_output=True, text=True, timeout=60)
    if done.returncode:
        raise SystemExit(f"{line}: {done.stderr}")
    return done.stdout.strip()


def early(port, path, authorization, length=1 << 30):
    """The status that comes for a PUT whose body waits to be asked for, and whether it was asked for."""
    connection = socket.create_connection(("127.0.0.1", port), timeout=20)
    credentials = f"Authorization: {authorization}\r\n" if authorization else ""
    connection.sendall(f"PUT {path} HTTP/1.1\r\nHost: localhost\r\n{credentials}Content-Length: {length}\r\nExpect: 100-continue\r\n\r\n".encode())
    answer = connection.recv(4096).decode()
    if answer.startswith("HTTP/1.1 100"):
        connection.sendall(b"x" * length)
        answer = answer[answer.index("\r\n\r\n") + 4 :] or connection.recv(4096).decode()
        connection.close()
        return int(answer[9:12]), True
    connection.close()
    return int(answer[9:12]), False


def main(binary, folder):
    upstream = Upstream()
    server = Entrepot(binary, folder, "access", SITE.format(upstream=upstream.port))
    url = f"http://127.0.0.1:{server.port}/repository"
    try:
        for name, role in (("ann", "deployer"), ("bob", "reader")):
            command(binary, folder, "user", "add", name, "--role", role, "--password-stdin", given=f"the password of {name}\n")
        token = command(binary, folder, "token", "create", "ci", "--user", "ann")
        person = Person(f"{folder}/person", url)
        seen = {}
        for case, user, password in (("none", None, None), ("wrong", "ann", "not it"), ("reader", "bob", "the password of bob")):
            person.write(user, password)
            build = "-U", plugin("dependency", "get"), "-Dartifact=junit:junit:4.x", "-Dtransitive=false"
            seen[case] = person.mvn(person.folder, *build, fails=case != "reader")
        for case in ("none", "wrong"):
            check(f"{case}: mvn says that it was not authorised", re.search(r"[Nn]ot authorized|status code: 401|Unauthorized", seen[case]))
        place = person.project("library", "1.0", JUNIT)
        refused = person.mvn(place, "deploy", fails=True)
        check("a reader resolves, and may not deploy", "403" in refused and "Forbidden" in refused)
        person.write("ann", "the password of ann")
        check("the good password deploys", "BUILD SUCCESS" in person.mvn(place, "deploy"))
        person.write("ann", token)
        check("so does a token", "BUILD SUCCESS" in person.mvn(person.project("library", "1.1"), "deploy"))
        number = next(line.split("\t")[0] for line in command(binary, folder, "token", "list", "--user", "ann").splitlines() if "\tci\t" in line)
        command(binary, folder, "token", "revoke", number)
        check("a revoked one does not", "401" in person.mvn(person.project("library", "1.2"), "deploy", fails=True))

        path = "/repository/releases/com/acme/x/1.0/x-1.0.jar"
        basic = lambda user, password: "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        check("without credentials a body is not asked for: 401", early(server.port, path, None) == (401, False))
        check("nor with wrong ones", early(server.port, path, basic("ann", "no")) == (401, False))
        check("nor of one who may not", early(server.port, path, basic("bob", "the password of bob")) == (403, False))
        check("nor for what is in no layout", early(server.port, "/repository/releases/x", basic("ann", "the password of ann")) == (400, False))
        check("what may be is asked for, and taken", early(server.port, path, basic("ann", "the password of ann"), 70_000) == (201, True))
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
        connection.request("GET", path)
        answer = connection.getresponse()
        check("who signs in with a challenge gets one", answer.status == 401 and answer.headers["WWW-Authenticate"].startswith("Basic realm="))
    finally:
        server.stop()
        upstream.stop()
    print("all is well")


main(*sys.argv[1:])
