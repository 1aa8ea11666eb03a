import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import RepositoryEngine
import Testing

@testable import MavenFormat

@Suite("Maven repositories: what comes at one time, goes again, or looks alike", .timeLimit(.minutes(2)))
struct MavenChangeTests {
    @Test("a folder with a dot in its name is in no group's layout: nothing of the group is reached through it")
    func dots() async throws {
        let ground = try await Ground(MavenSettings(layoutPolicy: .permissive))
        try await ground.running { () async throws in
            try await ground.put("hosted/com/acme/app/3/app-3.jar")
            try await ground.put("hosted/com.acme/app/3/app-3.jar", "another")
            #expect(try await ground.ask(.delete, "hosted/com.acme/app/3/").status == .methodNotAllowed)
            #expect(try await ground.ask(.delete, "hosted/com.acme/app/3/app-3.jar").status == .noContent)
            #expect(try await ground.text("hosted/com/acme/app/3/app-3.jar") == "bytes")
            #expect(try await ground.values("version", "hosted/com/acme/app/maven-metadata.xml") == ["3"])
        }
        let strict = try await Ground()
        try await strict.running { try await strict.put("hosted/com.acme/app/3/app-3.jar", "bytes", .badRequest) }
    }

    @Test("of two deletes at once that take a version's last two files, one takes the version", arguments: 0..<10)
    func lastTwo(round: Int) async throws {
        let ground = try await Ground()
        try await ground.running { () async throws in
            for kind in ["a", "b"] { try await ground.put("hosted/a/f/\(round)/f-\(round)-\(kind).jar") }
            try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                for kind in ["a", "b"] { group.addTask { try await ground.ask(.delete, "hosted/a/f/\(round)/f-\(round)-\(kind).jar").status } }
                for try await status in group { #expect(status == .noContent) }
            }
            #expect(try await ground.ask(.get, "hosted/a/f/maven-metadata.xml").status == .notFound)
        }
    }

    @Test("a checksum that waits for its file may be taken back, and obeys the repository's policies")
    func earlyChecksums() async throws {
        let ground = try await Ground(MavenSettings(versionPolicy: .release))
        try await ground.running { () async throws in
            try await ground.put("hosted/a/e/1/e-1.jar.sha1", sha1("other"))
            try await ground.put("hosted/a/e/1/e-1.jar", "bytes", .badRequest)
            #expect(try await ground.ask(.delete, "hosted/a/e/1/e-1.jar.sha1").status == .noContent)
            try await ground.put("hosted/a/e/1/e-1.jar")
            #expect(try await ground.ask(.delete, "hosted/a/e/1/e-2.jar.sha1").status == .notFound)
            try await ground.put("hosted/a/b.txt.sha1", sha1("x"), .badRequest)
            try await ground.put("hosted/a/x/1-SNAPSHOT/x-1-SNAPSHOT.jar.sha1", sha1("x"), .badRequest)
        }
    }

    @Test("permissive: of a file and a wrong checksum that come at one time, one is refused", arguments: 0..<10)
    func permissiveRace(round: Int) async throws {
        let ground = try await Ground(MavenSettings(layoutPolicy: .permissive))
        try await ground.running { () async throws in
            try await withThrowingTaskGroup(of: HTTPResponse.Status.self) { group in
                group.addTask { try await ground.ask(.put, "hosted/x/i.txt", "bytes").status }
                group.addTask { try await ground.ask(.put, "hosted/x/i.txt.sha1", sha1("other")).status }
                var statuses: [HTTPResponse.Status] = []
                for try await status in group { statuses.append(status) }
                #expect(Set(statuses) == [.created, .badRequest])
            }
        }
    }

    @Test("a snapshot's file whose classifier and extension have dots is named in each way to read it")
    func readings() async throws {
        let ground = try await Ground()
        try await ground.running { () async throws in
            try await ground.put("hosted/a/k/1-SNAPSHOT/k-1-20260101.000000-1-features.xml.gz")
            let text = try await ground.text("hosted/a/k/1-SNAPSHOT/maven-metadata.xml")
            #expect(zip(XML.values("classifier", text), XML.values("extension", text)).map { "\($0):\($1)" } == ["features.xml:gz", "features:xml.gz"])
            #expect(try await ground.ask(.delete, "hosted/a/k/1-SNAPSHOT/k-1-20260101.000000-1-features.xml.gz").status == .noContent)
            #expect(try await ground.ask(.get, "hosted/a/k/1-SNAPSHOT/maven-metadata.xml").status == .notFound)
        }
    }

    @Test("what a POM said of an archetype goes with it; names that look alike are different ones")
    func leftBehind() async throws {
        let ground = try await Ground()
        try await ground.running { () async throws in
            try await ground.put("hosted/a/ar/1/ar-1.jar")
            try await ground.put("hosted/a/ar/1/ar-1.pom", "<project><packaging>maven-archetype</packaging></project>")
            #expect(try await ground.values("artifactId", "hosted/archetype-catalog.xml") == ["ar"])
            #expect(try await ground.ask(.delete, "hosted/a/ar/1/ar-1.pom").status == .noContent)
            #expect(try await ground.values("artifactId", "hosted/archetype-catalog.xml").isEmpty)
            let (composed, decomposed) = ("%C3%B6", "o%CC%88")
            try await ground.put("hosted/n/\(composed)/1/\(composed)-1.jar")
            #expect(try await ground.ask(.get, "hosted/n/\(decomposed)/maven-metadata.xml").status == .notFound)
            #expect(try await ground.ask(.get, "hosted/n/\(composed)/maven-metadata.xml").status == .ok)
        }
    }
}
