#!/usr/bin/env python3
"""What npm, yarn, bun and deno do with a group of a hosted repository and a proxy, whose upstream is another server's hosted repository.

    npm_table.py BINARY FOLDER      prints the table that npm_table.txt has; hosts, digests, times and counts are replaced by words

Both servers have access control. Ann may do all, bob may read, and the third person has no account."""
import os
import re
import subprocess
import sys
import time

import npm_packages
from npm_ground import Person, Site, group, hosted, program, proxy
from registries import Ground, expect

ROLES = 'security:\n  roles: { all: ["read:*", "write:*", "delete:*"], reader: ["read:*"] }\n'
PASSWORD = "the password of {}\n"
# npm's advice after an error, the same whatever it was.
ALWAYS_SAID = (
    "Note that you can also install from a", "tarball, folder, http url, or git url.", "In most cases, you or one of your dependencies are requesting",
    "a package version that is forbidden by your security policy, or", "on a server you do not have access to.", "In most cases you or one of your dependencies are requesting",
    "a package version that doesn't exist.",
)


class Table:
    """Runs lines, and prints a row for each."""

    def __init__(self, folder):
        self.folder, self.secrets = folder, {}

    def row(self, client, what, done):
        self.line(client, what, done.returncode == 0, self.words(client, done))
        return done

    @staticmethod
    def line(client, what, is_done, said):
        print(f"{client:5} | {what:38} | {'done' if is_done else 'failed':6} | {said}".rstrip(" |"), flush=True)

    def words(self, client, done):
        text = (done.stdout + "\n" + done.stderr).strip()
        if client == "npm":
            text = self.of_npm(done)
        for secret, word in self.secrets.items():
            text = text.replace(secret, word)
        for pattern, word in (
            (r"\x1b\[[0-9;?]*[A-Za-z]", ""), (r"(http://)?127\.0\.0\.1:\d+", "HOST"), (re.escape(self.folder), "FOLDER"), (r"sha512-[A-Za-z0-9+/=.\[\]]+", "DIGEST"), (r"\b[0-9a-f]{40}\b", "DIGEST"),
            (r"\b\d{4}-\d\d-\d\d(T[\d:.]+Z)?", "DATE"), (r"\bin [\d.]+m?s\b", "in TIME"), (r"\bpublished (just now|[\w ]+ ago)", "published TIME"),
            (r"\[[\d.]+ ?m?s\]", "[TIME]"), (r"Done in [\d.]+ ?m?s", "Done in TIME"), (r"\b\d+ packages", "N packages"), (r"\b\d+ new dependencies", "N new dependencies"),
            (r"/-rev/\S+", "/-rev/REV"), (r"[\d.]+ ?(B|kB|KB|MB)\b", "SIZE"), (r"\s+", " "),
        ):
            text = re.sub(pattern, word, text)
        return text.strip()[:600]

    @staticmethod
    def of_npm(done):
        """Where it succeeds, what it prints and warns of; where it fails, its errors."""
        errors = [line for line in done.stderr.splitlines() if "A complete log of this run" not in line]
        if done.returncode == 0:
            return done.stdout + "\n" + "\n".join(line for line in errors if line.startswith("npm warn"))
        kept = [line.removeprefix("npm error").strip() for line in errors if line.startswith("npm error")]
        return " ".join(line for line in kept if not line.endswith(ALWAYS_SAID)) or done.stdout + " ".join(errors)


class Scenario:
    def __init__(self, binary, folder):
        self.binary, self.folder, self.table = binary, folder, Table(folder)

    def run(self):
        with Ground() as ground:
            self.start(ground)
            for part in (self.account, self.publishing, self.reading, self.tags, self.deprecating, self.owners, self.installing, self.yarn, self.bun, self.deno, self.unpublishing):
                part()
                print(flush=True)

    def start(self, ground):
        origin = ground.add(Site(self.binary, self.folder, "origin", [hosted("public")], ROLES))
        filler, reader = origin.person("filler", "all"), origin.person("edge", "reader")
        packages = npm_packages.real() + [package for package in npm_packages.own() if not package.name.startswith(npm_packages.SCOPE)]
        npm_packages.publish(packages, origin.url("public"), filler)
        self.edge = ground.add(Site(self.binary, self.folder, "edge", [
            hosted("private", f'owns: ["{npm_packages.SCOPE}/*"]'), proxy("mirror", origin.url("public"), f"authentication: {{ token: {reader} }}"),
            group("all", ["private", "mirror"], "writeTo: private"),
        ], ROLES))
        registry = self.edge.url("all")
        people = {"ann": self.edge.person("ann", "all"), "bob": self.edge.person("bob", "reader"), "nobody": None, "wrong": "not-a-token"}
        self.ann, self.bob, self.nobody, self.wrong = (Person(f"{self.folder}/{name}", registry, token) for name, token in people.items())
        self.table.secrets = {token: f"TOKEN-OF-{name.upper()}" for name, token in people.items() if token and name != "wrong"}
        self.hello = [self.ann.lay(package) for package in npm_packages.own() if package.name == "@acme/hello"]

    def npm(self, what, person, *words, **more):
        return self.table.row("npm", what, person.npm(*words, **more))

    def account(self):
        self.npm("ping", self.ann, "ping")
        for what, person in (("whoami", self.ann), ("whoami, reader", self.bob), ("whoami, no account", self.nobody), ("whoami, wrong token", self.wrong)):
            self.npm(what, person, "whoami")
        for kind in ("legacy", "web"):
            guest = Person(f"{self.folder}/guest-{kind}", self.ann.registry)
            for what, password in (("wrong password", "not the password\n"), ("good password", PASSWORD.format("ann"))):
                self.table.row("npm", f"login, {kind}, {what}", signed_in(guest, kind, password))
            with open(f"{guest.home}/.npmrc") as file:
                self.table.secrets |= {token: "TOKEN-OF-GUEST" for token in re.findall(r":_authToken=(\S+)", file.read())}
            self.npm(f"whoami after login, {kind}", guest, "whoami")
            self.npm(f"logout, {kind}", guest, "logout")
            self.npm(f"whoami after logout, {kind}", guest, "whoami")
        self.tokens()

    def tokens(self):
        self.npm("token list, reader", self.bob, "token", "list", "--parseable")
        created = self.ann.npm("token", "create", "--json", given=PASSWORD.format("ann"))
        found, key = (re.search(rf'"{field}":\s*"([^"]+)"', created.stdout) for field in ("token", "key"))
        fields = ", ".join(re.findall(r'^  "(\w+)":', created.stdout, re.MULTILINE))
        self.table.line("npm", "token create", found is not None, fields if found else self.table.words("npm", created))
        if not found or not key:
            return
        self.table.secrets |= {found.group(1): "TOKEN-CREATED", key.group(1): "KEY-CREATED"}
        holder = Person(f"{self.folder}/holder", self.ann.registry, found.group(1))
        self.npm("whoami, created token", holder, "whoami")
        self.npm("token revoke", self.ann, "token", "revoke", key.group(1))
        self.npm("whoami, revoked token", holder, "whoami")

    def publishing(self):
        first, second, beta = self.hello
        self.npm("publish, no account", self.nobody, "publish", first)
        self.npm("publish, wrong token", self.wrong, "publish", first)
        self.npm("publish, reader", self.bob, "publish", first)
        self.npm("publish", self.ann, "publish", first)
        self.npm("publish, same version", self.ann, "publish", first)
        self.npm("publish, same version by reader", self.bob, "publish", first)
        self.npm("publish, next version", self.ann, "publish", second)
        self.npm("publish --tag", self.ann, "publish", beta, "--tag", "beta")
        app = self.ann.lay(npm_packages.own()[-1])
        self.npm("publish, with dependencies", self.ann, "publish", app, "--access", "public")
        self.npm("publish --dry-run", self.ann, "publish", app, "--dry-run")

    def reading(self):
        self.npm("view", self.bob, "view", "@acme/hello")
        self.npm("view, a field", self.bob, "view", "@acme/hello", "version")
        self.npm("view, fields as JSON", self.bob, "view", "@acme/hello", "name", "versions", "dist-tags", "--json")
        self.npm("view, a tag", self.bob, "view", "@acme/hello@beta", "version")
        self.npm("view, a range", self.bob, "view", "@acme/hello@^1.0.0", "version")
        self.npm("view, proxied", self.bob, "view", "entrepot-many@next", "name", "version", "dist.tarball")
        self.npm("view, absent", self.bob, "view", "entrepot-absent")
        self.npm("view, absent and private", self.bob, "view", "@acme/absent")
        self.npm("view, no account", self.nobody, "view", "@acme/hello", "version")
        self.npm("search", self.bob, "search", "hello", "--parseable", "--searchopts=")
        self.npm("search, nothing found", self.bob, "search", "entrepot-absent")
        self.npm("pack", self.bob, "pack", "@acme/hello")
        self.npm("exec", self.bob, "exec", "--yes", "--", "@acme/hello")
        self.npm("access list packages", self.ann, "access", "list", "packages", "ann")
        self.npm("access list collaborators", self.ann, "access", "list", "collaborators", "@acme/hello")
        self.npm("access get status", self.ann, "access", "get", "status", "@acme/hello")

    def tags(self):
        for what, person, *words in (
            ("dist-tag ls", self.bob, "ls", "@acme/hello"), ("dist-tag add", self.ann, "add", "@acme/hello@1.0.0", "stable"), ("dist-tag add, reader", self.bob, "add", "@acme/hello@1.0.0", "mine"),
            ("dist-tag add, absent version", self.ann, "add", "@acme/hello@9.0.0", "stable"), ("dist-tag ls", self.bob, "ls", "@acme/hello"), ("dist-tag rm", self.ann, "rm", "@acme/hello", "stable"),
            ("dist-tag rm, absent", self.ann, "rm", "@acme/hello", "stable"), ("dist-tag rm latest", self.ann, "rm", "@acme/hello", "latest"), ("dist-tag ls", self.bob, "ls", "@acme/hello"),
            ("dist-tag add, proxied", self.ann, "add", "entrepot-many@1.0.0", "stable"), ("dist-tag ls, proxied", self.bob, "ls", "entrepot-many"),
        ):
            self.npm(what, person, "dist-tag", *words)

    def deprecating(self):
        self.npm("deprecate", self.ann, "deprecate", "@acme/hello@1.0.0", "use 1.1.0")
        self.npm("view, deprecated", self.bob, "view", "@acme/hello@1.0.0", "deprecated")
        folder = self.bob.project("old")
        self.npm("install, deprecated", self.bob, "install", "@acme/hello@1.0.0", within=folder)
        self.npm("outdated", self.bob, "outdated", "--parseable", within=folder)
        self.npm("undeprecate", self.ann, "deprecate", "@acme/hello@1.0.0", "")
        self.npm("view, deprecated no more", self.bob, "view", "@acme/hello@1.0.0", "deprecated")
        self.npm("deprecate, reader", self.bob, "deprecate", "@acme/hello@1.0.0", "no")
        self.npm("deprecate, proxied", self.ann, "deprecate", "entrepot-many@1.0.0", "no")

    def owners(self):
        self.npm("owner ls", self.bob, "owner", "ls", "@acme/hello")
        self.npm("owner add", self.ann, "owner", "add", "bob", "@acme/hello")
        self.npm("owner add, reader", self.bob, "owner", "add", "bob", "@acme/hello")
        self.npm("owner ls", self.bob, "owner", "ls", "@acme/hello")
        self.npm("owner rm", self.ann, "owner", "rm", "bob", "@acme/hello")

    def installing(self):
        wanted = npm_packages.WANTED + ["@acme/app"]
        self.project = self.bob.project("closure")
        self.npm("install, closure", self.bob, "install", *wanted, within=self.project)
        self.npm("ls", self.bob, "ls", "@acme/hello", "--parseable", within=self.project)
        self.npm("ci", self.bob, "ci", within=self.project)
        self.bob.forget()
        self.npm("ci, nothing cached", self.bob, "ci", within=self.project)
        self.runs(self.bob, self.project, "npm ci")
        self.npm("audit", self.bob, "audit", within=self.project)
        self.table.row("npm", "audit signatures", self.bob.audits_signatures(self.project))
        self.npm("update", self.bob, "update", within=self.project)
        other = self.bob.project("other")
        self.npm("install, absent package", self.bob, "install", "entrepot-absent", within=other)
        self.npm("install, absent version", self.bob, "install", "@acme/hello@9", within=other)
        self.npm("install, absent tag", self.bob, "install", "@acme/hello@nightly", within=other)
        self.npm("install, prerelease by tag", self.bob, "install", "@acme/hello@beta", within=other)
        self.npm("install, no account", self.nobody, "install", "@acme/hello", within=self.nobody.project("mine"))

    def runs(self, person, folder, after):
        """What was installed is what was published."""
        said = person.succeed(["node", "-p", "require('@acme/hello') + typeof require('express')"], within=folder, NODE_PATH="").strip()
        expect(said.startswith("@acme/hello@1.1.0") and said.endswith("function"), f"after {after}: {said}")

    def yarn(self):
        folder = self.bob.project("yarn")
        own = ["--registry", self.bob.registry, "--no-progress", "--non-interactive"]
        # yarn 1 signs in for scoped packages alone, unless it is told otherwise.
        self.table.row("yarn", "add, without always-auth", quiet(self.bob.run(["yarnpkg", "add", "--silent", "entrepot-many", *own], within=folder)))
        self.bob.write("always-auth=true")
        self.table.row("yarn", "add, closure", quiet(self.bob.run(["yarnpkg", "add", "--silent", *npm_packages.WANTED, *own], within=folder)))
        self.table.row("yarn", "add, private", quiet(self.bob.run(["yarnpkg", "add", "--silent", "@acme/hello@^1.0.0", *own], within=folder)))
        self.bob.forget()
        self.bob.run(["rm", "-r", "node_modules"], within=folder)
        self.table.row("yarn", "install --frozen-lockfile", self.bob.run(["yarnpkg", "install", "--frozen-lockfile", *own], within=folder))
        self.runs(self.bob, folder, "yarn install")
        self.table.row("yarn", "info, a field", self.bob.run(["yarnpkg", "info", "@acme/hello", "dist-tags", *own], within=folder))
        self.table.row("yarn", "add, absent", self.bob.run(["yarnpkg", "add", "entrepot-absent", *own], within=folder))
        self.table.row("yarn", "add, no account", self.nobody.run(["yarnpkg", "add", "@acme/hello", *own], within=self.nobody.project("yarn")))
        self.bob.write()

    def bun(self):
        folder = self.bob.project("bun")
        bun = program("bun")
        self.table.row("bun", "add, closure", quiet(self.bob.run([bun, "add", *npm_packages.WANTED, "@acme/app"], within=folder)))
        self.bob.forget()
        self.bob.run(["rm", "-r", "node_modules"], within=folder)
        self.table.row("bun", "install --frozen-lockfile", quiet(self.bob.run([bun, "install", "--frozen-lockfile"], within=folder)))
        self.runs(self.bob, folder, "bun install")
        self.table.row("bun", "add, absent", self.bob.run([bun, "add", "entrepot-absent"], within=folder))
        self.table.row("bun", "add, no account", self.nobody.run([bun, "add", "@acme/hello"], within=self.nobody.project("bun")))
        package = self.ann.lay(npm_packages.made("@acme/bunned", "1.0.0"))
        self.table.row("bun", "publish", self.ann.run([bun, "publish"], within=package))
        self.table.row("bun", "publish, same version", self.ann.run([bun, "publish"], within=package))
        self.table.row("bun", "publish, reader", self.bob.run([bun, "publish"], within=package))
        self.npm("view what bun published", self.bob, "view", "@acme/bunned", "name", "version", "maintainers")

    def deno(self):
        folder = self.bob.project("deno")
        deno = program("deno")
        self.young(folder)
        self.table.row("deno", "add, closure", quiet(self.bob.run([deno, "add", "--quiet", "npm:express", "npm:@acme/hello@1"], within=folder)))
        self.bob.forget()
        self.table.row("deno", "install", quiet(self.bob.run([deno, "install", "--quiet"], within=folder)))
        plain = f"{self.bob.home}/plain"
        os.makedirs(plain)
        self.young(plain)
        with open(f"{plain}/main.mjs", "w") as file:
            file.write('import hello from "npm:@acme/hello@1.1.0";\nimport many from "npm:entrepot-many@1.19.0";\nconsole.log(hello, many);\n')
        self.table.row("deno", "run, with npm: imports", self.bob.run([deno, "run", "--quiet", "--allow-read", "--allow-env", "main.mjs"], within=plain))
        self.table.row("deno", "add, absent", self.bob.run([deno, "add", "npm:entrepot-absent"], within=folder))
        self.table.row("deno", "add, no account", self.nobody.run([deno, "add", "npm:@acme/hello"], within=self.nobody.project("deno")))

    @staticmethod
    def young(folder):
        """deno takes no version that is younger than a day, but where it is told to."""
        with open(f"{folder}/deno.json", "w") as file:
            file.write('{ "minimumDependencyAge": 0 }\n')

    def unpublishing(self):
        self.npm("unpublish a version, reader", self.bob, "unpublish", "@acme/hello@1.1.0")
        self.npm("unpublish a version", self.ann, "unpublish", "@acme/hello@1.1.0")
        self.npm("view after it", self.bob, "view", "@acme/hello", "versions", "dist-tags", "--json")
        self.bob.forget()
        self.npm("ci of what is gone", self.bob, "ci", within=self.project)
        self.npm("unpublish a package", self.ann, "unpublish", "@acme/hello")
        self.npm("unpublish a package, reader", self.bob, "unpublish", "--force", "@acme/hello")
        self.npm("unpublish a package --force", self.ann, "unpublish", "--force", "@acme/hello")
        self.npm("view after it", self.bob, "view", "@acme/hello")
        self.npm("unpublish, proxied", self.ann, "unpublish", "--force", "entrepot-many@1.0.0")
        self.npm("publish again", self.ann, "publish", self.hello[0])
        self.npm("view after it", self.bob, "view", "@acme/hello", "version")


def quiet(done):
    """A list of a hundred packages, or the ones of Debian's versions, is not for the table."""
    if done.returncode == 0:
        done.stdout = done.stderr = ""
    return done


def signed_in(person, kind, password):
    """npm reads its answers one by one from a terminal or a pipe; what came before it asked is lost."""
    child = subprocess.Popen(
        ["npm", "login", f"--auth-type={kind}"], cwd=person.home, env=person.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0)
    os.set_blocking(child.stdout.fileno(), False)
    said, answers, end = b"", {b"Username:": b"ann\n", b"Password:": password.encode(), b"Email:": b"ann@example.test\n"}, time.monotonic() + 30
    while child.poll() is None and time.monotonic() < end:
        said += child.stdout.read() or b""
        for question in [one for one in answers if one in said]:
            child.stdin.write(answers.pop(question))
        time.sleep(0.02)
    if child.poll() is None:
        child.kill()
    said = (said + (child.stdout.read() or b"")).decode()
    child.wait()
    return subprocess.CompletedProcess([], child.returncode, said, said)


if __name__ == "__main__":
    Scenario(*sys.argv[1:3]).run()
