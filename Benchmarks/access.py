"""What signing in and auditing cost: manifests by tag where everybody is let in, with the audit trail and without, and with a password or a token
for each request."""
import base64
import os
import subprocess

import work
from servers import Entrepot

PASSWORD = "a password for the bench"
OPEN = "security: { openAccess: true }\n"
GUARDED = 'security: { roles: { all: ["read:*"] } }\n'


class Guarded(Entrepot):
    def __init__(self, binary, folder, name, audit, means):
        self.name, self.means = name, means
        super().__init__(binary, folder)
        with open(self.configuration, "a") as file:
            file.write(f"audit: {{ enabled: {'true' if audit else 'false'} }}\n")

    def fill(self, layer):
        """While everybody is let in; afterwards as it is measured."""
        self.start()
        self.place(layer)
        self.stop()
        if self.means == "nothing":
            return self.start()
        with open(self.configuration) as file:
            text = file.read()
        with open(self.configuration, "w") as file:
            file.write(text.replace(OPEN, GUARDED))
        self.start()
        self.order("user", "add", "bench", "--role", "all", "--password-stdin", given=PASSWORD + "\n")
        if self.means == "password":
            self.headers = ["Authorization: Basic " + base64.b64encode(f"bench:{PASSWORD}".encode()).decode()]
        else:
            self.headers = ["Authorization: Bearer " + self.order("token", "create", "bench", "--user", "bench")]

    def order(self, *words, given=None):
        line = [self.binary, *words, "--config", self.configuration, "--data", os.path.join(self.folder, "data")]
        return subprocess.run(line, input=given, capture_output=True, text=True, check=True, timeout=60).stdout.strip()


def measure(binary, folder, rounds, seconds):
    """Server name -> rounds."""
    folder = os.path.join(folder, "access")
    os.makedirs(folder)
    servers = [
        Guarded(binary, folder, "without audit", False, "nothing"), Guarded(binary, folder, "audit", True, "nothing"),
        Guarded(binary, folder, "audit, password", True, "password"), Guarded(binary, folder, "audit, token", True, "token"),
    ]
    layer = work.random_file(os.path.join(folder, "small.bin"), 1)
    try:
        for server in servers:
            server.fill(layer)
        return work.manifest(servers, seconds, rounds)
    finally:
        for server in servers:
            server.stop()
