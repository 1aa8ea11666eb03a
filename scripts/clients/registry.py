"""A small OCI distribution client over one kept connection: what the load scripts push and pull with. Standard library only."""
import hashlib
import http.client
import json
import urllib.parse

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


class Refused(Exception):
    """The server answered, and not with what was wanted."""


def digest(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


class Registry:
    """Not to be shared between threads. `timeout` in seconds is for each read and write."""

    def __init__(self, port, timeout=60):
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)

    def close(self):
        self.connection.close()

    def request(self, method, path, body=None, headers=None, wanted=None):
        """Whole answers only: (status, headers, bytes). An iterable body goes out in chunks."""
        self.connection.request(method, path, body=body, headers=headers or {}, encode_chunked=False)
        response = self.connection.getresponse()
        data = response.read()
        if wanted is not None and response.status not in wanted:
            raise Refused(f"{method} {path}: {response.status} {data[:300]!r}")
        return response.status, response.headers, data

    def session(self, image):
        _, headers, _ = self.request("POST", f"/v2/{image}/blobs/uploads/", body=b"", wanted={202})
        return self.local(headers["Location"])

    @staticmethod
    def local(location):
        parts = urllib.parse.urlsplit(location)
        return parts.path + ("?" + parts.query if parts.query else "")

    @staticmethod
    def with_query(location, query):
        return location + ("&" if "?" in location else "?") + query

    def push_blob(self, image, data, in_chunks=False):
        """As docker does (PATCH, then an empty PUT) where `in_chunks`; else as containerd does (one PUT)."""
        location = self.session(image)
        name = digest(data)
        if in_chunks:
            pieces = (data[i : i + 65536] for i in range(0, len(data), 65536))
            location = self.append(location, pieces)
            data = b""
        self.finish(location, name, data)
        return name

    def append(self, location, pieces):
        """One PATCH with an iterable of bytes, framed in chunks."""
        self.connection.putrequest("PATCH", location)
        self.connection.putheader("Content-Type", "application/octet-stream")
        self.connection.putheader("Transfer-Encoding", "chunked")
        self.connection.endheaders()
        for piece in pieces:
            self.connection.send(b"%x\r\n" % len(piece) + piece + b"\r\n")
        self.connection.send(b"0\r\n\r\n")
        response = self.connection.getresponse()
        data = response.read()
        if response.status != 202:
            raise Refused(f"PATCH: {response.status} {data[:300]!r}")
        return self.local(response.headers["Location"])

    def finish(self, location, name, data=b""):
        self.request("PUT", self.with_query(location, "digest=" + name), body=data, wanted={201})

    def image_manifest(self, config, layers):
        """Bytes of a manifest; `config` and `layers` are (digest, size)."""
        value = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": config[0], "size": config[1]},
            "layers": [{"mediaType": LAYER, "digest": d, "size": s} for d, s in layers],
        }
        return json.dumps(value).encode()

    def push_manifest(self, image, reference, data):
        self.request("PUT", f"/v2/{image}/manifests/{reference}", body=data, headers={"Content-Type": MANIFEST}, wanted={201})

    def manifest(self, image, reference):
        """The bytes, or None."""
        status, _, data = self.request("GET", f"/v2/{image}/manifests/{reference}", headers={"Accept": MANIFEST}, wanted={200, 404})
        return data if status == 200 else None

    def blob_digest(self, image, name):
        """(digest, size) of what is served under `name`, read in pieces; None where there is none."""
        self.connection.request("GET", f"/v2/{image}/blobs/{name}")
        response = self.connection.getresponse()
        if response.status != 200:
            data = response.read()
            if response.status == 404:
                return None
            raise Refused(f"GET {name}: {response.status} {data[:300]!r}")
        hashed, size = hashlib.sha256(), 0
        while piece := response.read(1 << 20):
            hashed.update(piece)
            size += len(piece)
        if response.headers.get("Content-Length") not in (None, str(size)):
            raise Refused(f"GET {name}: {size} bytes of {response.headers['Content-Length']}")
        return "sha256:" + hashed.hexdigest(), size
