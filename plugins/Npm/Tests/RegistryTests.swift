import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import Testing

@testable import NpmFormat

@Suite("A registry of packages")
struct RegistryTests {
    private static let short = "application/vnd.npm.install-v1+json; q=1.0, application/json; q=0.8, */*"

    private func site(policy: WritePolicy = .allowOnce) async throws -> TestSite {
        try await TestSite.make(NpmRegistry(), site: NoSettings(), [.init("local", policy: policy)]).atWork
    }

    private func read(_ response: TestResponse, _ pattern: String) -> Bool { response.text.contains(pattern) }

    @Test("what is published is there at once, in both forms, in every spelling, with its tarball at the root that was used")
    func publishing() async throws {
        let site = try await self.site()
        try await site.publish("@acme/hello", "1.0.0")
        let full = try await site.object("/repository/local/@acme%2fhello")
        #expect(full["name"] as? String == "@acme/hello" && (full["dist-tags"] as? [String: String])?["latest"] == "1.0.0")
        #expect((full["time"] as? [String: String])?["1.0.0"] != nil && full["description"] as? String == "of @acme/hello")
        let abbreviated = try await site.ask(.get, "/repository/local/@acme/hello", accept: Self.short)
        #expect(abbreviated.head?.contentType == "application/vnd.npm.install-v1+json" && abbreviated.headers[.vary] == "Accept")
        // A lockfile that was written against another registry.
        let moved = try await site.ask(.get, "/repository/local/repository/other/@acme/hello/-/hello-1.0.0.tgz")
        #expect(moved.status == .found && moved.headers[.location] == "/repository/local/@acme/hello/-/hello-1.0.0.tgz")
        #expect(self.read(abbreviated, #""tarball":"http://localhost/repository/local/@acme/hello/-/hello-1.0.0.tgz""#))
        #expect(!self.read(abbreviated, "time"))
        for target in [
            "@acme/hello/-/hello-1.0.0.tgz", "@acme%2Fhello/-/hello-1.0.0.tgz", "@acme/hello/-/@acme/hello-1.0.0.tgz",
        ] {
            #expect(try await site.ask(.get, "/repository/local/\(target)").text == "the tarball", "\(target)")
        }
        #expect(try await site.object("/repository/local/@acme%2fhello/latest")["version"] as? String == "1.0.0")
        #expect(try await site.object("/repository/local/@acme/hello/1.0.0")["version"] as? String == "1.0.0")
        #expect(try await site.ask(.get, "/repository/local/@acme/hello/2.0.0").status == .notFound)
        #expect(
            try await site.ask(.get, "/repository/local/nothing").text
                == #"{"error":"there is no package «nothing» here, or nothing that you may see","reason":"there is no package «nothing» here, or nothing that you may see"}"#
        )
    }

    @Test("a version is published once, in npm's own words, unless the policy allows more")
    func again() async throws {
        let site = try await self.site()
        try await site.publish("hello", "1.0.0")
        let again = try await site.ask(.put, "/repository/local/hello", try publication("hello", "1.0.0"))
        #expect(again.status == .forbidden && again.text.contains("You cannot publish over the previously published versions: 1.0.0."))
        let open = try await self.site(policy: .allow)
        try await open.publish("hello", "1.0.0")
        #expect(try await open.ask(.put, "/repository/local/hello", try publication("hello", "1.0.0", tarball: "another")).status == .created)
        #expect(try await open.ask(.get, "/repository/local/hello/-/hello-1.0.0.tgz").text == "another")
    }

    @Test("publishes of different versions at the same moment all survive")
    func parallel() async throws {
        let site = try await self.site()
        try await withThrowingTaskGroup(of: Void.self) { group in
            for number in 0..<20 { group.addTask { try await site.publish("hello", "1.\(number).0") } }
            try await group.waitForAll()
        }
        let versions = try await site.object("/repository/local/hello")["versions"] as? [String: Any]
        #expect(versions?.count == 20)
    }

    @Test("a package is deprecated, cleared again, and loses a version, by sending it back; who sends an old one back is told")
    func changing() async throws {
        let site = try await self.site()
        for version in ["1.0.0", "1.1.0"] { try await site.publish("hello", version) }
        func packument() async throws -> (text: String, revision: String) {
            let text = try await site.ask(.get, "/repository/local/hello?write=true").text
            return (text, String(try #require(text.firstMatch(of: #/"_rev":"([^"]+)"/#)?.output.1)))
        }
        let first = try await packument()
        let deprecated = first.text.replacing(#""version":"1.0.0""#, with: #""version":"1.0.0","deprecated":"use 1.1""#)
        #expect(try await site.ask(.put, "/repository/local/hello", deprecated).status == .created)
        #expect(self.read(try await site.ask(.get, "/repository/local/hello", accept: Self.short), #""deprecated":"use 1.1""#))
        #expect(self.read(try await site.ask(.get, "/repository/local/hello/1.0.0"), #""deprecated":"use 1.1""#))
        let stale = try await site.ask(.put, "/repository/local/hello/-rev/\(first.revision)", first.text)
        #expect(stale.status == .conflict)
        let second = try await packument()
        #expect(try await site.ask(.put, "/repository/local/hello/-rev/\(second.revision)", first.text).status == .created)
        #expect(!self.read(try await site.ask(.get, "/repository/local/hello"), "deprecated"))
        let third = try await packument()
        #expect(try await site.ask(.delete, "/repository/local/hello/-/hello-1.0.0.tgz/-rev/\(third.revision)").status == .created)
        #expect(try await site.ask(.get, "/repository/local/hello/-/hello-1.0.0.tgz").status == .notFound)
        #expect((try await site.object("/repository/local/hello")["versions"] as? [String: Any])?.keys.sorted() == ["1.1.0"])
        let last = try await packument()
        #expect(try await site.ask(.delete, "/repository/local/hello/-rev/\(last.revision)").status == .created)
        #expect(try await site.ask(.get, "/repository/local/hello").status == .notFound)
        #expect(try await site.ask(.get, "/repository/local/-/v1/search?text=hello").text.contains(#""total":0"#))
        try await site.publish("hello", "3.0.0")
    }

    @Test("dist-tags are set, listed and removed, and name what is there")
    func tags() async throws {
        let site = try await self.site()
        try await site.publish("hello", "1.0.0")
        try await site.publish("hello", "2.0.0-rc.1", tag: "next")
        let tags = "/repository/local/-/package/hello/dist-tags"
        #expect(try await site.object(tags) as? [String: String] == ["latest": "1.0.0", "next": "2.0.0-rc.1"])
        #expect(try await site.ask(.put, tags + "/old", #""1.0.0""#).status == .created)
        #expect(try await site.ask(.put, tags + "/old", #""7.0.0""#).status == .notFound)
        #expect(try await site.ask(.put, tags + "/1.0.0", #""1.0.0""#).status == .badRequest)
        #expect(try await site.object(tags).count == 3)
        #expect(try await site.ask(.delete, tags + "/old").status == .created)
        #expect(try await site.ask(.delete, tags + "/old").status == .notFound)
        #expect(try await site.ask(.delete, tags + "/latest").status == .badRequest)
        #expect(try await site.object("/repository/local/hello/next")["version"] as? String == "2.0.0-rc.1")
    }

    @Test(
        "what cannot be published is told apart, and leaves nothing behind",
        arguments: [
            ("of another package", "this is the document of another package"), ("not what it says", "is not what its manifest says"),
            ("a version that is none", "does not name a version"), ("no tarball", "brings no tarball"), ("no manifest", "that «versions» does not have"),
            ("another length", "and says that it has"), ("cut", "JSON"), ("twice", "twice"),
            ("a tag of nothing", "neither here nor coming"),
        ])
    func refused(what: String, words: String) async throws {
        let site = try await self.site()
        var text = try publication("hello", "1.0.0")
        switch what {
        case "of another package": text = try publication("other", "1.0.0")
        case "not what it says": text = try publication("hello", "1.0.0") { $0["_attachments"] = ["hello-1.0.0.tgz": ["data": "AAAA", "length": 3]] }
        case "a version that is none":
            text = try publication("hello", "1.0.0") { $0["dist-tags"] = ["latest": "one"] }
        case "no tarball": text = try publication("hello", "1.0.0") { $0["_attachments"] = ["readme.txt": ["data": "AAAA"]] }
        case "no manifest": text = try publication("hello", "1.0.0") { $0["versions"] = ["2.0.0": ["name": "hello", "version": "2.0.0"]] }
        case "another length":
            text = try publication("hello", "1.0.0") { document in
                var attachments = document["_attachments"] as? [String: [String: Any]] ?? [:]
                attachments["hello-1.0.0.tgz"]?["length"] = 7
                document["_attachments"] = attachments
            }
        case "a tag of nothing": text = try publication("hello", "1.0.0") { $0["dist-tags"] = ["latest": "1.0.0", "old": "0.1.0"] }
        case "cut": text = String(text.dropLast(20))
        case "twice": text = #"{"name":"hello","# + text.dropFirst()
        default: break
        }
        let answer = try await site.ask(.put, "/repository/local/hello", text)
        #expect(answer.status == .badRequest && answer.text.contains(words), "\(answer.text)")
        #expect(try await site.ask(.get, "/repository/local/hello").status == .notFound)
    }

    @Test("packages are found by words, scope and keywords, page by page")
    func searching() async throws {
        let site = try await self.site()
        for name in ["@acme/hello", "hello", "other"] { try await site.publish(name, "1.0.0") }
        func names(_ query: String) async throws -> [String] {
            let objects = try await site.object("/repository/local/-/v1/search?\(query)")["objects"] as? [[String: Any]]
            return (objects ?? []).compactMap { ($0["package"] as? [String: Any])?["name"] as? String }
        }
        #expect(try await names("text=hello").sorted() == ["@acme/hello", "hello"])
        #expect(try await names("text=scope:acme") == ["@acme/hello"])
        #expect(try await names("text=keywords:test&size=2").count == 2)
        #expect(try await names("text=keywords:test&size=2&from=2").count == 1)
        #expect(try await names("text=nothing-like-it").isEmpty)
    }
}
