"""The mixed load of crash.py: who writes what, and what was promised."""
import collections
import json
import threading

from registry import MANIFEST, Registry, Refused, digest

INDEX = "application/vnd.oci.image.index.v1+json"
FILES = "/repository/files/crash"
SIZES = [0, 1, 300, 4096, 4096, 70_000, 70_000, 400_000]


class Ledger:
    """What each key holds by the last acknowledgement, and what may have come over it since. None is «absent».

    Keys: ("blob", image, digest), ("manifest", image, digest), ("tag", image, tag), ("file", path). Each is written by one worker, so its
    history is a line.
    """

    def __init__(self):
        self.lock = threading.Lock()
        self.values, self.pending, self.touched = {}, collections.defaultdict(list), set()
        self.acknowledged = 0
        self.last, self.then = 0, None

    def on_acknowledgement(self, count, then):
        """`then` is called once, by the thread whose acknowledgement is the `count`th from now."""
        with self.lock:
            self.last, self.then = self.acknowledged + count, then

    def write(self, changes, action):
        """One request that makes all of `changes` (key -> value), or none."""
        with self.lock:
            for key, value in changes.items():
                self.pending[key].append(value)
                self.touched.add(key)
        action()
        with self.lock:
            for key, value in changes.items():
                self.values[key] = value
                self.pending.pop(key, None)
            self.acknowledged += 1
            then = self.then if self.acknowledged == self.last else None
        if then:
            then()

    def allowed(self, key):
        return [self.values.get(key), *self.pending.get(key, [])]

    def settle(self, key, value):
        self.values[key] = value
        self.pending.pop(key, None)
        if value is None and key[0] in ("blob", "manifest"):
            del self.values[key]
            self.touched.discard(key)


class Worker:
    """Writes to two images and a folder of its own, one step after the other, for as long as the server answers."""

    def __init__(self, number, ledger, numbers):
        self.ledger, self.random = ledger, numbers
        self.image, self.other = f"docker-local/acme/crash-{number}", f"docker-local/acme/crash-{number}-mounted"
        self.folder = f"{FILES}/{number}"
        self.parts = {}  # manifest's digest -> the digests of what it names: (kind, digest, size)
        self.upload = None  # (location, data, acknowledged bytes) of an upload that is to be resumed
        self.done = collections.Counter()
        self.registry = None

    def run(self, port, killed):
        self.registry = Registry(port, timeout=30)
        if self.upload:
            self.resume()
        steps = [self.put_image, self.put_image, self.put_index, self.put_file, self.put_file, self.delete_file, self.mount, self.move_tag]
        steps += [self.delete_manifest, self.delete_tag, self.delete_blobs, self.begin_upload]
        while not killed.is_set():
            step = self.random.choice(steps)
            step()
            self.done[step.__name__.replace("_", " ")] += 1

    # What there is, by the ledger: exact, since checks settle every key that was touched.
    def held(self, kind, image):
        with self.ledger.lock:
            return [key[2] for key, value in self.ledger.values.items() if key[0] == kind and key[1] == image and value]

    def tags(self, image):
        with self.ledger.lock:
            return {key[2]: value for key, value in self.ledger.values.items() if key[0] == "tag" and key[1] == image and value}

    def used(self, image):
        return {part[1] for name in self.held("manifest", image) for part in self.parts[name]}

    def images(self):
        """Manifests that are no index: those have blobs, and are never without a part."""
        return [name for name in self.held("manifest", self.image) if any(part[0] == "blobs" for part in self.parts[name])]

    def put_blob(self, image, data=None):
        data = self.random.randbytes(self.random.choice(SIZES)) if data is None else data
        in_chunks = self.random.random() < 0.5
        self.ledger.write({("blob", image, digest(data)): digest(data)}, lambda: self.registry.push_blob(image, data, in_chunks))
        return "blobs", digest(data), len(data)

    def put_manifest(self, image, tag, manifest, parts, kind=MANIFEST):
        name = digest(manifest)
        self.parts[name] = parts
        changes = {("manifest", image, name): name, ("tag", image, tag): name}
        target, headers = f"/v2/{image}/manifests/{tag}", {"Content-Type": kind}
        self.ledger.write(changes, lambda: self.registry.request("PUT", target, body=manifest, headers=headers, wanted={201}))

    def tag(self):
        return f"t{self.random.randrange(5)}"

    def put_image(self):
        # The same bytes in the images of all workers now and then: one blob with many links.
        shared = b"shared %d" % self.random.randrange(10) * 5000
        parts = [self.put_blob(self.image, shared if n == 0 else None) for n in range(3)]
        manifest = self.registry.image_manifest(parts[0][1:], [part[1:] for part in parts[1:]])
        self.put_manifest(self.image, self.tag(), manifest, parts)

    def put_index(self):
        children = self.images()[:2]
        entries = [{"mediaType": MANIFEST, "digest": name, "size": 1000} for name in children]
        manifest = json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": entries}).encode()
        self.put_manifest(self.image, "index", manifest, [("manifests", name, None) for name in children], INDEX)

    def mount(self):
        for name in self.held("blob", self.image)[:2]:
            target = f"/v2/{self.other}/blobs/uploads/?mount={name}&from={self.image}"
            self.ledger.write({("blob", self.other, name): name}, lambda: self.registry.request("POST", target, body=b"", wanted={201}))

    def move_tag(self):
        """Bytes that are there already, under a tag that may be another's."""
        images = self.images()
        if images:
            name = self.random.choice(images)
            self.put_manifest(self.image, self.tag(), self.registry.manifest(self.image, name), self.parts[name])

    def delete_manifest(self):
        free = [name for name in self.held("manifest", self.image) if name not in self.used(self.image)]
        for name in free[:-2]:
            changes = {("tag", self.image, tag): None for tag, target in self.tags(self.image).items() if target == name}
            changes[("manifest", self.image, name)] = None
            target = f"/v2/{self.image}/manifests/{name}"
            self.ledger.write(changes, lambda: self.registry.request("DELETE", target, wanted={202}))

    def delete_tag(self):
        tags = self.tags(self.image)
        if tags:
            tag = self.random.choice(sorted(tags))
            target = f"/v2/{self.image}/manifests/{tag}"
            self.ledger.write({("tag", self.image, tag): None}, lambda: self.registry.request("DELETE", target, wanted={202}))

    def delete_blobs(self):
        for image in (self.image, self.other):
            used = self.used(image)
            for name in [name for name in self.held("blob", image) if name not in used][:12]:
                target = f"/v2/{image}/blobs/{name}"
                self.ledger.write({("blob", image, name): None}, lambda: self.registry.request("DELETE", target, wanted={202}))

    def path(self):
        return f"{self.folder}/{self.random.randrange(8)}.bin"

    def put_file(self):
        data, path = self.random.randbytes(self.random.choice(SIZES)), self.path()
        self.ledger.write({("file", path): digest(data)}, lambda: self.registry.request("PUT", path, body=data, wanted={200, 201, 204}))

    def delete_file(self):
        path = self.path()
        self.ledger.write({("file", path): None}, lambda: self.registry.request("DELETE", path, wanted={200, 202, 204, 404}))

    def begin_upload(self):
        """Half of a blob. The next life of the server is asked for the rest of it."""
        if self.upload:
            return self.resume()
        data = self.random.randbytes(150_000)
        location = self.registry.session(self.image)
        self.upload = (location, data, 0)
        self.upload = (self.registry.append(location, [data[:50_000], data[50_000:70_000]]), data, 70_000)

    def resume(self):
        location, data, acknowledged = self.upload
        name = digest(data)
        if name in self.held("blob", self.image):
            self.upload = None
            return
        status, headers, _ = self.registry.request("GET", location, wanted={204, 404})
        if status == 404:
            # Its last request may have closed it unheard; the check has seen whether the blob is whole.
            if not self.closing:
                raise Refused(f"an upload of {acknowledged} acknowledged bytes is not known any more")
            self.upload = None
            return
        first, _, last = headers["Range"].partition("-")
        count = int(last) + 1 if headers["Range"] != "0-0" else min(acknowledged, 1)
        if first != "0" or not acknowledged <= count <= len(data):
            raise Refused(f"an upload with {acknowledged} acknowledged bytes has {headers['Range']}")
        if count < len(data):
            location = self.registry.append(Registry.local(headers.get("Location", location)), [data[count:]])
            self.upload = (location, data, len(data))
        self.closing = True
        self.ledger.write({("blob", self.image, name): name}, lambda: self.registry.finish(location, name))
        self.upload, self.closing = None, False
        self.done["resumed upload"] += 1

    closing = False
