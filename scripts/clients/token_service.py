#!/usr/bin/env python3
"""A token service as docker-registry's `auth: token` wants it: RS256, with the certificate in the token's own head.

    token_service.py FOLDER USER PASSWORD

Makes its key and `FOLDER/tokens.crt` by openssl, prints `listening on 127.0.0.1:PORT`, and then a line for each request. The user may pull
everything; strangers get a token for what lies below `public/`; a wrong password is 401.
"""
import base64
import http.server
import json
import subprocess
import sys
import time
import urllib.parse


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class TokenService(http.server.BaseHTTPRequestHandler):
    SERVICE, ISSUER = "test-registry", "test-issuer"
    protocol_version = "HTTP/1.1"
    folder = user = password = ""

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        given = self.headers.get("Authorization")
        known = "Basic " + base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        who = "nobody" if given is None else self.user if given == known else "refused"
        print(f"GET {self.path} {who}", flush=True)
        if who == "refused" or query.get("service") != [self.SERVICE]:
            return self.answer(401, {"errors": [{"code": "UNAUTHORIZED", "message": "who are you"}]})
        access = []
        for scope in query.get("scope", []):
            kind, name, actions = scope.split(":")
            if who == self.user or name.startswith("public/"):
                access.append({"type": kind, "name": name, "actions": [a for a in actions.split(",") if a == "pull"]})
        token = self.token(access)
        # Both names of the same thing, as services have them.
        self.answer(200, {"token": token, "access_token": token, "expires_in": 300})

    def token(self, access):
        now = int(time.time())
        certificate = subprocess.run(
            ["openssl", "x509", "-in", f"{self.folder}/tokens.crt", "-outform", "DER"], capture_output=True, check=True).stdout
        head = {"typ": "JWT", "alg": "RS256", "x5c": [base64.b64encode(certificate).decode()]}
        claims = {
            "iss": self.ISSUER, "sub": self.user, "aud": self.SERVICE, "exp": now + 300, "nbf": now - 60, "iat": now, "jti": str(time.time_ns()),
            "access": access,
        }
        signed = encoded(json.dumps(head).encode()) + "." + encoded(json.dumps(claims).encode())
        line = ["openssl", "dgst", "-sha256", "-sign", f"{self.folder}/tokens.key"]
        return signed + "." + encoded(subprocess.run(line, input=signed.encode(), capture_output=True, check=True).stdout)

    def answer(self, status, value):
        data = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *arguments):
        pass


def main(folder, user, password):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=tokens", "-days", "2", "-keyout", f"{folder}/tokens.key", "-out",
         f"{folder}/tokens.crt"], check=True, capture_output=True)
    TokenService.folder, TokenService.user, TokenService.password = folder, user, password
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), TokenService)
    print(f"listening on 127.0.0.1:{server.server_port}", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
