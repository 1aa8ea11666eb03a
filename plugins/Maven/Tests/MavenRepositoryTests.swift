import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import RepositoryEngine
import Testing

@testable import MavenFormat

@Suite("Maven repositories")
struct MavenRepositoryTests {
    private static let jar = "com/acme/app/1.0/app-1.0.jar"

    // MARK: Hosted

    @Test("what is deployed is read, with its checksums; metadata follows from it")
    func deploy() async throws {
        let ground = try await Ground()
        try await ground.running { () async throws in
            try await ground.put("hosted/\(Self.jar)", "jar")
            try await ground.put("hosted/com/acme/app/1.0/app-1.0.pom", "<project><packaging>jar</packaging></project>")
            try await ground.put("hosted/com/acme/app/1.10/app-1.10.jar")
            try await ground.put("hosted/com/acme/app/1.9-SNAPSHOT/app-1.9-20261128.010203-1.jar")
            let answer = try await ground.ask(.get, "hosted/\(Self.jar)")
            #expect(answer.text == "jar" && answer.headers[.checksumSHA1] == sha1("jar") && answer.head?.contentType == "application/java-archive")
            #expect(try await ground.text("hosted/\(Self.jar).sha1") == sha1("jar"))
            #expect(try await ground.text("hosted/\(Self.jar).sha512").count == 128)
            let metadata = "hosted/com/acme/app/maven-metadata.xml"
            #expect(try await ground.values("version", metadata) == ["1.0", "1.9-SNAPSHOT", "1.10"])
            #expect(try await ground.values("latest", metadata) == ["1.10"])
            #expect(try await ground.values("release", metadata) == ["1.10"])
            #expect(try await ground.values("groupId", metadata) == ["com.acme"])
            #expect(try await ground.values("artifactId", metadata) == ["app"])
            #expect(try await ground.text("\(metadata).sha1") == sha1(try await ground.text(metadata)))
            #expect(try await ground.values("lastUpdated", metadata) == [MavenArtifact.moment(ground.site.clock.now)])
        }
    }

    @Test("a release stays what it was; the same bytes may come again, a snapshot may change")
    func redeploy() async throws {
        let ground = try await Ground()
        try await ground.running { () async throws in
            try await ground.put("hosted/\(Self.jar)", "one")
            try await ground.put("hosted/\(Self.jar)", "one")
            try await ground.put("hosted/\(Self.jar)", "two", .badRequest)
            try await ground.put("hosted/\(Self.jar)", "more than one", .badRequest)
            #expect(try await ground.text("hosted/\(Self.jar)") == "one")
            let snapshot = "hosted/com/acme/app/2-SNAPSHOT/app-2-SNAPSHOT.jar"
            try await ground.put(snapshot, "one")
            try await ground.put(snapshot, "two")
            #expect(try await ground.text(snapshot) == "two")
            // Files of one version come one after the other.
            try await ground.put("hosted/com/acme/app/1.0/app-1.0-sources.jar", "sources")
            #expect(try await ground.text("hosted/\(Self.jar)") == "one")
        }
    }

    @Test("metadata that clients send is thrown away, its checksums too")
    func metadata() async throws {
        let ground = try await Ground()
        try await ground.running { () async throws in
            try await ground.put("hosted/\(Self.jar)")
            try await ground.put(
                "hosted/com/acme/app/maven-metadata.xml", "<metadata><versioning><versions><version>9</version></versions></versioning></metadata>")
            try await ground.put("hosted/com/acme/app/maven-metadata.xml.sha1", "not even hex")
            #expect(try await ground.values("version", "hosted/com/acme/app/maven-metadata.xml") == ["1.0"])
            #expect(try await ground.ask(.get, "hosted/com/acme/none/maven-metadata.xml").status == .notFound)
            #expect(try await ground.ask(.get, "hosted/com/acme/none/maven-metadata.xml.sha1").status == .notFound)
        }
    }

    @Test("checksums: before the file and behind it, right and wrong")
    func checksums() async throws {
        let ground = try await Ground()
        try await ground.running { () async throws in
            try await ground.put("hosted/\(Self.jar).sha1", sha1("right"))
            try await ground.put("hosted/\(Self.jar)", "wrong", .badRequest)
            #expect(try await ground.ask(.get, "hosted/\(Self.jar)").status == .notFound)
            #expect(try await ground.ask(.get, "hosted/com/acme/app/maven-metadata.xml").status == .notFound)
            try await ground.put("hosted/\(Self.jar)", "right")
            try await ground.put("hosted/\(Self.jar).sha1", "\(sha1("right").uppercased())  app-1.0.jar\n")
            try await ground.put("hosted/\(Self.jar).sha1", sha1("wrong"), .badRequest)
            try await ground.put("hosted/\(Self.jar).md5", "not hex", .badRequest)
            try await ground.put("hosted/\(Self.jar).md5", String(repeating: "0", count: 5000), .contentTooLarge)
            #expect(try await ground.text("hosted/\(Self.jar).sha1") == sha1("right"))
            // What came before the file is not beside it afterwards.
            #expect(!(try await ground.text("hosted/com/acme/app/1.0/")).contains("sha1"))
        }
    }

    @Test("snapshots: the newest build of each file, also where an older one comes later; a file that is removed is not named any more")
    func snapshots() async throws {
        let ground = try await Ground()
        let folder = "hosted/com/acme/app/1-SNAPSHOT"
        try await ground.running { () async throws in
            try await ground.put("\(folder)/app-1-20261128.020000-2.jar")
            try await ground.put("\(folder)/app-1-20261128.010000-1.jar")
            try await ground.put("\(folder)/app-1-20261128.010000-1-sources.jar")
            #expect(try await ground.values("value", "\(folder)/maven-metadata.xml") == ["1-20261128.020000-2", "1-20261128.010000-1"])
            #expect(try await ground.values("buildNumber", "\(folder)/maven-metadata.xml") == ["2"])
            #expect(try await ground.values("classifier", "\(folder)/maven-metadata.xml") == ["sources"])
            #expect(try await ground.values("version", "\(folder)/maven-metadata.xml") == ["1-SNAPSHOT"])
            #expect(try await ground.ask(.delete, "\(folder)/app-1-20261128.020000-2.jar").status == .noContent)
            #expect(try await ground.values("value", "\(folder)/maven-metadata.xml") == ["1-20261128.010000-1", "1-20261128.010000-1"])
        }
    }

    @Test("deletes: a file, the last file, a version; what is not there is 404")
    func deletes() async throws {
        let ground = try await Ground()
        try await ground.running { () async throws in
            for version in ["1.0", "1.1", "1.2"] {
                try await ground.put("hosted/com/acme/app/\(version)/app-\(version).jar")
                try await ground.put("hosted/com/acme/app/\(version)/app-\(version).pom")
            }
            #expect(try await ground.ask(.delete, "hosted/com/acme/app/1.0/app-1.0.jar").status == .noContent)
            #expect(try await ground.values("version", "hosted/com/acme/app/maven-metadata.xml") == ["1.0", "1.1", "1.2"])
            #expect(try await ground.ask(.delete, "hosted/com/acme/app/1.0/app-1.0.pom").status == .noContent)
            #expect(try await ground.ask(.delete, "hosted/com/acme/app/1.1/").status == .noContent)
            #expect(try await ground.values("version", "hosted/com/acme/app/maven-metadata.xml") == ["1.2"])
            #expect(try await ground.ask(.get, "hosted/com/acme/app/1.1/app-1.1.pom").status == .notFound)
            for path in ["com/acme/app/1.1/", "com/acme/app/1.2/app-1.2.war", "com/acme/none/1/none-1.jar"] {
                #expect(try await ground.ask(.delete, "hosted/\(path)").status == .notFound, "\(path)")
            }
            #expect(try await ground.ask(.delete, "hosted/com/").status == .methodNotAllowed)
        }
    }

    @Test("policies: kinds of versions, and what is in no layout")
    func policies() async throws {
        let releases = try await Ground(MavenSettings(versionPolicy: .release))
        let snapshots = try await Ground(MavenSettings(versionPolicy: .snapshot, layoutPolicy: .permissive))
        try await releases.running { () async throws in
            try await releases.put("hosted/a/b/1-SNAPSHOT/b-1-SNAPSHOT.jar", "x", .badRequest)
            try await releases.put("hosted/a/b/1/b-1.jar")
            try await releases.put("hosted/a/b/1/ivy-1.xml", "x", .badRequest)
            #expect(try await releases.ask(.put, "hosted/a/b/", "x").status == .methodNotAllowed)
            #expect(try await releases.ask(.post, "hosted/a/b/1/b-1.jar", "x").status == .methodNotAllowed)
        }
        try await snapshots.running { () async throws in
            try await snapshots.put("hosted/a/b/1/b-1.jar", "x", .badRequest)
            try await snapshots.put("hosted/a/b/1/ivy-1.xml", "ivy")
            #expect(try await snapshots.text("hosted/a/b/1/ivy-1.xml") == "ivy")
            #expect(try await snapshots.text("hosted/a/b/1/ivy-1.xml.sha1") == sha1("ivy"))
        }
    }

    @Test("of fifty deploys at once no version is lost")
    func crowd() async throws {
        let ground = try await Ground()
        try await ground.running { () async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<50 { group.addTask { try await ground.put("hosted/a/b/1.\(number)/b-1.\(number).jar", "\(number)") } }
                try await group.waitForAll()
            }
            #expect(try await ground.values("version", "hosted/a/b/maven-metadata.xml") == (0..<50).map { "1.\($0)" })
        }
    }

    @Test("a plugin's prefix that a client sends counts where its jar says none, for as long as a version is there")
    func prefixes() async throws {
        let ground = try await Ground()
        let sent = "<metadata><plugins><plugin><name>N</name><prefix>hello</prefix><artifactId>hello-plugin</artifactId></plugin></plugins></metadata>"
        try await ground.running { () async throws in
            try await ground.put("hosted/com/acme/maven-metadata.xml", sent)
            #expect(try await ground.ask(.get, "hosted/com/acme/maven-metadata.xml").status == .notFound)
            try await ground.put("hosted/com/acme/hello-plugin/1/hello-plugin-1.jar")
            try await ground.put("hosted/com/acme/maven-metadata.xml", sent)
            try await ground.put("hosted/com/acme/maven-metadata.xml", sent.replacing("hello<", with: "other<"))
            #expect(try await ground.values("prefix", "hosted/com/acme/maven-metadata.xml") == ["hello"])
            #expect(try await ground.ask(.delete, "hosted/com/acme/hello-plugin/1/").status == .noContent)
            #expect(try await ground.ask(.get, "hosted/com/acme/maven-metadata.xml").status == .notFound)
        }
    }

    @Test("archetypes: of what was deployed, and of what an upstream offers; nobody else's under an owned group")
    func archetypes() async throws {
        let ground = try await Ground()
        let pom = "<project><packaging>maven-archetype</packaging><description>Begin &lt;here&gt;</description></project>"
        let theirs = ["a:theirs:2", "org.own:stolen:1"].map { words in
            let parts = words.split(separator: ":")
            return "<archetype><groupId>\(parts[0])</groupId><artifactId>\(parts[1])</artifactId><version>\(parts[2])</version></archetype>"
        }
        let catalog = "<archetype-catalog><archetypes>\(theirs.joined())</archetypes></archetype-catalog>"
        ground.upstream.put("archetype-catalog.xml", .init(catalog))
        try await ground.running { () async throws in
            #expect(try await ground.values("artifactId", "hosted/archetype-catalog.xml") == [])
            #expect(try await ground.values("artifactId", "group/archetype-catalog.xml") == ["theirs"], "of one member alone, too")
            try await ground.put("hosted/com/acme/start/1/start-1.pom", pom)
            try await ground.put("hosted/com/acme/app/1/app-1.pom", "<project/>")
            #expect(try await ground.values("artifactId", "hosted/archetype-catalog.xml") == ["start"])
            #expect(try await ground.values("description", "hosted/archetype-catalog.xml") == ["Begin <here>"])
            #expect(try await ground.text("proxy/archetype-catalog.xml") == catalog)
            #expect(try await ground.values("artifactId", "group/archetype-catalog.xml") == ["start", "theirs"])
            #expect(try await ground.text("group/archetype-catalog.xml.sha1") == sha1(try await ground.text("group/archetype-catalog.xml")))
            #expect(try await ground.ask(.delete, "hosted/com/acme/start/1/").status == .noContent)
            #expect(try await ground.values("artifactId", "hosted/archetype-catalog.xml") == [])
        }
    }

    // MARK: Proxy

    @Test("proxy: bytes that are not what the upstream's checksum says are not kept; of another policy they are")
    func upstreamChecksums() async throws {
        for (policy, status) in [(MavenSettings.ChecksumPolicy.fail, HTTPResponse.Status.badGateway), (.warn, .ok), (.ignore, .ok)] {
            let ground = try await Ground(MavenSettings(checksumPolicy: policy))
            ground.upstream.put("a/b/1/b-1.jar", .init("bytes"))
            ground.upstream.put("a/b/1/b-1.jar.sha1", .init(sha1("other bytes")))
            try await ground.running { () async throws in
                if policy == .fail {
                    // The last bytes are held back until it is known.
                    await #expect(throws: FormatError.self) { try await ground.ask(.get, "proxy/a/b/1/b-1.jar") }
                    #expect(try await ground.ask(.get, "proxy/a/b/1/").status == .notFound)
                } else {
                    let answer = try await ground.ask(.get, "proxy/a/b/1/b-1.jar")
                    #expect(answer.status == status && answer.text == "bytes", "\(policy)")
                }
            }
        }
    }

    @Test("proxy: an upstream in trouble over a checksum does not cost the file; what is kept is let go of by DELETE")
    func troubleOverChecksums() async throws {
        let ground = try await Ground()
        ground.upstream.put("a/b/1/b-1.jar", .init("bytes"))
        for mishap in [ScriptedUpstream.Mishap.none, .status(403), .fail(UpstreamError(.trouble(.unreachable), "down"))] { ground.upstream.script(mishap) }
        try await ground.running { () async throws in
            #expect(try await ground.text("proxy/a/b/1/b-1.jar") == "bytes")
            try await ground.settled()
            #expect(try await ground.text("proxy/a/b/1/b-1.jar.sha1") == sha1("bytes"))
            #expect(try await ground.ask(.delete, "proxy/a/b/1/b-1.jar").status == .noContent)
            #expect(try await ground.ask(.get, "proxy/a/b/1/").status == .notFound)
            #expect(try await ground.ask(.delete, "proxy/a/b/1/b-1.jar").status == .notFound)
        }
    }

    @Test("proxy: metadata passes byte for byte with its checksum, and a release is asked for once")
    func passing() async throws {
        let ground = try await Ground()
        let text = "<metadata>\n<!-- theirs --><versioning><versions><version>1</version></versions></versioning></metadata>"
        ground.upstream.put("a/b/maven-metadata.xml", .init(text))
        ground.upstream.put("a/b/1/b-1.jar", .init("bytes"))
        ground.upstream.put("a/b/1/b-1.jar.sha1", .init(sha1("bytes")))
        try await ground.running { () async throws in
            #expect(try await ground.text("proxy/a/b/maven-metadata.xml") == text)
            #expect(try await ground.text("proxy/a/b/maven-metadata.xml.sha1") == sha1(text))
            for _ in 0..<3 { #expect(try await ground.text("proxy/a/b/1/b-1.jar") == "bytes") }
            try await ground.settled()
            #expect(try await ground.text("proxy/a/b/1/b-1.jar.md5").count == 32)
            #expect(ground.upstream.asked.filter { $0.address == "a/b/1/b-1.jar" }.count == 1)
        }
    }

    @Test("proxy: what is no metadata takes no good one's place, and does not break the group")
    func garbage() async throws {
        let ground = try await Ground()
        try await ground.running { () async throws in
            try await ground.put("hosted/a/b/1/b-1.jar")
            ground.upstream.put("a/b/maven-metadata.xml", .init("<!DOCTYPE m [<!ENTITY a \"b\">]><metadata>&a;</metadata>"))
            #expect(try await ground.ask(.get, "proxy/a/b/maven-metadata.xml").status == .badGateway)
            let merged = try await ground.ask(.get, "group/a/b/maven-metadata.xml")
            #expect(XML.values("version", merged.text) == ["1"] && merged.skipped == ["proxy"])
            // In any other trouble it is not left out.
            ground.upstream.script(.fail(UpstreamError(.trouble(.failed), "it is in trouble")))
            ground.site.clock.advance(by: .seconds(3600))
            #expect(try await ground.ask(.get, "group/a/b/maven-metadata.xml").status == .serviceUnavailable)
        }
    }

    @Test("proxy: long metadata with space between its elements is read; what may be no build, time or version is passed over")
    func longMetadata() async throws {
        let ground = try await Ground()
        let versions = (0..<20_000).map { "      <version>1.\($0)</version>" }.joined(separator: "\n          ")
        ground.upstream.put(
            "a/long/maven-metadata.xml", .init("<metadata>\n  <versioning>\n    <versions>\n\(versions)\n    </versions>\n  </versioning>\n</metadata>"))
        ground.upstream.put(
            "a/odd/maven-metadata.xml",
            .init(
                "<metadata><versioning><versions><version>../x</version><version>2</version></versions><lastUpdated>zzzz</lastUpdated></versioning></metadata>")
        )
        ground.upstream.put(
            "a/odd/1-SNAPSHOT/maven-metadata.xml",
            .init(
                """
                <metadata><versioning><snapshotVersions><snapshotVersion><extension>jar</extension><value>1-zzzzzzzzzzzzzzz-9999999999999999</value>
                </snapshotVersion></snapshotVersions></versioning></metadata>
                """))
        try await ground.running { () async throws in
            try await ground.put("hosted/a/long/9/long-9.jar")
            #expect(try await ground.values("version", "group/a/long/maven-metadata.xml").count == 20_001)
            try await ground.put("hosted/a/odd/1/odd-1.jar")
            #expect(try await ground.values("version", "group/a/odd/maven-metadata.xml") == ["1", "2"])
            try await ground.put("hosted/a/odd/1-SNAPSHOT/odd-1-20260101.000000-1.jar")
            let snapshot = try await ground.text("group/a/odd/1-SNAPSHOT/maven-metadata.xml")
            #expect(XML.values("value", snapshot) == ["1-20260101.000000-1"] && XML.values("buildNumber", snapshot) == ["1"])
        }
    }

    @Test("group: of a snapshot whose newest build names no files, as Maven 2 writes metadata, the build is told")
    func oldSnapshots() async throws {
        let ground = try await Ground()
        ground.upstream.put(
            "a/old/1-SNAPSHOT/maven-metadata.xml",
            .init(
                """
                <metadata><version>1-SNAPSHOT</version><versioning><snapshot><timestamp>20260301.000000</timestamp><buildNumber>5</buildNumber></snapshot>
                <lastUpdated>20260301000000</lastUpdated></versioning></metadata>
                """))
        try await ground.running { () async throws in
            try await ground.put("hosted/a/old/1-SNAPSHOT/old-1-20260101.000000-1.jar")
            let older = try await ground.text("group/a/old/1-SNAPSHOT/maven-metadata.xml")
            #expect(XML.values("timestamp", older) == ["20260301.000000"] && XML.values("buildNumber", older) == ["5"] && XML.values("value", older).isEmpty)
            try await ground.put("hosted/a/old/1-SNAPSHOT/old-1-20260401.000000-2.jar")
            let newer = try await ground.text("group/a/old/1-SNAPSHOT/maven-metadata.xml")
            #expect(XML.values("buildNumber", newer) == ["2"] && XML.values("value", newer) == ["1-20260401.000000-2"])
        }
    }

    // MARK: Group

    @Test("group: versions are united in their order, snapshots by the newest build, plugins by prefix")
    func group() async throws {
        let ground = try await Ground()
        ground.upstream.put(
            "a/b/maven-metadata.xml",
            .init(
                "<metadata><versioning><versions><version>1.2</version><version>1.10</version></versions><lastUpdated>20990101000000</lastUpdated></versioning></metadata>"
            ))
        ground.upstream.put(
            "a/b/1-SNAPSHOT/maven-metadata.xml",
            .init(
                """
                <metadata><versioning><snapshotVersions><snapshotVersion><extension>jar</extension><value>1-20261128.020000-7</value></snapshotVersion>
                <snapshotVersion><extension>pom</extension><value>1-20261127.020000-6</value></snapshotVersion></snapshotVersions></versioning></metadata>
                """))
        ground.upstream.put(
            "a/maven-metadata.xml",
            .init("<metadata><plugins><plugin><prefix>p</prefix><artifactId>theirs</artifactId></plugin></plugins></metadata>"))
        try await ground.running { () async throws in
            try await ground.put("hosted/a/b/1.5/b-1.5.jar")
            try await ground.put("other/a/b/1.2/b-1.2.jar")
            try await ground.put("hosted/a/b/1-SNAPSHOT/b-1-20261128.010000-1.jar")
            try await ground.put("hosted/a/b/1-SNAPSHOT/b-1-20261128.010000-1.pom")
            #expect(try await ground.values("version", "group/a/b/maven-metadata.xml") == ["1-SNAPSHOT", "1.2", "1.5", "1.10"])
            #expect(try await ground.values("lastUpdated", "group/a/b/maven-metadata.xml") == ["20990101000000"])
            #expect(try await ground.values("value", "group/a/b/1-SNAPSHOT/maven-metadata.xml") == ["1-20261128.020000-7", "1-20261128.010000-1"])
            #expect(try await ground.values("artifactId", "group/a/maven-metadata.xml") == ["theirs"])
            let text = try await ground.text("group/a/b/maven-metadata.xml")
            #expect(try await ground.text("group/a/b/maven-metadata.xml.sha1") == sha1(text))
        }
    }

    @Test("group: a group that a repository owns is asked of nobody's upstream, and deploys go to the member that takes them")
    func owned() async throws {
        let ground = try await Ground()
        try await ground.running { () async throws in
            for path in ["org/own/x/1/x-1.jar", "org/own/x/maven-metadata.xml", "org/own/maven-metadata.xml", "org/own/x/1/x-1.jar.sha1"] {
                #expect(try await ground.ask(.get, "group/\(path)").status == .notFound, "\(path)")
            }
            #expect(ground.upstream.asked.isEmpty)
            try await ground.put("group/a/b/1/b-1.jar", "deployed")
            #expect(try await ground.text("hosted/a/b/1/b-1.jar") == "deployed")
            #expect(try await ground.ask(.put, "group/org/own/x/1/x-1.jar", "x").status != .created)
        }
    }
}
