#!/usr/bin/env python3
"""Stands before an upstream and, told so, gets into trouble.

    trouble_gate.py PORT-OF-UPSTREAM

Says where it listens. `PUT /trouble/<word>` decides what becomes of all requests after it: well, stopped, hanging, 429, 401, 403, 500, garbage.
"""
import http.client
import http.server
import socket
import struct
import sys
import threading


class Gate(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    trouble = "well"
    upstream = 0
    changed = threading.Condition()

    def do_PUT(self):
        with Gate.changed:
            Gate.trouble = self.path.rsplit("/", 1)[1]
            Gate.changed.notify_all()
        self.answer(204, {}, b"")

    def do_GET(self):
        trouble = Gate.trouble
        if trouble == "well":
            self.pass_on()
        elif trouble == "hanging":
            with Gate.changed:
                Gate.changed.wait_for(lambda: Gate.trouble != "hanging", 120)
            self.close_connection = True
        elif trouble == "stopped":
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
        elif trouble == "garbage":
            self.wfile.write(b"\x01\x02 no words of this protocol\r\n\r\n")
            self.close_connection = True
        else:
            self.answer(int(trouble), {}, b"")

    do_HEAD = do_GET

    def pass_on(self):
        connection = http.client.HTTPConnection("127.0.0.1", Gate.upstream, timeout=60)
        connection.request(self.command, self.path, headers={name: value for name, value in self.headers.items() if name.lower() != "connection"})
        answer = connection.getresponse()
        body = answer.read()
        self.answer(answer.status, dict(answer.getheaders()), body)
        connection.close()

    def answer(self, status, headers, body):
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        length = headers.get("Content-Length", str(len(body))) if self.command == "HEAD" else str(len(body))
        if status not in (204, 304):
            self.send_header("Content-Length", length)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    Gate.upstream = int(sys.argv[1])
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Gate)
    server.daemon_threads = True
    print(f"listening on 127.0.0.1:{server.server_address[1]}", flush=True)
    server.serve_forever()


main()
