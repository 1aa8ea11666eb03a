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

    @property
    def is_ranged(self):
        return "Range" in self.headers

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


def chunked(after=None, fields=TAG, other=None):
    def react(request):
        body = other or request.body
        yield head(200, fields | {"Transfer-Encoding": "chunked"})
        if request.method == "HEAD":
            return
        for at in range(0, after or len(body), 100_000):
            piece = body[at:at + 100_000]
            yield f"{len(piece):x}\r\n".encode() + piece + b"\r\n"
            if other and at == 300_000:
                # The client has begun by the time at which the end shows what it is.
                yield "wait"
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


def resumed(start, data, status_code=206, content_range=None, fields=TAG, length=None):
    """An answer to going on at `start` that says `content_range`, whatever it sends."""

    def react(request):
        body = data(request.body)
        shown = content_range or f"bytes {start}-{len(request.body) - 1}/{len(request.body)}"
        yield head(status_code, fields | ({"Content-Range": shown} if status_code == 206 else {}), length or len(body))
        yield body

    return react


def framed(**fields):
    """All of what is wanted, with these fields and its length."""

    def react(request):
        yield head(200, {name.replace("_", "-"): value for name, value in fields.items()}, len(request.body))
        yield request.body

    return react


def token_moved(location):
    def react(request):
        place = location.replace("PORT", str(request.port)).replace("NAME", scenario_of(request.path))
        yield head(307, {"Location": place}, 0)

    return react


def challenge_at(realm):
    def react(request):
        place = realm.replace("PORT", str(request.port))
        yield head(401, {"WWW-Authenticate": f'Bearer realm="{place}",service="bad"'}, 0)

    return react


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
    "cut-reset": file("reset in the midst", cut(700_000, then="reset"), whole()),
    "cut-other-prefix": blob(
        "cut, ranges ignored then, and other bytes before the cut", cut(700_000, fields={}),
        resumed(0, lambda body: OTHER[:700_000] + body[700_000:], 200, fields={})),
    "cut-parts": file("cut, and then a part at a time", cut(700_000), resumed(700_000, lambda body: body[700_000:900_000], content_range="bytes 700000-899999/1000000"), whole()),
    "cut-long-range": file(
        "cut, and a range that is longer than it says, and then the rest", cut(700_000),
        resumed(700_000, lambda body: body[700_000:], content_range="bytes 700000-799999/1000000"), whole()),
    "cut-garbled-range": file("cut, and a range that cannot be read, and then the rest", cut(700_000), resumed(700_000, lambda body: body[700_000:], content_range="bytes all"), whole()),
    "cut-other-total": file("cut, and a range of a longer file", cut(700_000), resumed(700_000, lambda body: body[700_000:], content_range="bytes 700000-999999/1000001")),
    "cut-no-tag": file("cut, and the rest without the tag", cut(700_000), whole(fields={})),
    "cut-304": file("cut, and 304 then", cut(700_000), status(304, TAG)),
    "cut-500": file("cut, 500 then, and then the rest", cut(700_000), status(500), whole()),
    "closed": file("of unknown length, until the connection ends", raw(head(200, {}) + BODY)),
    "chunked-wrong": blob("of unknown length, other bytes", chunked(other=OTHER)),
    "chunked-garbled": file("chunks without a size", raw(head(200, {"Transfer-Encoding": "chunked"}) + b"what\r\n" + BODY)),
    # Wrong lengths and digests.
    "too-long": file("more bytes than were declared", raw(head(200, TAG, 900_000) + BODY), body=BODY[:900_000]),
    "too-short-close": blob("fewer bytes than were declared, always", cut(900_000, fields={}, length=1_000_000), cut(0, fields={})),
    "wrong-digest": blob("other bytes of the right length", whole(OTHER)),
    "wrong-digest-short": blob("other bytes, and fewer", whole(OTHER[:500_000])),
    "negative-length": file("a negative length", raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello")),
    "two-lengths": file("two lengths", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello")),
    "length-and-chunks": file("a length, and chunks", raw(head(200, {"Transfer-Encoding": "chunked"}, 10) + b"5\r\nhello\r\n0\r\n\r\n")),
    "huge-length": file("a length beyond the disk", raw(head(200, TAG, 1 << 62) + BODY)),
    "endless-length": file("a length beyond numbers", raw(head(200, TAG, 10 ** 30) + BODY)),
    "head-304": file("304 to a HEAD that asked for nothing of the kind", status(304, TAG), method="HEAD"),
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
    "redirect-line": file("redirected with a line end in it", raw(b"HTTP/1.1 302 X\r\nLocation: /a\rX: y\r\nContent-Length: 0\r\n\r\n")),
    "redirect-403": blob("redirected to another host that refuses", redirect("http://localhost:PORT/redirect-403/there"), status(403)),
    "redirect-cut": blob(
        "redirected, cut, and redirected again for the rest", redirect("http://localhost:PORT/redirect-cut/there"), cut(700_000, fields={}),
        redirect("http://localhost:PORT/redirect-cut/elsewhere"), whole(fields={}), settings=ACCOUNT),
    # Signing in.
    "token": blob("a token service", challenge, token(TOKEN), whole()),
    "token-expired": blob(
        "a token that expires in the midst", challenge, token(TOKEN), cut(700_000), challenge, token("token-new-secret"), whole()),
    "token-down": blob("a token service that is down", challenge, status(500)),
    "token-page": blob("a token service that answers with a page", challenge, status(200, HTML, PAGE)),
    "token-denied": blob("a token, and still 401", challenge, token(TOKEN), challenge, token(TOKEN), challenge),
    "token-moved": blob("a token service that redirects within its host", challenge, token_moved("/NAME/token2"), token(TOKEN), whole(), settings=ACCOUNT),
    "token-moved-away": blob("a token service that redirects to another host", challenge, token_moved("http://localhost:PORT/NAME/token2"), token(TOKEN), whole(), settings=ACCOUNT),
    "token-private": blob("a token service at a private address", challenge_at("http://10.1.2.3/token"), settings=ACCOUNT),
    "token-silent": blob("a token service that says nothing", challenge, raw(b"", "hang")),
    "token-injection": blob("a token with a line end in it", challenge, token("t\r\nX-Evil: 1")),
    "token-429": blob("a token service that is busy", challenge, status(429, {"Retry-After": "9"})),
    "password": file("a password that is not taken", status(401, {"WWW-Authenticate": 'Basic realm="x"'}), settings=ACCOUNT),
    # Pages in the place of what was asked for.
    "page-manifest": manifest("a page in the place of a manifest", status(200, HTML, PAGE)),
    "page-blob": blob("a page in the place of a blob", status(200, HTML, PAGE)),
    "page-file": file("a page in the place of a file", status(200, HTML, PAGE), body=PAGE, shows=("Content-Type", "X-Content-Type-Options", "Content-Security-Policy")),
    # Manifests.
    "manifest": manifest("a manifest as it should be", good_manifest),
    "manifest-wrong": manifest("a manifest that is not what its digest says", whole(fields=WRONG_MANIFEST, ranges=False)),
    "manifest-large": manifest("a manifest of 9 MiB", whole(b"{" + b" " * (9 << 20) + b"}", WRONG_MANIFEST, ranges=False)),
    "manifest-no-json": manifest("a manifest that is none, and hashes right", good_manifest, body=b"[" + b" " * 100 + b"]"),
    "manifest-large-chunked": manifest("a manifest of 9 MiB that hashes right, of unknown length", good_manifest, chunked(other=b"{" + b" " * (9 << 20) + b"}"), body=b"{" + b" " * (9 << 20) + b"}"),
    "manifest-bad-digest": manifest("a manifest whose digest in the head is none", whole(fields=WRONG_MANIFEST | {"Docker-Content-Digest": "sha256:../../etc"}, ranges=False)),
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
    "s101": file("101 that nobody asked for", raw(head(101, {"Upgrade": "x", "Connection": "upgrade"}) + BODY)),
    "s416": file("416 that nobody asked for", status(416)),
    "s299": file("299", status(299, {}, b"what?")),
    # Garbage.
    "garbage": file("no HTTP at all", raw(b"SSH-2.0-OpenSSH_9.2\r\n")),
    "gone": file("a connection that is closed at once", GONE),
    "endless-head": file("a megabyte of headers", raw(FOREVER)),
    "endless-field": file("one field of four megabytes", raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * (4 << 20) + b"\r\n\r\n")),
    "no-colon": file("a field without a colon", raw(b"HTTP/1.1 200 OK\r\nwhat\r\n\r\n")),
    "fields": file(
        "fields that mean something to clients", framed(
            ETag='"one"', Set_Cookie="a=b", Location="http://evil.test/", X_Cache="HIT", Age="-5", Link="</x>; rel=next", Cache_Control="private",
            Content_Security_Policy="default-src *", Content_Disposition="inline", Access_Control_Allow_Origin="*", WWW_Authenticate="Basic",
            Strict_Transport_Security="max-age=9", X_Content_Type_Options="sniff", Alt_Svc="h3", Refresh="0", Content_Type="text/html"),
        shows=("Age", "ETag", "Content-Type", "Cache-Control", "Set-Cookie", "Location", "Link", "Content-Security-Policy", "Content-Disposition", "Refresh",
               "Access-Control-Allow-Origin", "WWW-Authenticate", "Strict-Transport-Security", "X-Content-Type-Options", "Alt-Svc")),
    "tag-list": file("an ETag outside HTTP's grammar", framed(ETag='one, W/"two", *'), shows=("Content-Type",)),
    "tag-long": file("an ETag of 60 kB", framed(ETag='"' + "x" * 60_000 + '"'), shows=("Content-Type",)),
    "type-none": file("a type that is none", framed(Content_Type="<script>", **TAG), shows=("Content-Type",)),
    "date-none": file("a date that is none", framed(Last_Modified="yesterday", **TAG), shows=("ETag",)),
    "null": file("a null byte in a field", framed(ETag='"a\0b"')),
    "folded": file("a folded field", framed(Content_Type="text/plain;\r\n X-Evil: 1")),
    # A part of what is not kept.
    "part": file("a part, heeded", whole(), headers={"Range": "bytes=900000-900099"}),
    "part-ignored": file("a part, ignored", whole(ranges=False), headers={"Range": "bytes=900000-900099"}),
    "part-other": blob("a part, and another one comes", resumed(5, lambda body: body[5:10], content_range="bytes 5-9/1000000"), headers={"Range": "bytes=900000-900099"}),
    "part-beyond": file("a part beyond the end", status(416, {"Content-Range": "bytes */1000000"}), headers={"Range": "bytes=5000000-"}),
    "part-500": blob("a part, and 500", status(500), headers={"Range": "bytes=900000-900099"}),
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
