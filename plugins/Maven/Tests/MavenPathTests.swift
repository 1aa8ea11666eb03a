import ArtifactModel
import FormatAPI
import Testing

@testable import MavenFormat

@Suite("Addresses of the Maven layout")
struct MavenPathTests {
    struct Case: Sendable {
        var path: String
        var group = "", artifact = "", base = "", version = "", classifier = "", kind = ""
    }

    static let artifacts = [
        Case(path: "com/acme/app/1.0/app-1.0.jar", group: "com.acme", artifact: "app", base: "1.0", version: "1.0", kind: "jar"),
        Case(path: "com/acme/app/1.0/app-1.0-sources.jar", group: "com.acme", artifact: "app", base: "1.0", version: "1.0", classifier: "sources", kind: "jar"),
        Case(path: "a/b/1/b-1.tar.gz", group: "a", artifact: "b", base: "1", version: "1", kind: "tar.gz"),
        Case(path: "a/b/1/b-1-bin.tar.gz", group: "a", artifact: "b", base: "1", version: "1", classifier: "bin", kind: "tar.gz"),
        Case(path: "a/b/1/b-1-linux-x86_64.so", group: "a", artifact: "b", base: "1", version: "1", classifier: "linux-x86_64", kind: "so"),
        Case(path: "a/b/1/b-1.jar.asc", group: "a", artifact: "b", base: "1", version: "1", kind: "jar.asc"),
        Case(path: "a/b/1/b-1-sources.jar.asc", group: "a", artifact: "b", base: "1", version: "1", classifier: "sources", kind: "jar.asc"),
        Case(path: "a/b/1-SNAPSHOT/b-1-SNAPSHOT.jar", group: "a", artifact: "b", base: "1-SNAPSHOT", version: "1-SNAPSHOT", kind: "jar"),
        Case(
            path: "a/b/1-SNAPSHOT/b-1-20261128.010203-12-tests.jar", group: "a", artifact: "b", base: "1-SNAPSHOT", version: "1-20261128.010203-12",
            classifier: "tests", kind: "jar"),
        Case(path: "a/b-c/1.0-rc-1/b-c-1.0-rc-1.pom", group: "a", artifact: "b-c", base: "1.0-rc-1", version: "1.0-rc-1", kind: "pom"),
    ]

    @Test("files of versions", arguments: artifacts)
    func artifact(_ wanted: Case) throws {
        let path = try MavenPath(wanted.path.split(separator: "/").map(String.init))
        guard case .artifact(let artifact) = path.kind else {
            Issue.record("\(wanted.path) is no artifact")
            return
        }
        #expect(artifact.groupID == wanted.group && artifact.artifactID == wanted.artifact && artifact.baseVersion == wanted.base)
        #expect(artifact.version == wanted.version && artifact.classifier == wanted.classifier && artifact.fileExtension == wanted.kind)
    }

    @Test(
        "what is no file of a version",
        arguments: [
            "a/b/1/c-1.jar", "a/b/1/b-2.jar", "a/b/1/b-1", "a/b/1/b-1.", "b/1/b-1.jar", "a/b/1/b-1-.jar", "a/b/1/b-1-x", "a/b/1-SNAPSHOT/b-1-20261128-1.jar",
            "a/b/1-SNAPSHOT/b-1-20261128.01020-1.jar", "a/b/1-SNAPSHOT/b-1-20261128.010203-.jar", "a/b/10/b-1.jar", "a/b/1/b-10.jar", "a.txt",
            "com.acme/app/1.0/app-1.0.jar",
        ])
    func others(path: String) throws {
        #expect(try MavenPath(path.split(separator: "/").map(String.init)).kind == .file)
    }

    @Test("metadata, checksums, folders")
    func rest() throws {
        #expect(try MavenPath(["com", "acme", "app", "maven-metadata.xml"]).kind == .metadata(folder: ["com", "acme", "app"]))
        let checksum = try MavenPath(["a", "b", "1", "b-1.jar.sha1"])
        #expect(checksum.checksum == .sha1 && checksum.asset?.text == "a/b/1/b-1.jar")
        #expect(try MavenPath(["a", "b", "1", "b-1.jar.asc.md5"]).asset?.text == "a/b/1/b-1.jar.asc")
        #expect(try MavenPath(["a", "b", ""]).kind == .folder)
        #expect(try MavenPath([]).asset == nil)
        #expect(try MavenPath([".sha1"]).checksum == nil)
        #expect(throws: FormatError.self) { try MavenPath(["a", "..", "b"]) }
    }

    @Test(
        "owns and grants speak of group and artifact",
        arguments: [
            ("com/acme/app/1.0/app-1.0.jar", "com.acme.app", "com/acme/app"),
            ("com/acme/app/maven-metadata.xml", "com.acme.app.maven-metadata.xml", "com/acme/app"),
            ("com/acme/maven-metadata.xml", "com.acme.maven-metadata.xml", "com/acme"),
            ("com/acme/app/1-SNAPSHOT/maven-metadata.xml", "com.acme.app.1-SNAPSHOT.maven-metadata.xml", "com/acme/app"),
        ])
    func names(path: String, name: String, subject: String) throws {
        #expect(MavenRepository.name(at: AssetPath(checked: path)) == name)
        #expect(try MavenPath(path.split(separator: "/").map(String.init)).subject == subject)
    }

    @Test("a moment as lastUpdated has it", arguments: [(0, "19700101000000"), (951_782_400_000, "20000229000000"), (1_795_831_445_678, "20261128020405")])
    func moments(milliseconds: Int64, text: String) {
        #expect(MavenArtifact.moment(Timestamp(milliseconds: milliseconds)) == text)
    }
}
