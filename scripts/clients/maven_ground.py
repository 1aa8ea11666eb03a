"""What tests and measurements with mvn stand on: this machine's own Maven repository as an upstream, and people with a home of their own. Standard library only."""
import http.server
import os
import subprocess
import threading
import time

CENTRAL = "/usr/share/maven-repo"
POM = """<project xmlns="http://maven.apache.org/POM/4.0.0">
  <modelVersion>4.0.0</modelVersion>
  <groupId>com.acme</groupId><artifactId>{artifact}</artifactId><version>{version}</version><packaging>{packaging}</packaging>
  <name>{artifact} of Acme &amp; Sons</name><description>A test.</description>
  <licenses><license><name>MIT</name></license></licenses>
  <properties><maven.compiler.source>11</maven.compiler.source><maven.compiler.target>11</maven.compiler.target>
    <project.build.sourceEncoding>UTF-8</project.build.sourceEncoding></properties>
  <dependencies>{dependencies}</dependencies>{more}
  <distributionManagement>
    <repository><id>ours</id><url>{url}/releases</url></repository>
    <snapshotRepository><id>ours</id><url>{url}/snapshots</url></snapshotRepository>
  </distributionManagement>
</project>
"""
JUNIT = "<dependency><groupId>junit</groupId><artifactId>junit</artifactId><version>4.x</version><scope>test</scope></dependency>"
IO = "<dependency><groupId>commons-io</groupId><artifactId>commons-io</artifactId><version>debian</version></dependency>"


def dependency(artifact, version):
    return f"<dependency><groupId>com.acme</groupId><artifactId>{artifact}</artifactId><version>{version}</version></dependency>"


def plugin(name, goal):
    """By its whole name: this machine's repository has no metadata of prefixes."""
    place = f"{CENTRAL}/org/apache/maven/plugins/maven-{name}-plugin"
    version = next(entry for entry in sorted(os.listdir(place)) if entry[0].isdigit())
    return f"org.apache.maven.plugins:maven-{name}-plugin:{version}:{goal}"


class Upstream:
    """A file server over the machine's own Maven repository, which counts what it is asked for."""

    def __init__(self):
        asked = self.asked = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def __init__(self, *arguments):
                super().__init__(*arguments, directory=CENTRAL)

            def send_head(self):
                asked.append(self.path)
                return super().send_head()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()
        self.server.server_close()


class Person:
    """A home of mvn: a local repository that begins empty, and settings by which all goes through the group."""

    def __init__(self, folder, url):
        self.folder, self.url = folder, url
        os.makedirs(folder)
        self.settings = f"{folder}/settings.xml"
        self.write()

    def write(self, user=None, password=None):
        """Settings with these credentials for every repository, which mvn shows when it is asked for them, and for PUT at once."""
        server = f"<servers><server><id>ours</id><username>{user}</username><password>{password}</password></server></servers>" if user else ""
        with open(self.settings, "w") as file:
            file.write(
                f"<settings><localRepository>{self.folder}/m2</localRepository>{server}<mirrors><mirror><id>ours</id><mirrorOf>*</mirrorOf><url>{self.url}/public</url></mirror></mirrors>"
                "<profiles><profile><id>s</id><repositories><repository><id>any</id><url>http://any.invalid</url><snapshots><enabled>true</enabled>"
                "</snapshots></repository></repositories></profile></profiles><activeProfiles><activeProfile>s</activeProfile></activeProfiles></settings>")

    def project(self, name, version, dependencies="", packaging="jar", more="", test=False):
        place = f"{self.folder}/{name}-{version}-{time.monotonic_ns()}"
        for kind in ("main", "test"):
            os.makedirs(f"{place}/src/{kind}/java/com/acme")
        with open(f"{place}/pom.xml", "w") as file:
            file.write(POM.format(artifact=name, version=version, packaging=packaging, dependencies=dependencies, more=more, url=self.url))
        with open(f"{place}/src/main/java/com/acme/Hello.java", "w") as file:
            file.write("package com.acme;\npublic class Hello { public static String word() { return \"%d\"; } }\n" % time.monotonic_ns())
        if test:
            with open(f"{place}/src/test/java/com/acme/HelloTest.java", "w") as file:
                file.write(
                    "package com.acme;\nimport org.junit.Test;\nimport static org.junit.Assert.*;\n"
                    "public class HelloTest { @Test public void says() { assertNotNull(Hello.word()); } }\n")
        return place

    def mvn(self, place, *words, fails=False):
        line = ["mvn", "-B", "-e", "-s", self.settings, *words]
        environment = os.environ | {"MAVEN_OPTS": "-Xmx512m", "HOME": self.folder}
        done = subprocess.run(line, cwd=place, capture_output=True, text=True, timeout=300, env=environment)
        output = done.stdout + done.stderr
        if (done.returncode != 0) != fails:
            raise SystemExit(f"{' '.join(line)}: {done.returncode}\n{output[-6000:]}")
        return output
