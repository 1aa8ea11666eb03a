import ArtifactModel
import FormatAPI
import FormatTestKit
import Foundation
import HTTPTypes
import NIOCore
import RepositoryEngine
import Testing

@testable import HelmFormat

@Suite("Chart repositories", .timeLimit(.minutes(2)))
struct HelmRepositoryTests {
    // MARK: Hosted

    @Test("what is published is in the index, the highest version first, and is read as it was")
    func publish() async throws {
        let ground = try await Ground()
        try await ground.running { () async throws in
            #expect(try await ground.index("hosted").isEmpty)
            for version in ["1.9.0", "1.10.0", "1.10.0-rc.1"] { try await ground.put(Chart(name: "app", version: version)) }
            let chart = Chart(name: "lib", version: "0.1.0+build", fields: "description: a library\ntype: library\nicon: https://x/y.png\ndeprecated: true")
            try await ground.put(chart)
            #expect(try await ground.listed("hosted") == ["app 1.10.0", "app 1.10.0-rc.1", "app 1.9.0", "lib 0.1.0+build"])
            let entry = try #require(try await ground.index("hosted")["lib"]?.first)
            #expect(
                entry["digest"] as? String == chart.digest && entry["urls"] as? [String] == ["lib-0.1.0%2Bbuild.tgz"] && entry["deprecated"] as? Bool == true)
            #expect(entry["created"] as? String == ground.site.clock.now.isoText)
            let answer = try await ground.ask(.get, "hosted/lib-0.1.0%2Bbuild.tgz")
            #expect(answer.body == chart.archive && answer.head?.contentType == "application/gzip")
            #expect(try await ground.ask(.get, "hosted/charts/lib-0.1.0+build.tgz").body == chart.archive)
            let index = try await ground.ask(.get, "hosted/index.yaml")
            #expect(index.text.contains("\"serverInfo\":{\"contextPath\":\"/repository/hosted\"}") && index.head?.contentType == "application/yaml")
            #expect(index.standing != nil)
        }
    }

    @Test("a version stays what it was; the same again changes nothing, not even when it came")
    func again() async throws {
        let ground = try await Ground()
        try await ground.running { () async throws in
            try await ground.put(Chart(name: "app", version: "1.0.0"))
            let before = try await ground.ask(.get, "hosted/index.yaml")
            ground.site.clock.advance(by: .seconds(100))
            try await ground.put(Chart(name: "app", version: "1.0.0"))
            #expect(try await ground.ask(.get, "hosted/index.yaml").body == before.body)
            try await ground.put(Chart(name: "app", version: "1.0.0", fields: "description: other"), .conflict)
            #expect(try await ground.text("hosted/index.yaml") == before.text)
        }
        let free = try await Ground(policy: .allow)
        try await free.running { () async throws in
            let (first, second) = (Chart(name: "app", version: "1.0.0"), Chart(name: "app", version: "1.0.0", fields: "description: other"))
            try await free.put(first)
            #expect(try await free.ask(.put, "hosted/\(first.file).prov", first.provenance).status == .created)
            try await free.put(second)
            #expect(try await free.index("hosted")["app"]?.map { $0["digest"] as? String } == [second.digest])
            // It is of another chart now.
            #expect(try await free.ask(.get, "hosted/\(first.file).prov").status == .notFound)
        }
    }

    @Test("what is sent as something that it is not is refused, and nothing is kept")
    func wrong() async throws {
        let ground = try await Ground()
        let chart = Chart(name: "app", version: "1.0.0")
        try await ground.running { () async throws in
            for path in ["other-1.0.0.tgz", "app-2.0.0.tgz"] { #expect(try await ground.ask(.put, "hosted/\(path)", chart.archive).status == .badRequest) }
            #expect(try await ground.ask(.put, "hosted/app-1.0.0.tgz", ByteBuffer(string: "no archive")).status == .badRequest)
            var other = chart
            other.entries = [TarEntry(path: "folder/Chart.yaml", content: Array(chart.yaml.utf8))]
            #expect(try await ground.ask(.put, "hosted/app-1.0.0.tgz", other.archive).status == .badRequest)
            other.entries = [TarEntry(path: "app/values.yaml", content: [1])]
            #expect(try await ground.ask(.put, "hosted/app-1.0.0.tgz", other.archive).status == .badRequest)
            #expect(try await ground.ask(.put, "hosted/readme.txt", chart.archive).status == .notFound)
            #expect(try await ground.ask(.post, "hosted/index.yaml", chart.archive).status == .methodNotAllowed)
            #expect(try await ground.index("hosted").isEmpty)
            let answer = try await ground.ask(.get, "hosted/app-1.0.0.tgz")
            #expect(answer.status == .notFound && answer.text.hasPrefix("{\"error\":\""))
        }
    }

    @Test("ChartMuseum's API: uploads as body and as form, lists, descriptions and deletes")
    func chartMuseum() async throws {
        let ground = try await Ground()
        let (one, two) = (Chart(name: "app", version: "1.0.0"), Chart(name: "app", version: "2.0.0"))
        try await ground.running { () async throws in
            let saved = try await ground.ask(.post, "hosted/api/charts", one.archive)
            #expect(saved.status == .created && saved.text == "{\"saved\":true}\n")
            var form = ByteBuffer(string: "preamble\r\n--b-1\r\nContent-Disposition: form-data; name=\"prov\"; filename=\"x;y\"\r\n\r\n")
            form.writeImmutableBuffer(two.provenance)
            form.writeString("\r\n--b-1\r\ncontent-disposition: form-data; name=chart; filename=a.tgz\r\nContent-Type: application/gzip\r\n\r\n")
            form.writeImmutableBuffer(two.archive)
            form.writeString("\r\n--b-1--\r\n")
            let type: HTTPFields = [.contentType: "multipart/form-data; boundary=\"b-1\""]
            #expect(try await ground.ask(.post, "hosted/api/charts", form, headers: type).status == .created)
            #expect(try await ground.ask(.get, "hosted/app-2.0.0.tgz.prov").body == two.provenance)
            let index = try await ground.text("hosted/index.yaml")
            ground.site.clock.advance(by: .seconds(100))
            #expect(try await ground.ask(.post, "hosted/api/charts", form, headers: type).status == .created)
            #expect(try await ground.text("hosted/index.yaml") == index)
            let all = try await ground.ask(.get, "hosted/api/charts")
            let charts = try #require(try JSONSerialization.jsonObject(with: Data(all.body.readableBytesView)) as? [String: [[String: Any]]])
            #expect(charts["app"]?.map { $0["version"] as? String } == ["2.0.0", "1.0.0"])
            #expect(try await ground.text("hosted/api/charts?limit=1&offset=0").hasPrefix("{\"app\":[{\"apiVersion\":\"v2\""))
            #expect(try await ground.text("hosted/api/charts?offset=1") == "{}\n")
            #expect(try await ground.text("hosted/api/charts/app").hasPrefix("[{\"apiVersion\":\"v2\",\"name\":\"app\",\"version\":\"2.0.0\""))
            #expect(try await ground.ask(.head, "hosted/api/charts/app/1.0.0").status == .ok)
            #expect(try await ground.ask(.head, "hosted/api/charts/app/3.0.0").status == .notFound)
            #expect(try await ground.ask(.get, "hosted/api/charts/none").status == .notFound)
            #expect(try await ground.text("hosted/api/charts/app/1.0.0").contains("\"urls\":[\"app-1.0.0.tgz\"]"))
            #expect(try await ground.text("hosted/api/charts/app").contains("2.0.0"))
            #expect(try await ground.ask(.delete, "hosted/api/charts/app/2.0.0").text == "{\"deleted\":true}\n")
            #expect(try await ground.ask(.delete, "hosted/api/charts/app/2.0.0").status == .notFound)
            #expect(try await ground.ask(.get, "hosted/app-2.0.0.tgz.prov").status == .notFound)
            #expect(try await ground.ask(.delete, "hosted/app-1.0.0.tgz").status == .ok)
            #expect(try await ground.index("hosted").isEmpty)
        }
    }

    @Test(
        "a form that breaks off, or is none, keeps nothing",
        arguments: [
            "", "--b\r\n", "--b\r\nContent-Disposition: form-data; name=\"chart\"\r\n\r\nabc", "--b\r\nno header", "--b--", "--bx\r\n\r\n\r\n--b--",
            "--b\r\n\r\nx\r\n--b--",
        ])
    func brokenForm(text: String) async throws {
        let ground = try await Ground()
        try await ground.running { () async throws in
            let answer = try await ground.ask(.post, "hosted/api/charts", ByteBuffer(string: text), headers: [.contentType: "multipart/form-data; boundary=b"])
            #expect(answer.status == .badRequest && answer.text.hasPrefix("{\"error\":"))
        }
    }

    @Test("group: what is given is what its index says, of the member that comes first")
    func firstMember() async throws {
        let upstream = ScriptedUpstream()
        let site = try await TestSite.make(
            HelmRepository(), site: NoSettings(),
            [
                TestSite.Plan("hosted", policy: .allowOnce, settings: HelmSettings()), .proxy("proxy", of: upstream, settings: HelmSettings()),
                try .group("group", of: ["proxy", "hosted"], settings: HelmSettings()),
            ])
        let (theirs, mine) = (Self.remote, Chart(name: "web", version: "3.0.0", fields: "description: mine"))
        upstream.put("index.yaml", .init("apiVersion: v1\nentries:\n  web:\n\(theirs.entry(url: "w.tgz"))"))
        upstream.put("w.tgz", .init(theirs.archive))
        try await site.running { () async throws in
            #expect(try await site.send(TestRequest(.put, "/repository/hosted/\(mine.file)", body: [mine.archive])).status == .created)
            #expect(try await site.send(TestRequest(.get, "/repository/group/index.yaml")).text.contains(theirs.digest))
            #expect(try await site.send(TestRequest(.get, "/repository/group/web-3.0.0.tgz")).body == theirs.archive)
        }
    }

    @Test("a provenance is compared with its chart, and asked for by its name")
    func provenance() async throws {
        let ground = try await Ground()
        let chart = Chart(name: "app", version: "1.0.0")
        try await ground.running { () async throws in
            #expect(try await ground.ask(.post, "hosted/api/prov", chart.provenance).status == .notFound)
            try await ground.put(chart)
            let other = Chart(name: "app", version: "1.0.0", fields: "description: other")
            #expect(try await ground.ask(.post, "hosted/api/prov", other.provenance).status == .badRequest)
            #expect(try await ground.ask(.put, "hosted/app-2.0.0.tgz.prov", chart.provenance).status == .badRequest)
            #expect(try await ground.ask(.put, "hosted/app-1.0.0.tgz.prov", ByteBuffer(string: "x")).status == .badRequest)
            #expect(try await ground.ask(.post, "hosted/api/prov", chart.provenance).status == .created)
            #expect(try await ground.ask(.get, "hosted/app-1.0.0.tgz.prov").body == chart.provenance)
            #expect(try await ground.listed("hosted") == ["app 1.0.0"])
            #expect(try await ground.ask(.delete, "hosted/app-1.0.0.tgz.prov").status == .ok)
            #expect(try await ground.ask(.get, "hosted/app-1.0.0.tgz").status == .ok)
        }
    }

    @Test("what is in a chart is shown without its archive")
    func parts() async throws {
        let ground = try await Ground()
        let chart = Chart(
            name: "app", version: "1.0.0", files: [("README.md", "# app"), ("values.yaml", "a: 1"), ("values.schema.json", "{}"), ("templates/a.yaml", "x")])
        try await ground.running { () async throws in
            try await ground.put(chart)
            try await ground.put(Chart(name: "bare", version: "1.0.0"))
            let readme = try await ground.ask(.get, "group/api/charts/app/1.0.0/readme")
            #expect(readme.text == "# app" && readme.headers[.contentType] == "text/markdown; charset=utf-8")
            #expect(try await ground.text("hosted/api/charts/app/1.0.0/values") == "a: 1")
            #expect(try await ground.text("hosted/api/charts/app/1.0.0/schema") == "{}")
            #expect(try await ground.text("hosted/api/charts/app/1.0.0/templates") == "{\"templates\":[\"templates/a.yaml\"]}\n")
            #expect(try await ground.ask(.get, "hosted/api/charts/bare/1.0.0/readme").status == .notFound)
            #expect(try await ground.text("hosted/api/charts/bare/1.0.0/templates") == "{\"templates\":[]}\n")
        }
    }

    @Test("of fifty publishes at once no version is lost")
    func manyAtOnce() async throws {
        let ground = try await Ground()
        try await ground.running { () async throws in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<50 { group.addTask { try await ground.put(Chart(name: "app", version: "1.\(number).0")) } }
                for _ in 0..<10 { group.addTask { _ = try await ground.index("hosted") } }
                try await group.waitForAll()
            }
            #expect(try await ground.listed("hosted") == (0..<50).reversed().map { "app 1.\($0).0" })
        }
    }

    // MARK: Proxy

    private static let remote = Chart(name: "web", version: "3.0.0", files: [("README.md", "# web")])

    @Test(
        "proxy: every chart comes through us, wherever the upstream has it",
        arguments: [
            ("web-3.0.0.tgz", "web-3.0.0.tgz"), ("charts/a b/web.tgz?x=1", "charts/a%20b/web.tgz?x=1"), ("../files/web.tgz", "../files/web.tgz"),
            ("/root/web.tgz", "/root/web.tgz"),
            ("https://files.example/x/web.tgz", "https://files.example/x/web.tgz"),
        ])
    func proxied(url: String, asked: String) async throws {
        let ground = try await Ground()
        let chart = Self.remote
        ground.upstream.put(
            "index.yaml",
            .init("apiVersion: v1\nentries:\n  web:\n\(chart.entry(url: "\"\(url)\"", more: "    created: 2026-01-01T00:00:00Z\n"))generated: x\n"))
        ground.upstream.put(asked, .init(chart.archive))
        ground.upstream.put(asked + ".prov", .init(chart.provenance))
        try await ground.running { () async throws in
            for repository in ["proxy", "group"] {
                let entry = try #require(try await ground.index(repository)["web"]?.first)
                #expect(
                    entry["urls"] as? [String] == ["web-3.0.0.tgz"] && entry["digest"] as? String == chart.digest
                        && entry["created"] as? String == "2026-01-01T00:00:00Z")
            }
            #expect(try await ground.ask(.get, "group/web-3.0.0.tgz").body == chart.archive)
            try await ground.settled()
            #expect(try await ground.ask(.get, "proxy/web-3.0.0.tgz").cache?.outcome == .hit)
            #expect(try await ground.text("proxy/api/charts/web/3.0.0/readme") == "# web")
            if !url.contains("?") { #expect(try await ground.ask(.get, "proxy/web-3.0.0.tgz.prov").body == chart.provenance) }
            #expect(ground.upstream.asked.filter { $0.address == asked }.count == 1)
        }
    }

    @Test(
        "proxy: charts in somebody's registry come through us too", arguments: ["oci://registry.example/charts/web:3.0.0", "oci://registry.example/charts/web"])
    func registry(url: String) async throws {
        let ground = try await Ground()
        let chart = Self.remote
        let manifest = """
            {"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:\(chart.digest)","size":1},"layers":[
            {"mediaType":"application/vnd.cncf.helm.chart.content.v1.tar+gzip","digest":"sha256:\(chart.digest)","size":1}]}
            """
        ground.upstream.put("index.yaml", .init("apiVersion: v1\nentries:\n  web:\n\(chart.entry(url: url))"))
        ground.upstream.put("//registry.example/v2/charts/web/manifests/3.0.0", .init(manifest, contentType: "application/vnd.oci.image.manifest.v1+json"))
        ground.upstream.put("//registry.example/v2/charts/web/blobs/sha256:\(chart.digest)", .init(chart.archive))
        try await ground.running { () async throws in
            #expect(try await ground.index("group")["web"]?.first?["urls"] as? [String] == ["web-3.0.0.tgz"])
            #expect(try await ground.ask(.get, "group/web-3.0.0.tgz").body == chart.archive)
            #expect(try await ground.ask(.get, "group/web-3.0.0.tgz.prov").status == .notFound)
            try await ground.settled()
            #expect(try await ground.ask(.get, "proxy/web-3.0.0.tgz").cache?.outcome == .hit)
        }
    }

    @Test("group: a registry in trouble is no chart that is missing, also where the group goes on without a member", arguments: ["group", "patient"])
    func registryInTrouble(group: String) async throws {
        let ground = try await Ground()
        ground.upstream.put("index.yaml", .init("apiVersion: v1\nentries:\n  web:\n\(Self.remote.entry(url: "oci://registry.example/charts/web:3.0.0"))"))
        try await ground.running { () async throws in
            #expect(try await ground.listed(group) == ["web 3.0.0"])
            try await ground.settled()
            ground.upstream.script(.fail(UpstreamError(.trouble(.unreachable), "nobody is there")))
            let trouble = try await ground.ask(.get, "\(group)/web-3.0.0.tgz")
            #expect(trouble.status == .serviceUnavailable, "\(trouble.status): \(trouble.text)")
            #expect(try await ground.ask(.get, "\(group)/web-3.0.0.tgz").status == .notFound)
        }
    }

    @Test("proxy: bytes that are not what the index says are not kept")
    func mismatch() async throws {
        let ground = try await Ground()
        ground.upstream.put(
            "index.yaml", .init("apiVersion: v1\nentries:\n  web:\n\(Self.remote.entry(url: "w.tgz", digest: String(repeating: "0", count: 64)))"))
        ground.upstream.put("w.tgz", .init(Self.remote.archive))
        try await ground.running { () async throws in
            // What is wrong is known when the last byte has come, which nobody gets.
            for _ in 0..<2 {
                await #expect(throws: FormatError.self) { try await ground.ask(.get, "proxy/web-3.0.0.tgz") }
                try await ground.settled()
            }
        }
    }

    private static let wide = "[" + Array(repeating: "x", count: 30_000).joined(separator: ",") + "]"
    private static let broad = "{" + (0..<5000).map { "k\($0): v" }.joined(separator: ", ") + "}"

    @Test(
        "proxy: what is no index is not taken for one, and what was kept goes on to be served",
        arguments: [
            "", "a: b", "- a", "entries: {", "<html></html>", "apiVersion: v2\nentries: {}", "entries:\n  a: &x [*x]", "\u{0}",
            "entries:\n" + String(repeating: "[", count: 5000),
            // Entries that are too large to be taken, and then broken.
            "apiVersion: v1\nentries:\n  web:\n  - {name: web, sources: \(Self.wide)",
            "apiVersion: v1\nentries:\n  web:\n  - {name: web, sources: \(Self.wide), x: @bad}\n",
            "apiVersion: v1\nentries:\n  web:\n  - {name: web, sources: \(Self.wide), x: *none}\n",
            // Each of a size that is taken, and all of them of one that is not.
            "apiVersion: v1\nx: &m \(Self.broad)\nentries:\n  web:\n" + String(repeating: "  - {<<: *m}\n", count: 1000),
        ])
    func garbage(text: String) async throws {
        let ground = try await Ground()
        let good = ScriptedUpstream.File("apiVersion: v1\nentries:\n  web:\n\(Self.remote.entry(url: "w.tgz"))")
        try await ground.running { () async throws in
            ground.upstream.put("index.yaml", .init(text))
            #expect(try await ground.ask(.get, "proxy/index.yaml").status == .badGateway)
            ground.upstream.put("index.yaml", good)
            let answer = try await ground.ask(.get, "proxy/index.yaml")
            #expect(answer.status == .ok, "\(answer.text)")
            #expect(try await ground.listed("proxy") == ["web 3.0.0"])
            ground.upstream.put("index.yaml", .init(text))
            ground.site.clock.advance(by: .seconds(3600))
            #expect(try await ground.listed("proxy") == ["web 3.0.0"])
        }
    }

    @Test("proxy: entries that are broken hide no others, and an index is converted once for each change")
    func partlyBroken() async throws {
        let ground = try await Ground()
        let lines = [
            "apiVersion: v1", "entries:", "  none:", "  empty: []", "  odd: text", "  bad:", "  - name: bad", "    version: x", "    urls: [a]",
            "  - name: bad",
            "    version: 1.0.0", "    urls: []", "  - 5", "  lies:", "  - name: other", "    version: 1.0.0", "    urls: [a]", "  web:",
        ]
        ground.upstream.put(
            "index.yaml",
            .init(lines.joined(separator: "\n") + "\n" + Self.remote.entry(url: "w.tgz", digest: "sha256:\(Self.remote.digest)"), entityTag: "\"1\""))
        try await ground.running { () async throws in
            #expect(try await ground.listed("proxy") == ["web 3.0.0"])
            #expect(try await ground.index("proxy")["web"]?.first?["digest"] as? String == Self.remote.digest)
            let first = try await ground.ask(.get, "proxy/index.yaml")
            ground.site.clock.advance(by: .seconds(100_000))
            #expect(try await ground.ask(.get, "proxy/index.yaml").body == first.body)
            #expect(ground.upstream.asked.filter { $0.address == "index.yaml" }.count == 2)
        }
    }

    @Test("proxy: JSON is YAML: another of us is an upstream")
    func chained() async throws {
        let ground = try await Ground()
        try await ground.running { () async throws in
            try await ground.put(Chart(name: "app", version: "1.0.0", fields: "description: \"a \\u0085 é\""))
            ground.upstream.put("index.yaml", .init(try await ground.text("hosted/index.yaml")))
            #expect(try await ground.listed("proxy") == ["app 1.0.0"])
            #expect(try await ground.text("proxy/index.yaml").contains("\"description\":\"a \\u0085 é\""))
        }
    }

    @Test("proxy: an index that says the same again and again is refused, and a version that comes twice counts once")
    func repeated() async throws {
        let ground = try await Ground()
        let long = "&x \(String(repeating: "y", count: 900_000))"
        let entries = (0..<40).map { "  - {name: web, version: 1.\($0).0, urls: [w], description: \($0 == 0 ? long : "*x")}\n" }.joined()
        try await ground.running { () async throws in
            ground.upstream.put("index.yaml", .init("apiVersion: v1\nentries:\n  web:\n\(entries)"))
            #expect(try await ground.ask(.get, "proxy/index.yaml").status == .badGateway)
            // One that is too large is left out alone.
            let wide = "  - {name: web, version: 9.0.0, urls: [w], sources: &s \(Self.wide)}\n  - {name: web, version: 8.0.0, urls: [w], sources: *s}\n"
            ground.upstream.put("index.yaml", .init("apiVersion: v1\nentries:\n  web:\n\(wide)  - {name: web, version: 1.0.0, urls: [w]}\n"))
            #expect(try await ground.listed("proxy") == ["web 1.0.0"])
            ground.site.clock.advance(by: .seconds(3600))
            let twice = "  - {name: web, version: 1.0.0, urls: [w], description: first}\n  - {name: web, version: 1.0.0, urls: [w], description: second}\n"
            ground.upstream.put("index.yaml", .init("apiVersion: v1\nentries:\n  web:\n\(twice)  foo-1:\n  - {name: foo-1, version: '2', urls: [w]}\n"))
            #expect(try await ground.index("proxy")["web"]?.map { $0["description"] as? String } == ["first"])
            #expect(try await ground.listed("proxy") == ["web 1.0.0"])
        }
    }

    // MARK: Group

    @Test("group: the first member's chart of a version counts, owned names are nobody else's, and uploads go to the member that takes them")
    func group() async throws {
        let ground = try await Ground()
        let (mine, theirs) = (Chart(name: "web", version: "3.0.0"), Chart(name: "acme-x", version: "9.0.0"))
        ground.upstream.put(
            "index.yaml",
            .init(
                "apiVersion: v1\nentries:\n  acme-x:\n\(theirs.entry(url: "x.tgz"))  web:\n\(Self.remote.entry(url: "w.tgz"))\(Chart(name: "web", version: "2.0.0").entry(url: "v.tgz"))"
            ))
        ground.upstream.put("x.tgz", .init(theirs.archive))
        try await ground.running { () async throws in
            #expect(try await ground.ask(.put, "group/\(mine.file)", mine.archive).status == .created)
            try await ground.put(Chart(name: "acme-x", version: "1.0.0"), in: "own")
            #expect(try await ground.listed("group") == ["acme-x 1.0.0", "web 3.0.0", "web 2.0.0"])
            #expect(try await ground.index("group")["web"]?.first?["digest"] as? String == mine.digest)
            #expect(try await ground.ask(.get, "group/web-3.0.0.tgz").body == mine.archive)
            for path in ["acme-x-9.0.0.tgz", "api/charts/acme-x/9.0.0", "api/charts/acme-x/9.0.0/values"] {
                #expect(try await ground.ask(.get, "group/\(path)").status == .notFound, "\(path)")
            }
            #expect(try await !ground.text("group/api/charts/acme-x").contains("9.0.0"))
            #expect(try await !ground.text("group/api/charts?limit=10").contains("9.0.0"))
            #expect(!ground.upstream.asked.contains { $0.address == "x.tgz" })
            #expect(try await ground.ask(.get, "hosted/web-3.0.0.tgz").status == .ok)
        }
    }
}
