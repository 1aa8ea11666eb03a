"""mvn against hosted, proxy and group repositories: builds through a group with an empty local repository, deploys, and builds again with the upstream gone.

usage: maven_build.py ENTREPOT FOLDER
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import threading
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
import zipfile

from maven_ground import IO, JUNIT, Person, Upstream, dependency, plugin
from registries import Entrepot

SITE = """configVersion: 1
security: {{ openAccess: true }}
repositories:
  releases: {{ format: maven2, type: hosted, versionPolicy: release, owns: ["com.acme.**"] }}
  snapshots: {{ format: maven2, type: hosted, versionPolicy: snapshot, owns: ["com.acme.**"] }}
  central: {{ format: maven2, type: proxy, remote: "http://127.0.0.1:{upstream}/", cache: {{ maxAge: 1s, revalidateDeadline: 2s }} }}
  ivy: {{ format: maven2, type: hosted, layoutPolicy: permissive }}
  public: {{ format: maven2, type: group, members: [releases, snapshots, central] }}
"""


def get(url, method="GET"):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=20) as answer:
            return answer.status, dict(answer.headers), answer.read()
    except urllib.error.HTTPError as error:
        return error.code, dict(error.headers), error.read()


def put(url, data, headers={}):
    try:
        with urllib.request.urlopen(urllib.request.Request(url, data=data, method="PUT", headers=headers), timeout=20) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def check(what, holds):
    if not holds:
        raise SystemExit(f"not so: {what}")
    print(f"ok: {what}", flush=True)


def versions(url):
    return [element.text for element in ET.fromstring(get(url)[2]).iter("version")]


def metadata_is_whole(url):
    status, headers, body = get(url)
    sums = {kind: get(f"{url}.{kind}")[2].decode() for kind in ("sha1", "md5", "sha256", "sha512")}
    return status == 200 and all(sums[kind] == getattr(hashlib, kind)(body).hexdigest() for kind in sums) and headers["X-Checksum-Sha1"] == sums["sha1"]


def plugin_jar(prefix):
    path = f"/tmp/plugin-{os.getpid()}.jar"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
        jar.writestr("META-INF/maven/plugin.xml", f"<?xml version='1.0'?><plugin><name>Hello</name><goalPrefix>{prefix}</goalPrefix></plugin>")
    with open(path, "rb") as file:
        data = file.read()
    os.remove(path)
    return data


GRADLE = """
apply plugin: 'java'
apply plugin: 'ivy-publish'
group = 'com.acme'
version = '1.0'
repositories {{ maven {{ url '{url}/public' }} }}
dependencies {{ compile 'commons-io:commons-io:debian', 'com.acme:library:1.10' }}
task show {{ doLast {{ configurations.compile.each {{ println 'has ' + it.name }} }} }}
publishing {{
  publications {{ ivy(IvyPublication) {{ from components.java }} }}
  repositories {{ ivy {{ url '{url}/ivy' }} }}
}}
"""
IVY = """<ivysettings><settings defaultResolver="ours"/><caches defaultCacheDir="{folder}/cache"/><resolvers>
<ibiblio name="ours" m2compatible="true" root="{url}/public/"/></resolvers></ivysettings>"""


def gradle(folder, url):
    """Resolves, and publishes with Ivy's descriptors."""
    place = f"{folder}/gradle"
    os.makedirs(f"{place}/src/main/java")
    with open(f"{place}/build.gradle", "w") as file:
        file.write(GRADLE.format(url=url))
    with open(f"{place}/settings.gradle", "w") as file:
        file.write("rootProject.name = 'built'\n")
    line = ["gradle", "--no-daemon", "--console=plain", "-g", f"{folder}/gradle-home", "show", "publish"]
    done = subprocess.run(line, cwd=place, capture_output=True, text=True, timeout=300)
    if done.returncode:
        raise SystemExit(f"gradle: {done.stdout}\n{done.stderr}")
    check("gradle resolves through the group", "has library-1.10.jar" in done.stdout and "has commons-io-debian.jar" in done.stdout)
    check("and publishes with a descriptor of Ivy's", get(f"{url}/ivy/com.acme/built/1.0/ivy-1.0.xml")[0] == 200 and get(f"{url}/ivy/com.acme/built/1.0/built-1.0.jar")[0] == 200)


def ivy(folder, url):
    place = f"{folder}/ivy"
    os.makedirs(place)
    with open(f"{place}/settings.xml", "w") as file:
        file.write(IVY.format(folder=place, url=url))
    line = ["java", "-jar", "/usr/share/java/ivy.jar", "-settings", "settings.xml", "-dependency", "com.acme", "library", "1.10", "-confs", "default"]
    done = subprocess.run(line, cwd=place, capture_output=True, text=True, timeout=120)
    check("ivy resolves what mvn deployed", done.returncode == 0 and "SUCCESSFUL" in done.stdout and "library" in done.stdout)


def main(binary, folder):
    upstream = Upstream()
    server = Entrepot(binary, folder, "maven", SITE.format(upstream=upstream.port))
    url = f"http://127.0.0.1:{server.port}/repository"
    ada, bob = Person(f"{folder}/ada", url), Person(f"{folder}/bob", url)
    try:
        # A build with a test and a dependency, of nothing but the group.
        output = ada.mvn(ada.project("app", "1.0", JUNIT + IO, test=True), "package")
        check("a build through the group, with its test", "Tests run: 1" in output and "BUILD SUCCESS" in output)

        # Deploying.
        place = ada.project("library", "1.0", JUNIT)
        ada.mvn(place, "package", plugin("source", "jar-no-fork"), "deploy")
        check("its sources were deployed with it", get(f"{url}/releases/com/acme/library/1.0/library-1.0-sources.jar")[0] == 200)
        again = ada.mvn(ada.project("library", "1.0"), "deploy", fails=True)
        check("deploying a release again is refused, with words", "status code: 400" in again or "400" in again)
        ada.mvn(ada.project("library", "1.1"), "deploy")
        ada.mvn(ada.project("library", "1.10"), "deploy")
        check("metadata has the versions in Maven's order", versions(f"{url}/releases/com/acme/library/maven-metadata.xml") == ["1.0", "1.1", "1.10"])
        check("its checksums are its own", metadata_is_whole(f"{url}/releases/com/acme/library/maven-metadata.xml"))
        jar = f"{url}/releases/com/acme/library/1.0/library-1.0.jar"
        status, headers, body = get(jar)
        check("a jar has its checksums beside it and in the answer", all(get(f"{jar}.{kind}")[2].decode() == getattr(hashlib, kind)(body).hexdigest() for kind in ("md5", "sha1", "sha256", "sha512")) and headers["X-Checksum-Sha1"] == hashlib.sha1(body).hexdigest())

        # A snapshot, and somebody who follows it.
        ada.mvn(ada.project("tool", "2.0-SNAPSHOT"), "deploy")
        user = bob.project("user", "1.0", dependency("tool", "2.0-SNAPSHOT") + dependency("library", "1.10"))
        check("a dependency on a snapshot that was just deployed", "BUILD SUCCESS" in bob.mvn(user, "-U", "compile"))
        ada.mvn(ada.project("tool", "2.0-SNAPSHOT"), "deploy")
        output = bob.mvn(user, "-U", "compile")
        check("the newer snapshot comes with -U", re.search(r"Downloaded from ours: \S+tool-2\.0-\d{8}\.\d{6}-2\.jar", output))
        snapshot = ET.fromstring(get(f"{url}/public/com/acme/tool/2.0-SNAPSHOT/maven-metadata.xml")[2])
        check("snapshot metadata names the newest build", snapshot.find("versioning/snapshot/buildNumber").text == "2" and metadata_is_whole(f"{url}/public/com/acme/tool/2.0-SNAPSHOT/maven-metadata.xml"))

        check("mvn dependency:get", "BUILD SUCCESS" in bob.mvn(bob.folder, plugin("dependency", "get"), "-Dartifact=com.acme:library:1.1"))

        # Files that were made elsewhere, with sources and documentation.
        javadoc = f"{ada.folder}/tool-javadoc.jar"
        with zipfile.ZipFile(javadoc, "w") as made:
            made.writestr("index.html", "<h1>tool</h1>")
        place = ada.project("documented", "1.0")
        bob.mvn(bob.folder, plugin("dependency", "get"), "-Dartifact=com.acme:library:1.10")
        built = f"{bob.folder}/m2/com/acme/library/1.10/library-1.10.jar"
        words = [f"-Dfile={built}", f"-Dsources={built}", f"-Djavadoc={javadoc}", f"-DpomFile={place}/pom.xml", f"-Durl={url}/releases", "-DrepositoryId=ours"]
        ada.mvn(ada.folder, plugin("deploy", "deploy-file"), *words)
        check("mvn deploy:deploy-file with sources and javadoc", all(get(f"{url}/releases/com/acme/documented/1.0/documented-1.0{kind}.jar")[0] == 200 for kind in ("", "-sources", "-javadoc")))
        bob.mvn(bob.folder, plugin("dependency", "get"), "-Dartifact=com.acme:documented:1.0:jar:javadoc", "-Dtransitive=false")
        with zipfile.ZipFile(f"{bob.folder}/m2/com/acme/documented/1.0/documented-1.0-javadoc.jar") as got:
            check("which another resolves", got.namelist() == ["index.html"])

        # A reactor of modules, from two folders at once, with threads.
        modules = [f"module{number}" for number in range(6)]

        def reactor(person, version):
            place = person.project("parent", version, packaging="pom", more="<modules>" + "".join(f"<module>{name}</module>" for name in modules) + "</modules>")
            for name in modules:
                module = person.project(name, version)
                shutil.move(module, f"{place}/{name}")
            person.mvn(place, "-T2", "deploy")

        both = [threading.Thread(target=reactor, args=pair) for pair in [(ada, "3.0"), (bob, "3.1")]]
        for thread in both:
            thread.start()
        for thread in both:
            thread.join()
        check("two reactors at once: no version is lost", all(versions(f"{url}/public/com/acme/{name}/maven-metadata.xml") == ["3.0", "3.1"] for name in ["parent", *modules]))

        # Plugins, checksums that come first, files that are none.
        base = f"{url}/releases/com/acme/hello-maven-plugin/1.0/hello-maven-plugin-1.0"
        check("a plugin's jar", put(f"{base}.jar", plugin_jar("hello")) == 201)
        plugins = ET.fromstring(get(f"{url}/public/com/acme/maven-metadata.xml")[2])
        check("its prefix is in the group's metadata", [plugin.find("prefix").text for plugin in plugins.iter("plugin")] == ["hello"])
        base = f"{url}/releases/com/acme/early/1.0/early-1.0.jar"
        check("a checksum may come before its file", put(f"{base}.sha1", hashlib.sha1(b"right").hexdigest().encode()) == 201)
        check("which must be right", put(base, b"wrong") == 400 and get(base)[0] == 404)
        check("and is, then", put(base, b"right") == 201 and put(f"{base}.md5", b"0" * 32) == 400 and put(f"{base}.md5", hashlib.md5(b"right").hexdigest().encode()) == 201)
        check("what is in no layout is refused", put(f"{url}/releases/a/b.txt", b"x") == 400)
        check("a snapshot among releases is refused", put(f"{url}/releases/com/acme/x/1-SNAPSHOT/x-1-SNAPSHOT.jar", b"x") == 400)
        check("a version is deleted with its files", get(f"{url}/releases/com/acme/library/1.1/", "DELETE")[0] == 204 and versions(f"{url}/releases/com/acme/library/maven-metadata.xml") == ["1.0", "1.10"])
        check("nothing of ours was asked of the upstream", not [path for path in upstream.asked if "/com/acme/" in path])

        gradle(folder, url)
        ivy(folder, url)

        # Without the upstream, with an empty local repository.
        upstream.stop()
        carol = Person(f"{folder}/carol", url)
        output = carol.mvn(carol.project("app", "1.0", JUNIT + IO, test=True), "package")
        check("the same build with the upstream gone", "Tests run: 1" in output and "BUILD SUCCESS" in output)
    finally:
        server.stop()
    print("all is well")


main(*sys.argv[1:])
