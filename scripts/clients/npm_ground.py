"""Servers with npm repositories, and the clients of npm packages, each with a home of its own. Standard library only."""
import json
import os
import re
import shutil
import subprocess
import time

from registries import Entrepot

HERE = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(os.path.dirname(os.path.dirname(HERE)), ".build-venv/bin")
OPEN = "security: { openAccess: true }\n"
SEARCHED = f"{VENV}:{os.environ['PATH']}:/usr/sbin:/sbin"


def program(name):
    return shutil.which(name, path=SEARCHED)


# Put before npm by NODE_OPTIONS: `npm audit signatures` asks the sigstore project for the keys of registries first, which no test may do. Said to have
# none of ours, it asks the registry itself.
WITHOUT_SIGSTORE = """
const load = require("module")._load;
require("module")._load = function (name, ...more) {
  if (name !== "@sigstore/tuf") return load.call(this, name, ...more);
  const absent = async () => { throw Object.assign(new Error("no such target"), { code: "TUF_FIND_TARGET_ERROR" }); };
  return { initTUF: async () => ({ getTarget: absent }) };
};
"""


class Site(Entrepot):
    """One server. `repositories`: lines of YAML, without the indentation; open to everyone where nothing is said of security."""

    def __init__(self, binary, folder, name, repositories, security=OPEN):
        self.binary, self.folder, self.site = binary, folder, name
        lines = "".join(f"  {line}\n" for line in repositories)
        super().__init__(binary, folder, name, f"configVersion: 1\n{security}repositories:\n{lines}")

    def url(self, repository):
        return f"http://127.0.0.1:{self.port}/repository/{repository}"

    def command(self, *words, given=None):
        line = [self.binary, *words, "--config", f"{self.folder}/{self.site}.yaml", "--data", f"{self.folder}/{self.site}-data"]
        done = subprocess.run(line, input=given, capture_output=True, text=True, timeout=60)
        if done.returncode:
            raise SystemExit(f"{line}: {done.stderr}")
        return done.stdout.strip()

    def person(self, name, role):
        """Adds a user, and gives a token."""
        self.command("user", "add", name, "--role", role, "--password-stdin", given=f"the password of {name}\n")
        return self.command("token", "create", "tests", "--user", name)

    def memory(self, field):
        """VmRSS or VmHWM, in bytes."""
        with open(f"/proc/{self.child.pid}/status") as status:
            return int(re.search(rf"{field}:\s+(\d+)", status.read()).group(1)) << 10

    def reset_peak(self):
        with open(f"/proc/{self.child.pid}/clear_refs", "w") as file:
            file.write("5")


def proxy(name, remote, more=""):
    return f"{name}: {{ format: npm, type: proxy, remote: '{remote}'{', ' + more if more else ''} }}"


def hosted(name, more=""):
    return f"{name}: {{ format: npm, type: hosted{', ' + more if more else ''} }}"


def group(name, members, more=""):
    return f"{name}: {{ format: npm, type: group, members: [{', '.join(members)}]{', ' + more if more else ''} }}"


class Person:
    """A home folder with what npm, yarn, bun and deno read there, and caches of its own."""

    def __init__(self, folder, registry, token=None):
        self.home, self.registry, self.token = folder, registry.rstrip("/") + "/", token
        os.makedirs(folder, exist_ok=True)
        self.environment = {
            "PATH": SEARCHED, "HOME": folder, "LC_ALL": "C.UTF-8", "NO_COLOR": "1", "NO_UPDATE_NOTIFIER": "1", "DO_NOT_TRACK": "1", "DENO_NO_UPDATE_CHECK": "1",
            "BUN_INSTALL": f"{folder}/.bun", "BUN_TMPDIR": folder, "TMPDIR": folder, "BUN_CONFIG_REGISTRY": self.registry, "NPM_CONFIG_REGISTRY": self.registry,
            "NPM_CONFIG_CACHE": f"{folder}/.caches/npm", "YARN_CACHE_FOLDER": f"{folder}/.caches/yarn", "BUN_INSTALL_CACHE_DIR": f"{folder}/.caches/bun", "DENO_DIR": f"{folder}/.caches/deno",
        }
        self.write()

    def write(self, *more):
        place = self.registry.removeprefix("http:")
        lines = [f"registry={self.registry}", "update-notifier=false", "fund=false", "progress=false", "loglevel=notice", "fetch-retries=0", *more]
        if self.token:
            lines.append(f"{place}:_authToken={self.token}")
        with open(f"{self.home}/.npmrc", "w") as file:
            file.write("\n".join(lines) + "\n")
        with open(f"{self.home}/.bunfig.toml", "w") as file:
            token = f', token = "{self.token}"' if self.token else ""
            file.write(f'[install]\nregistry = {{ url = "{self.registry}"{token} }}\n')

    def run(self, line, within=None, given=None, timeout=120, **environment):
        more = {"NODE_PATH": "/usr/share/nodejs"} if line[0] == "yarnpkg" else {}
        return subprocess.run(
            line, cwd=within or self.home, input=given, stdin=None if given is not None else subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
            env=self.environment | more | environment)

    def npm(self, *words, **more):
        return self.run(["npm", *words], **more)

    def audits_signatures(self, within):
        with open(f"{self.home}/without-sigstore.js", "w") as file:
            file.write(WITHOUT_SIGSTORE)
        return self.npm("audit", "signatures", within=within, NODE_OPTIONS=f"--require={self.home}/without-sigstore.js")

    def succeed(self, line, **more):
        done = self.run(line, **more)
        if done.returncode:
            raise SystemExit(f"{' '.join(line)}: {done.returncode}\n{done.stdout[-2000:]}\n{done.stderr[-3000:]}")
        return done.stdout

    def timed(self, line, **more):
        """Seconds of what must succeed."""
        began = time.monotonic()
        self.succeed(line, **more)
        return time.monotonic() - began

    def project(self, name, dependencies=None, **more):
        """A folder with a package.json; what was installed there before is gone."""
        folder = f"{self.home}/{name}"
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        with open(f"{folder}/package.json", "w") as file:
            json.dump({"name": name, "version": "1.0.0", "private": True, "dependencies": dependencies or {}} | more, file, indent=2)
        return folder

    def forget(self):
        """As a machine that never installed anything."""
        shutil.rmtree(f"{self.home}/.caches", ignore_errors=True)

    def lay(self, package):
        """The package's files, in a folder to publish from."""
        folder = f"{self.home}/{package.name.split('/')[-1]}-{package.version}"
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
        subprocess.run(["tar", "-xzf", "-", "-C", folder, "--strip-components=1", "--no-same-owner"], input=package.data, check=True)
        return folder
