"""What the bad upstream does: for each scenario the answers to its first, second, third request. Standard library only."""
import gzip
import hashlib
import json
import random
from dataclasses import dataclass, field

BODY = random.Random(11).randbytes(1_000_000)
DIGEST = "sha256:" + "5" * 64  # of nothing
OTHER = random.Random(12).randbytes(1_000_000)
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
MANIFEST = json.dumps({
    "schemaVersion": 2, "mediaType": MANIFEST_TYPE,
    "config": {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": "sha256:" + hashlib.sha256(b"{}").hexdigest(), "size": 2},
    "layers": [],
}).encode()
PAGE = b"<!DOCTYPE html><html><body>Please sign in to the hotel's network</body></html>"
HTML = {"Content-Type": "text/html; charset=utf-8"}
TAG = {"ETag": '"one"'}
PASSWORD, TOKEN = "open-sesame", "token-old-secret"
# What must never be in a log.
CALM = [PASSWORD, TOKEN, "token-new-secret"]


def scenario_of(path):
    """Its name is the first segment, but for what a registry has before every image."""
    return path.split("?")[0].removeprefix("/v2").strip("/").split("/")[0]


@dataclass
class Request:
    method: str
    path: str
    fields: dict
    port: int
    # What the scenario is about.
    body: bytes


@dataclass
class Scenario:
    title: str
    format: str
    target: str
    reactions: list
    body: bytes = BODY
    method: str = "GET"
    headers: dict = field(default_factory=dict)
    settings: tuple = ()
    shows: tuple = ()
    # Whether it is to be waited for until it is kept.
    is_kept: bool = True

    def path(self, name):
        return f"/repository/{name}/{self.target}" if self.format == "raw" else f"/v2/{name}/{self.target}"


def head(status, fields, length=None):
    lines = [f"HTTP/1.1 {status} X"] + [f"{name}: {value}" for name, value in fields.items()]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def part(request, body):
    """Where a range begins; 0 for none."""
    value = request.fields.get("range", "")
    return int(value[len("bytes="):].split("-")[0]) if value else 0


def digest_of(body):
    return "sha256:" + hashlib.sha256(body).hexdigest()


def whole(other=None, fields=TAG, ranges=True):
    """What is wanted, or other bytes. Knows ranges to the end."""

    def react(request):
        body = other or request.body
        start = part(request, body) if ranges else 0
        more = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if start else {}
        yield head(206 if start else 200, fields | more, len(body) - start)
        if request.method == "HEAD":
            return
        if other:
            # The client has begun by the time at which the end shows what it is.
            yield body[start:-1000]
            yield "wait"
            start = len(body) - 1000
        yield body[start:]

    return react


def cut(after, fields=TAG, then="close", length=None):
    """`after` bytes of what is wanted, and no more."""

    def react(request):
        body = request.body
        start = part(request, body)
        more = {"Content-Range": f"bytes {start}-{len(body) - 1}/{len(body)}"} if start else {}
        yield head(206 if start else 200, fields | more, length or len(body) - start)
        if request.method == "HEAD":
            return
        yield body[start:start + after]
        if after:
            yield "wait"
        yield then

    return react


def chunked(after=None, fields=TAG):
    def react(request):
        body = request.body
        yield head(200, fields | {"Transfer-Encoding": "chunked"})
        if request.method == "HEAD":
            return
        for at in range(0, after or len(body), 100_000):
            piece = body[at:at + 100_000]
            yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
        if after:
            yield "wait"
        yield "close" if after else b"0\r\n\r\n"

    return react


def status(code, fields=None, body=b""):
    def react(request):
        yield head(code, fields or {}, len(body))
        if request.method != "HEAD":
            yield body

    return react


def raw(data, then="close"):
    def react(request):
        yield data
        yield then

    return react


def redirect(location, code=302):
    def react(request):
        yield head(code, {"Location": location.replace("PORT", str(request.port))}, 0)

    return react


def challenge(request):
    name = scenario_of(request.path)
    yield head(401, {"WWW-Authenticate": f'Bearer realm="http://127.0.0.1:{request.port}/{name}/token",service="bad"'}, 0)


def token(value):
    text = json.dumps({"token": value, "expires_in": 300}).encode()
    return status(200, {"Content-Type": "application/json"}, text)


def file(title, *reactions, **more):
    return Scenario(title, "raw", "a/file.bin", list(reactions), **more)


def blob(title, *reactions, **more):
    return Scenario(title, "docker", "app/blobs/", list(reactions), **more)


def manifest(title, *reactions, **more):
    return Scenario(
        title, "docker", "app/manifests/1", list(reactions), body=more.pop("body", MANIFEST), headers={"Accept": MANIFEST_TYPE}, **more)


WRONG_MANIFEST = {"Content-Type": MANIFEST_TYPE, "Docker-Content-Digest": DIGEST}


def good_manifest(request):
    yield head(200, {"Content-Type": MANIFEST_TYPE, "Docker-Content-Digest": digest_of(request.body)}, len(request.body))
    if request.method != "HEAD":
        yield request.body


GONE = raw(b"")
ACCOUNT = (f"authentication: {{ username: ali, password: {PASSWORD} }}",)
FOREVER = b"HTTP/1.1 200 OK\r\n" + b"".join(f"X-{n}: {'x' * 1000}\r\n".encode() for n in range(1000)) + b"\r\n"

SCENARIOS = {
    # Cuts.
    "cut-tag": file("cut in the midst, with a strong ETag", cut(700_000), whole()),
    "cut-twice": file("cut twice", cut(300_000), cut(300_000), whole()),
    "cut-date": file("cut, with a date only", cut(700_000, fields={"Last-Modified": "Mon, 02 Nov 2026 10:00:00 GMT"}), whole(fields={"Last-Modified": "Mon, 02 Nov 2026 10:00:00 GMT"})),
    "cut-none": file("cut, with nothing that ties two answers together", cut(700_000, fields={}), whole(fields={})),
    "cut-weak": file("cut, with a weak ETag", cut(700_000, fields={"ETag": 'W/"one"'}), whole(fields={"ETag": 'W/"one"'})),
    "cut-digest": blob("cut, with a digest and no ETag", cut(700_000, fields={}), whole(fields={})),
    "cut-always": file("cut at the same place, always", cut(700_000), cut(0)),
    "cut-changed": file("cut, and another file then", cut(700_000), whole(OTHER, {"ETag": '"two"'}, ranges=False)),
    "cut-changed-206": file("cut, and the rest of another file", cut(700_000), whole(OTHER, {"ETag": '"two"'})),
    "cut-no-range": file("cut, and ranges ignored then", cut(700_000), whole(ranges=False)),
    "cut-no-range-digest": blob("cut, with a digest, and ranges ignored then", cut(700_000, fields={}), whole(fields={}, ranges=False)),
    "cut-wrong-range": file(
        "cut, and another range than was asked for", cut(700_000),
        raw(head(206, TAG | {"Content-Range": "bytes 5-999999/1000000"}, 999_995) + BODY[5:])),
    "cut-416": file("cut, and 416 then", cut(700_000), status(416)),
    "cut-404": file("cut, and 404 then", cut(700_000), status(404)),
    "chunked": file("of unknown length, whole", chunked()),
    "chunked-cut": file("of unknown length, cut", chunked(after=700_000), chunked()),
    # Wrong lengths and digests.
    "too-long": file("more bytes than were declared", raw(head(200, TAG, 900_000) + BODY), body=BODY[:900_000]),
    "too-short-close": blob("fewer bytes than were declared, always", cut(900_000, fields={}, length=1_000_000), cut(0, fields={})),
    "wrong-digest": blob("other bytes of the right length", whole(OTHER)),
    "wrong-digest-short": blob("other bytes, and fewer", whole(OTHER[:500_000])),
    "negative-length": file("a negative length", raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello")),
    "two-lengths": file("two lengths", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello")),
    "head-wrong": blob("HEAD with another length than the bytes have", status(200, body=b"x" * 5), method="HEAD"),
    # Stalls.
    "stall-head": file("nothing at all, for longer than the idle timeout", raw(b"", "hang")),
    "stall": file("silence in the midst, then the rest", cut(700_000, then="hang"), whole()),
    "stall-always": file("silence in the midst, always", cut(700_000, then="hang"), cut(0, then="hang")),
    # Redirects.
    "redirect": file("redirected to another host: without credentials", redirect("http://localhost:PORT/redirect/there"), whole(), settings=ACCOUNT),
    "redirect-home": file("redirected within the host: with credentials", status(401, {"WWW-Authenticate": 'Basic realm="x"'}), redirect("there"), whole(), settings=ACCOUNT),
    "redirect-loop": file("redirected again and again", redirect("again")),
    "redirect-private": file("redirected to a private address", redirect("http://10.1.2.3/x")),
    "redirect-metadata": file("redirected to a cloud's metadata service", redirect("http://169.254.169.254/latest/meta-data/")),
    "redirect-mapped": file("redirected to a private address in IPv6's clothes", redirect("http://[::ffff:10.1.2.3]/x")),
    "redirect-decimal": file("redirected to a private address as one number", redirect("http://167838211/x")),
    "redirect-scheme": file("redirected to a file", redirect("file:///etc/passwd")),
    "redirect-none": file("redirected nowhere", status(302)),
    "redirect-user": file("redirected with user information", redirect("http://ali:open-sesame@localhost:PORT/redirect-user/there"), whole()),
    # Signing in.
    "token": blob("a token service", challenge, token(TOKEN), whole()),
    "token-expired": blob(
        "a token that expires in the midst", challenge, token(TOKEN), cut(700_000), challenge, token("token-new-secret"), whole()),
    "token-down": blob("a token service that is down", challenge, status(500)),
    "token-page": blob("a token service that answers with a page", challenge, status(200, HTML, PAGE)),
    "token-denied": blob("a token, and still 401", challenge, token(TOKEN), challenge, token(TOKEN), challenge),
    "password": file("a password that is not taken", status(401, {"WWW-Authenticate": 'Basic realm="x"'}), settings=ACCOUNT),
    # Pages in the place of what was asked for.
    "page-manifest": manifest("a page in the place of a manifest", status(200, HTML, PAGE)),
    "page-blob": blob("a page in the place of a blob", status(200, HTML, PAGE)),
    "page-file": file("a page in the place of a file", status(200, HTML, PAGE), body=PAGE, shows=("Content-Type", "X-Content-Type-Options", "Content-Security-Policy")),
    # Manifests.
    "manifest": manifest("a manifest as it should be", good_manifest),
    "manifest-wrong": manifest("a manifest that is not what its digest says", whole(fields=WRONG_MANIFEST, ranges=False)),
    "manifest-large": manifest("a manifest of 9 MiB", whole(b"{" + b" " * (9 << 20) + b"}", WRONG_MANIFEST, ranges=False)),
    "manifest-no-digest": manifest("a manifest without its digest in the head", whole(fields={"Content-Type": MANIFEST_TYPE}, ranges=False)),
    # Statuses.
    "s404": file("404", status(404)),
    "s410": file("410", status(410)),
    "s403": file("403", status(403)),
    "s429": manifest("429 with a delay", status(429, {"Retry-After": "17"})),
    "s500": manifest("500", status(500, HTML, PAGE)),
    "s503": blob("503 with a delay", status(503, {"Retry-After": "3"})),
    "s204": file("204", status(204)),
    "s304": file("304 that nobody asked for", status(304, TAG)),
    "s206": file("206 that nobody asked for", raw(head(206, TAG | {"Content-Range": "bytes 0-9/1000000"}, 10) + BODY[:10])),
    "s100": file("interim answers first", raw(b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" + head(200, TAG, len(BODY)) + BODY)),
    "s299": file("299", status(299, {}, b"what?")),
    # Garbage.
    "garbage": file("no HTTP at all", raw(b"SSH-2.0-OpenSSH_9.2\r\n")),
    "gone": file("a connection that is closed at once", GONE),
    "endless-head": file("a megabyte of headers", raw(FOREVER)),
    "gzip": file("compressed, which nobody asked for", raw(head(200, {"Content-Encoding": "gzip"}, len(gzip.compress(b"plain", mtime=0))) + gzip.compress(b"plain", mtime=0)), body=gzip.compress(b"plain", mtime=0), shows=("Content-Encoding",)),
    "injection": file("a header that hides another", raw(head(200, {"ETag": '"x\rSet-Cookie: a=b"'}, 5) + b"hello"), body=b"hello", shows=("Set-Cookie", "ETag")),
}

for name, scenario in SCENARIOS.items():
    # Bytes of their own: what one repository keeps, another would link.
    if scenario.target == "app/blobs/":
        scenario.body = name.encode().ljust(32) + BODY[32:]
        scenario.target += digest_of(scenario.body)
    elif scenario.body is MANIFEST:
        scenario.body = MANIFEST[:-1] + f', "annotations": {{"scenario": "{name}"}}}}'.encode()
