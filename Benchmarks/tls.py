"""Blob pull over TLS, beside nginx with the same certificate."""
import os
import re
import socket
import ssl
import subprocess

import work
from servers import Entrepot, Nginx


def certificate(folder):
    """The paths of a certificate for 127.0.0.1 and its key: ECDSA over P-256, as most servers have it today."""
    paths = os.path.join(folder, "tls.crt"), os.path.join(folder, "tls.key")
    line = [
        "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost",
        "-addext", "subjectAltName=IP:127.0.0.1", "-out", paths[0], "-keyout", paths[1],
    ]
    subprocess.run(line, check=True, capture_output=True, timeout=60)
    return paths


class Secure:
    """What both have in common over TLS."""

    scheme = "https"
    pair = ("", "")

    def trust(self, pair):
        self.pair = pair
        self.curl = ["--cacert", pair[0]]

    @staticmethod
    def answers(port):
        try:
            context = ssl.create_default_context()
            context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
            with socket.create_connection(("127.0.0.1", port), timeout=5) as connection, context.wrap_socket(connection) as secure:
                secure.sendall(b"GET /v2/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                return secure.recv(16).startswith(b"HTTP/1.1 ")
        except OSError:
            return False


class SecureEntrepot(Secure, Entrepot):
    """Over the data of one that was filled in plain text."""

    def __init__(self, plain, pair):
        self.__dict__.update(plain.__dict__)
        self.trust(pair)
        with open(self.configuration, "a") as file:
            file.write(f"server: {{ tls: {{ certificate: {pair[0]}, key: {pair[1]} }} }}\n")

    def listening(self):
        with open(os.path.join(self.folder, "log"), errors="replace") as log:
            found = re.search(r"listening on https://127\.0\.0\.1:(\d+)", log.read())
        self.port = int(found.group(1)) if found else 0
        return self.port


class SecureNginx(Secure, Nginx):
    def __init__(self, folder, pair):
        super().__init__(folder)
        self.trust(pair)

    def listens(self):
        return f"listen 127.0.0.1:{self.port} ssl; ssl_certificate {self.pair[0]}; ssl_certificate_key {self.pair[1]}; ssl_protocols TLSv1.2 TLSv1.3;"


def measure(binary, folder, rounds, size):
    """Server name -> rounds, for one client and for eight."""
    folder = os.path.join(folder, "tls")
    os.makedirs(folder)
    os.chmod(folder, 0o755)
    pair = certificate(folder)
    layer = work.random_file(os.path.join(folder, "layer.bin"), size)
    plain = Entrepot(binary, folder)
    plain.start()
    try:
        plain.place(layer)
    finally:
        plain.stop()
    servers = [SecureEntrepot(plain, pair), SecureNginx(folder, pair)]
    try:
        for server in servers:
            server.start()
        os.link(layer.path, os.path.join(servers[1].folder, "files/layer.bin"))
        os.chmod(layer.path, 0o644)
        return work.pull(servers, layer, 1, rounds), work.pull(servers, layer, 8, rounds)
    finally:
        for server in servers:
            server.stop()
