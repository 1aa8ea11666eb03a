import ArtifactModel
import Crypto
import FormatAPI
import FormatTestKit
import Foundation
import HTTPTypes
import NIOCore
import RepositoryEngine
import Testing

@testable import NpmFormat

@Suite("Packages of an upstream")
struct ProxyTests {
    private static let short = "application/vnd.npm.install-v1+json"

    private static func integrity(_ text: String) -> String { "sha512-" + Data(SHA512.hash(data: Data(text.utf8))).base64EncodedString() }

    /// An upstream's packument; its tarballs are on another host.
    private static func packument(_ name: String, _ versions: [String], integrity: String? = nil) -> String {
        let entries = versions.map { version in
            let hash = integrity ?? Self.integrity("tarball of \(version)")
            let dist = #"{"tarball":"https://cdn.example/files/\#(name)-\#(version)","integrity":"\#(hash)","signatures":[{"keyid":"k"}]}"#
            return #""\#(version)":{"name":"\#(name)","version":"\#(version)","unknown":{"kept":true},"dist":\#(dist)}"#
        }
        return #"{"name":"\#(name)","dist-tags":{"latest":"\#(versions.last ?? "")"},"versions":{\#(entries.joined(separator: ","))},"extra":[1, 2]}"#
    }

    private static func site(_ upstream: ScriptedUpstream, merge: GroupPart.Merge = .hosted, owns: Bool = false) async throws -> TestSite {
        let local: TestSite.Plan = owns ? try .init("local", policy: .allowOnce).owning("@acme/*") : .init("local", policy: .allowOnce)
        return try await TestSite.make(
            NpmRegistry(), site: NoSettings(),
            [local, .proxy("up", of: upstream), try .group("all", of: ["local", "up"], writeTo: "local", merge: merge)])
    }

    private static func put(_ upstream: ScriptedUpstream, _ name: String, _ versions: [String], tag: String? = nil) {
        upstream.put(name, ScriptedUpstream.File(self.packument(name, versions), contentType: "application/json", entityTag: tag))
        for version in versions { upstream.put("https://cdn.example/files/\(name)-\(version)", ScriptedUpstream.File("tarball of \(version)")) }
    }

    @Test("a packument is passed on as it is, but for addresses, which are ours; tarballs come from where it says, once")
    func passing() async throws {
        let upstream = ScriptedUpstream()
        Self.put(upstream, "hello", ["1.0.0", "1.1.0"])
        let site = try await Self.site(upstream)
        try await site.running { () async throws in
            let expected = Self.packument("hello", ["1.0.0", "1.1.0"])
                .replacing("https://cdn.example/files/hello-1.0.0", with: "http://localhost/repository/up/hello/-/hello-1.0.0.tgz")
                .replacing("https://cdn.example/files/hello-1.1.0", with: "http://localhost/repository/up/hello/-/hello-1.1.0.tgz")
            #expect(try await site.ask(.get, "/repository/up/hello").text == expected)
            for _ in 0..<2 { #expect(try await site.ask(.get, "/repository/up/hello/-/hello-1.1.0.tgz").text == "tarball of 1.1.0") }
            #expect(upstream.asked.map(\.address) == ["hello", "https://cdn.example/files/hello-1.1.0"])
            #expect(try await site.object("/repository/up/hello/1.0.0")["unknown"] != nil)
        }
    }

    @Test("bytes that are not what the packument says are neither kept nor served whole")
    func integrity() async throws {
        let upstream = ScriptedUpstream()
        upstream.put("hello", ScriptedUpstream.File(Self.packument("hello", ["1.0.0"], integrity: Self.integrity("something else"))))
        upstream.put("https://cdn.example/files/hello-1.0.0", ScriptedUpstream.File("tarball of 1.0.0"))
        let site = try await Self.site(upstream)
        try await site.running { () async throws in
            await #expect(throws: (any Error).self) {
                let answer = try await site.ask(.get, "/repository/up/hello/-/hello-1.0.0.tgz")
                if answer.status != .ok { throw FormatError(.digestMismatch, "refused") }
            }
            let kept = try await site.content(of: "up").content(ContentRequest(AssetPath(checked: "hello/-/hello-1.0.0.tgz"), .immutable))
            #expect(kept == nil)
        }
    }

    @Test("a version that the kept packument lacks has it asked for again, once")
    func newer() async throws {
        let upstream = ScriptedUpstream()
        Self.put(upstream, "hello", ["1.0.0"], tag: "\"1\"")
        let site = try await Self.site(upstream)
        try await site.running { () async throws in
            _ = try await site.ask(.get, "/repository/up/hello", accept: Self.short)
            Self.put(upstream, "hello", ["1.0.0", "2.0.0"], tag: "\"2\"")
            site.clock.advance(by: .seconds(30))
            #expect(try await site.ask(.get, "/repository/up/hello/-/hello-2.0.0.tgz").text == "tarball of 2.0.0")
            #expect(try await site.ask(.get, "/repository/up/hello/-/hello-3.0.0.tgz").status == .notFound)
            #expect(upstream.asked.filter { $0.address == "hello" }.count == 3)
        }
    }

    @Test("a hosted package's name is its own in a group: the upstream is not asked, and its versions are not mixed in")
    func confusion() async throws {
        let upstream = ScriptedUpstream()
        Self.put(upstream, "hello", ["9.9.9"])
        let site = try await Self.site(upstream)
        try await site.running { () async throws in
            try await site.publish("hello", "1.0.0", to: "all")
            #expect((try await site.object("/repository/all/hello")["versions"] as? [String: Any])?.keys.sorted() == ["1.0.0"])
            #expect(try await site.ask(.get, "/repository/all/hello/-/hello-9.9.9.tgz").status == .notFound)
            #expect(upstream.asked.isEmpty)
        }
    }

    @Test("merge: union has the versions of all, and the first member's where two have one")
    func union() async throws {
        let upstream = ScriptedUpstream()
        Self.put(upstream, "hello", ["1.0.0", "9.9.9"])
        let site = try await Self.site(upstream, merge: .union)
        try await site.running { () async throws in
            try await site.publish("hello", "1.0.0", to: "all")
            let versions = try await site.object("/repository/all/hello")["versions"] as? [String: [String: Any]]
            #expect(versions?.keys.sorted() == ["1.0.0", "9.9.9"] && versions?["1.0.0"]?["unknown"] == nil)
            #expect(try await site.ask(.get, "/repository/all/hello/-/hello-1.0.0.tgz").text == "the tarball")
            #expect(try await site.ask(.get, "/repository/all/hello/-/hello-9.9.9.tgz").text == "tarball of 9.9.9")
        }
    }

    @Test("names that are owned are never told to an upstream: not by a packument, a tarball, attestations or an audit")
    func owned() async throws {
        let upstream = ScriptedUpstream()
        upstream.put("-/npm/v1/security/advisories/bulk", ScriptedUpstream.File(#"{"other":[]}"#))
        let site = try await Self.site(upstream, owns: true)
        try await site.running { () async throws in
            for target in ["@acme%2fsecret", "@acme/secret/1.0.0", "@acme/secret/-/secret-1.0.0.tgz", "-/npm/v1/attestations/@acme%2fsecret@1.0.0"] {
                #expect(try await site.ask(.get, "/repository/all/\(target)").status == .notFound)
            }
            #expect(upstream.asked.isEmpty)
            let audit = "/repository/all/-/npm/v1/security/advisories/bulk"
            #expect(try await site.ask(.post, audit, #"{"@acme/secret":["1.0.0"]}"#).text == "{}")
            #expect(upstream.asked.isEmpty)
            #expect(try await site.ask(.post, audit, #"{"@acme/secret":["1.0.0"],"other":["1.0.0"]}"#).text == #"{"other":[]}"#)
            #expect(upstream.asked.map(\.address) == ["-/npm/v1/security/advisories/bulk"])
        }
    }

    @Test("a member's publish shows in the group at once")
    func publishing() async throws {
        let site = try await Self.site(ScriptedUpstream())
        try await site.running { () async throws in
            try await site.publish("hello", "1.0.0", to: "all")
            _ = try await site.object("/repository/all/hello")
            try await site.publish("hello", "1.1.0", to: "local")
            #expect((try await site.object("/repository/all/hello")["dist-tags"] as? [String: String])?["latest"] == "1.1.0")
        }
    }

    @Test("what a member in trouble may have is not absent: a tag, a version and a tarball are 503, and what the others have says who is missing")
    func trouble() async throws {
        let site = try await TestSite.make(
            NpmRegistry(), site: NoSettings(),
            [
                .init("local", policy: .allowOnce), .proxy("up", of: DownUpstream()),
                try .group("all", of: ["local", "up"], writeTo: "local", onMemberError: .skip, merge: .union),
            ])
        try await site.running { () async throws in
            try await site.publish("hello", "1.0.0", to: "local")
            for target in ["hello/next", "hello/2.0.0", "hello/-/hello-2.0.0.tgz", "absent"] {
                #expect(try await site.ask(.get, "/repository/all/\(target)").status == .serviceUnavailable, "\(target)")
            }
            for target in ["hello/latest", "-/package/hello/dist-tags"] {
                let answer = try await site.ask(.get, "/repository/all/\(target)")
                #expect(answer.status == .ok && answer.headers[.skippedMembers] == "up" && answer.headers[.cacheControl] == "no-store", "\(target)")
            }
        }
    }

    /// Refuses connections.
    private struct DownUpstream: UpstreamClient {
        var name: String { "test://down" }
        var figures: UpstreamFigures { UpstreamFigures() }
        func send(_ request: UpstreamRequest) async throws(UpstreamError) -> UpstreamAnswer {
            throw UpstreamError(.trouble(.unreachable), "nobody listens there")
        }
    }

    @Test("a group's tarball is of the member whose manifest it shows, whatever another one keeps")
    func sameName() async throws {
        let (first, second) = (ScriptedUpstream(), ScriptedUpstream())
        Self.put(first, "hello", ["1.0.0"])
        second.put("hello", ScriptedUpstream.File(Self.packument("hello", ["1.0.0"], integrity: Self.integrity("other bytes"))))
        second.put("https://cdn.example/files/hello-1.0.0", ScriptedUpstream.File("other bytes"))
        let site = try await TestSite.make(
            NpmRegistry(), site: NoSettings(),
            [.proxy("a", of: first), .proxy("b", of: second), try .group("all", of: ["a", "b"])])
        try await site.running { () async throws in
            #expect(try await site.ask(.get, "/repository/b/hello/-/hello-1.0.0.tgz").text == "other bytes")
            #expect(try await site.ask(.get, "/repository/all/hello/-/hello-1.0.0.tgz").text == "tarball of 1.0.0")
        }
    }

    @Test("a sum of what upstreams say they have found is a number, whatever they say")
    func totals() async throws {
        let upstream = ScriptedUpstream()
        upstream.put("-/v1/search?text=a&size=20&from=0", ScriptedUpstream.File(#"{"objects":[],"total":9223372036854775807}"#))
        let site = try await Self.site(upstream)
        try await site.running { () async throws in
            try await site.publish("aaa", "1.0.0", to: "local")
            #expect((try await site.object("/repository/all/-/v1/search?text=a")["objects"] as? [Any])?.count == 1)
        }
    }
}
