import AccessControl
import ArtifactModel
import Foundation
@testable import ServerConfiguration
import Testing

@Suite("A configuration that is right")
struct ConfigurationTests {
    @Test("an empty file is a configuration of defaults")
    func defaults() throws {
        let configuration = try #require(Fixture.load("").configuration)
        #expect(configuration.server.listen.map(\.description) == ["127.0.0.1:8081"])
        #expect(configuration.server.drain == .seconds(30))
        #expect(configuration.data == "/srv/data")
        #expect(configuration.blobStores == [.init(name: "default", path: "/srv/data/blobs", quota: nil)])
        #expect(configuration.repositories.isEmpty)
        #expect(configuration.siteSettings["docker"] is ImageFormat.SiteSettings)
        #expect(configuration.accessNotice == nil)
        #expect(!configuration.security.openAccess && configuration.security.policy.anonymousRoles == nil)
    }

    @Test("roles, settings and names come through typed")
    func typed() throws {
        let yaml = """
            docker: { defaultRepository: local }
            repositories:
              local: { format: docker, type: hosted, writePolicy: allowOnce, mutableTags: [latest, 1.10], listen: ":5001", host: IMG.example.com }
              hub:
                format: docker
                type: proxy
                remote: [https://registry-1.docker.io, "http://mirror:5000/hub/", { url: https://near.example.com, trust: digestsOnly }]
                authentication: { token: t }
                trustedHosts: [Auth.example.com]
                cache: { maxAge: 5m, maxSize: 200GiB, maxStale: unlimited, onUpstreamDelete: { documents: keep }, fixedTags: ["v*"] }
                limits: { connections: 8, bandwidth: 2MiB }
              all: { format: docker, type: group, members: [local, hub], writeTo: local, onMemberError: skip }
              up: { format: files, type: hosted }
            """
        let configuration = try #require(Fixture.load(yaml).configuration)
        #expect(configuration.shown.yaml.contains("docker:\n  defaultRepository: local\n  namespaces: {}\n"))
        let local = configuration.repositories[0]
        #expect(local.kind == .hosted(.init(writePolicy: .allowOnce)))
        #expect((local.settings as? ImageFormat.Settings)?.mutableTags == ["latest", "1.10"])
        #expect(local.listen?.description == "127.0.0.1:5001")
        #expect(local.host?.text == "img.example.com")
        guard case .proxy(let hub) = configuration.repositories[1].kind else {
            Issue.record("hub is no proxy")
            return
        }
        #expect(hub.remotes.map(\.description) == ["https://registry-1.docker.io", "http://mirror:5000/hub", "https://near.example.com"])
        #expect(hub.digestsOnly == [2])
        #expect(hub.cache.maxStale == nil && hub.cache.goneDocuments == .keep && hub.cache.goneImmutable == .keep)
        #expect(hub.cache.fixedTags.map(\.text) == ["v*"])
        #expect(configuration.shown.yaml.contains("maxStale: unlimited"))
        #expect(hub.authentication == .token("t"))
        #expect(hub.cache.maxAge == .seconds(300))
        #expect(hub.cache.maxSize == 200 << 30)
        #expect(hub.trustedHosts.map(\.text) == ["auth.example.com"])
        #expect(hub.limits == .init(connections: 8, bandwidth: 2 << 20, idleTimeout: .seconds(60), connectTimeout: .seconds(10)))
        guard case .group(let all) = configuration.repositories[2].kind else {
            Issue.record("all is no group")
            return
        }
        #expect(all.members.map(\.text) == ["local", "hub"])
        #expect(all.writeTo?.text == "local")
        #expect(all.onMemberError == .skip)
        #expect(configuration.repositories[3].format == "raw")
    }

    @Test("the command line counts instead of the file, in what is shown too")
    func overrides() throws {
        let loaded = Fixture.load("data: a\nserver: { listen: \":1\" }\n", overrides: Overrides(data: "../b", listen: ["127.0.0.1:0"]))
        let configuration = try #require(loaded.configuration)
        #expect(configuration.data == "/b")
        #expect(configuration.blobStores.first?.path == "/b/blobs")
        #expect(configuration.server.listen.map(\.port) == [0])
        #expect(configuration.shown.yaml.contains("data: /b\n"))
        #expect(Fixture.lines(Fixture.load("", overrides: Overrides(listen: ["x"]))).first?.hasPrefix("c.yaml: --listen: «x» is not a listen address") == true)
    }

    @Test("a repository's JSON is one line, in a fixed order, with the defaults and without secrets")
    func json() throws {
        let yaml = "repositories:\n  d: { type: hosted, format: docker, mutableTags: [\"${file:/t}\", b] }\n"
        let configuration = try #require(Fixture.load(yaml, files: ["/t": Fixture.secret]).configuration)
        #expect(
            configuration.repositories.first?.json
                == #"{"format":"docker","type":"hosted","blobStore":"default","owns":[],"host":null,"listen":null,"mirror":false,"routingRule":null,"writePolicy":"allow","mutableTags":["***","b"],"missingChildren":"refuse","depth":null}"#
        )
    }

    @Test("what is shown is a configuration that says the same")
    func shownAgain() throws {
        let yaml = "repositories:\n  f: { format: raw, type: hosted, owns: [\"a/**\"] }\nserver: { listen: \"[::1]:80\", drain: 1500ms }\ndata: \"/$${x}\"\n"
        let first = try #require(Fixture.load(yaml).configuration)
        let second = Fixture.load(first.shown.yaml)
        #expect(second.errors == [])
        #expect(second.configuration?.shown == first.shown)
        #expect(first.shown.yaml.contains("  limits:\n    headerBytes: "))
    }

    @Test("every key that config/entrepot.yaml has in a comment is right when the comment is taken away")
    func uncommented() throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let text = try String(contentsOf: root.appending(path: "config/entrepot.yaml"), encoding: .utf8)
        let yaml = text.replacing(/(?m)^( *)# ( *[a-z][A-Za-z-]*:(?: .*)?)$/) { "\($0.1)\($0.2)" }
        let loaded = Fixture.load(yaml, formats: Fixture.all, environment: ["DOCKERHUB_TOKEN": Fixture.secret])
        #expect(loaded.errors == [])
        let configuration = try #require(loaded.configuration)
        #expect(
            configuration.repositories.map(\.name.text) == [
                "docker-local", "files", "npm-local", "charts", "npm-proxy", "npm", "maven-releases", "maven-snapshots", "maven-central", "maven",
                "charts-proxy",
                "all-charts", "docker-hub", "docker-all",
            ])
        #expect(configuration.server.tls != nil)
        #expect(configuration.cleanupPolicies.count == 1)
        // What a comment gives as a default is the default.
        let defaults = try #require(Fixture.load("").configuration)
        #expect(configuration.server.limits == defaults.server.limits)
        #expect(configuration.server.drain == defaults.server.drain)
        #expect(configuration.security.policy.anonymousRoles == defaults.security.policy.anonymousRoles)
        #expect(configuration.audit == defaults.audit)
    }

    @Test("the project's own configurations have no errors", arguments: ["config/entrepot.yaml", "config/examples"])
    func examples(path: String) throws {
        let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let place = root.appending(path: path)
        let files = path.hasSuffix(".yaml") ? [place] : try FileManager.default.contentsOfDirectory(at: place, includingPropertiesForKeys: nil)
        #expect(!files.isEmpty)
        for file in files where file.pathExtension == "yaml" {
            // Beside ours lie those of programs that stand in front.
            let bytes = Array(try Data(contentsOf: file))
            guard String(decoding: bytes, as: UTF8.self).contains("\nconfigVersion:") else { continue }
            let loaded = Configuration.load(
                bytes, file: file.lastPathComponent, formats: Fixture.all, surroundings: Fixture.surroundings())
            #expect(Fixture.lines(loaded) == [])
        }
    }
}

@Suite("Beyond loopback")
struct ExposureTests {
    @Test(
        "an address beyond loopback needs TLS, or the word that says what does it",
        arguments: [
            ("0.0.0.0:80", "", false), ("0.0.0.0:80", "allowPlainHTTP: false", false), ("host.example.com:80", "", false),
            ("0.0.0.0:80", "allowPlainHTTP: true", true), ("0.0.0.0:443", "tls: { certificate: c, key: k }", true), ("127.0.0.9:80", "", true),
            ("localhost:80", "", true), ("[::1]:80", "", true), (":80", "", true),
        ])
    func exposed(address: String, words: String, isServed: Bool) {
        let more = words.isEmpty ? "" : ", \(words)"
        let own = "server: { listen: \":1\"\(more) }\nrepositories:\n  f: { format: raw, type: hosted, listen: \"\(address)\" }\n"
        for (key, yaml) in [("server.listen", "server: { listen: \"\(address)\"\(more) }\n"), ("repositories.f.listen", own)] {
            let errors = Fixture.load(yaml).errors
            #expect(errors.map(\.key) == (isServed ? [] : [key]))
            if !isServed { #expect(errors.first?.message.contains("needs server.tls, or server.allowPlainHTTP: true") == true) }
        }
    }

    @Test("open access changes nothing about that, and the log says so")
    func opened() throws {
        #expect(Fixture.load("server: { listen: \"0.0.0.0:80\" }\nsecurity: { openAccess: true }\n").errors.count == 1)
        let loaded = Fixture.load("server: { listen: \"0.0.0.0:80\", allowPlainHTTP: true }\nsecurity: { openAccess: true }\n")
        #expect(loaded.errors.isEmpty)
        #expect(loaded.configuration?.accessNotice?.contains("openAccess") == true)
    }

    @Test("an address from the command line is held to the same")
    func commandLine() {
        #expect(Fixture.load("", overrides: Overrides(listen: ["0.0.0.0:80"])).errors.map(\.key) == ["--listen"])
    }
}
