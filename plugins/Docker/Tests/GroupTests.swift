import ArtifactModel
import FormatAPI
import FormatTestKit
import FoundationEssentials
import HTTPTypes
import NIOCore
import RepositoryEngine
import Testing

@testable import DockerFormat

/// A hosted repository and two proxies behind one name, with upstreams that follow a script.
private struct GroupSite {
    static let down = UpstreamError(.trouble(.unreachable), "http://upstream.example cannot be reached")
    let hub = ScriptedUpstream()
    let other = ScriptedUpstream()
    let site: TestSite

    init(_ onMemberError: GroupPart.OnMemberError = .fail, policy: WritePolicy = .allow, owns: String? = nil) async throws {
        let local = TestSite.Plan("local", policy: policy, settings: OCISettings(mutableTags: ["dev"]))
        self.site = try await TestSite.make(
            OCIFormat(), site: OCISiteSettings(defaultRepository: try RepositoryName("all")),
            [
                try owns.map { try local.owning($0) } ?? local, .proxy("hub", of: self.hub, settings: OCISettings()),
                .proxy("quay", of: self.other, settings: OCISettings()), .init("second", settings: OCISettings()),
                try .group("all", of: ["local", "hub", "quay"], writeTo: "local", onMemberError: onMemberError, settings: OCISettings()),
                try .group("hosted", of: ["local", "second"], onMemberError: onMemberError, settings: OCISettings()),
            ])
    }

    /// Everything that is asked of it next fails.
    func stop(_ upstream: ScriptedUpstream) { for _ in 0..<30 { upstream.script(.fail(Self.down)) } }

    /// An image of one layer.
    @discardableResult
    func put(_ image: String, _ tag: String, layer: String = "layer", at upstream: ScriptedUpstream) throws -> ContentDigest {
        for text in ["{}", layer] { upstream.put("v2/\(image)/blobs/\(try digest(text))", .init(text)) }
        return try self.put(manifest: try DockerFormatTests.image(layer: layer), of: image, tag, at: upstream)
    }

    @discardableResult
    func put(manifest text: String, of image: String, _ tag: String, type: String = imageType, at upstream: ScriptedUpstream) throws -> ContentDigest {
        let name = try digest(text)
        let file = ScriptedUpstream.File(text, contentType: type, headers: ["Docker-Content-Digest": "\(name)"])
        for reference in [tag, "\(name)"] { upstream.put("v2/\(image)/manifests/\(reference)", file) }
        return name
    }

    func ask(_ method: HTTPRequest.Method, _ target: String, _ text: String = "", type: String? = nil) async throws -> TestResponse {
        try await self.site.ask(method, target, text, type: type)
    }

    func tags(_ target: String) async throws -> (tags: [String], answer: TestResponse) {
        struct List: Decodable { var tags: [String] }
        let answer = try await self.ask(.get, target)
        let list = try? JSONDecoder().decode(List.self, from: Data(answer.body.readableBytesView))  // a failure has none
        return (list?.tags ?? [], answer)
    }

    /// Of every page, by its links.
    func pages(_ first: String) async throws -> [[String]] {
        var target: String? = first
        var pages: [[String]] = []
        while let page = target, pages.count < 20 {
            let (tags, answer) = try await self.tags(page)
            #expect(answer.status == .ok)
            pages.append(tags)
            target = answer.headers[.link].map { String($0.dropFirst().prefix { $0 != ">" }) }
        }
        return pages
    }
}

@Suite("Registries as a group")
struct RegistryGroupTests {
    @Test("an image is pulled by tag and digest from whichever member has it; HEAD and GET agree; a tag that was pushed here is the first")
    func pulls() async throws {
        let group = try await GroupSite()
        let digest = try group.put("app", "1", at: group.other)
        try await group.site.running {
            for (method, reference) in [(HTTPRequest.Method.head, "1"), (.get, "1"), (.get, "\(digest)"), (.head, "\(digest)")] {
                let answer = try await group.ask(method, "/v2/all/app/manifests/\(reference)")
                #expect(answer.status == .ok && answer.headers[.contentDigest] == "\(digest)", "\(method) \(reference)")
            }
            // Which member has the manifest is known when it is kept, which is after it was given out.
            await group.site.fills.settled()
            #expect(try await group.ask(.get, "/v2/app/blobs/\(try DockerFormatTests.digest("layer"))").text == "layer")
            let blobs = group.hub.asked.filter { $0.address.contains("/blobs/") }
            #expect(blobs.isEmpty, "the member that served the manifest is asked for its layers first: \(blobs)")
            try await group.site.pushImage("local/app", "1")
            let mine = try await group.ask(.get, "/v2/all/app/manifests/1")
            let wanted = try image()
            #expect(mine.text == wanted)
        }
    }

    @Test("a member in trouble is 503 in the envelope, and what another one has is served without it where that is said")
    func trouble() async throws {
        for (policy, status) in [(GroupPart.OnMemberError.fail, 503), (.skip, 200)] {
            let group = try await GroupSite(policy)
            group.stop(group.hub)
            try group.put("app", "1", at: group.other)
            try await group.site.running {
                let answer = try await group.ask(.get, "/v2/all/app/manifests/1")
                #expect(answer.status.code == status)
                if status == 503 { #expect(answer.text.contains(#""code":"UNAVAILABLE""#) && answer.text.contains("hub")) }
                #expect(try await group.ask(.get, "/v2/all/app/manifests/none").status == .serviceUnavailable)
                // Whether a layer has to be sent: nobody can say, so it is sent.
                #expect(try await group.ask(.head, "/v2/all/app/blobs/\(try digest("new"))").status == .notFound)
            }
        }
    }

    @Test("of an owned image nothing is asked elsewhere: no tag, manifest, layer or list")
    func owned() async throws {
        let group = try await GroupSite(owns: "team/*")
        for upstream in [group.hub, group.other] { try group.put("team/app", "2", at: upstream) }
        try await group.site.running {
            try await group.site.pushImage("local/team/app", "1")
            #expect(try await group.ask(.get, "/v2/all/team/app/manifests/1").status == .ok)
            for rest in ["manifests/2", "manifests/\(try digest("x"))", "blobs/\(try digest("x"))"] {
                #expect(try await group.ask(.get, "/v2/all/team/app/\(rest)").status == .notFound)
                #expect(try await group.ask(.head, "/v2/all/team/app/\(rest)").status == .notFound)
            }
            #expect(try await group.tags("/v2/all/team/app/tags/list").tags == ["1"])
            #expect(try await group.ask(.get, "/v2/all/team/app/referrers/\(try digest("x"))").status == .ok)
            try await group.site.pushImage("all/team/app", "3")
            #expect(group.hub.asked.isEmpty && group.other.asked.isEmpty)
        }
    }

    @Test("tags of all members are one list in byte order, each once, by pages that follow their links")
    func tags() async throws {
        let group = try await GroupSite()
        for tag in ["a", "c", "Z"] { try await group.site.pushImage("local/app", tag) }
        let all = ["B", "Z", "a", "b", "c", "d", "é"].filter { $0 != "é" }
        group.hub.put("v2/app/tags/list", .init(#"{"name":"app","tags":["a","b"]}"#))
        group.other.put("v2/app/tags/list", .init(#"{"name":"app","tags":["d","B"]}"#))
        #expect(try await group.tags("/v2/all/app/tags/list").tags == all)
        #expect(try await group.tags("/v2/all/app/tags/list").answer.text.contains(#""name":"all/app""#))
        // These upstreams know no pages, and send all of it.
        for upstream in [group.hub, group.other] {
            let list = upstream === group.hub ? #"{"tags":["a","b"]}"# : #"{"tags":["d","B"]}"#
            for last in ["", "&last=B", "&last=Z", "&last=a", "&last=b", "&last=c", "&last=d"] { upstream.put("v2/app/tags/list?n=2\(last)", .init(list)) }
        }
        #expect(try await group.pages("/v2/all/app/tags/list?n=2") == [["B", "Z"], ["a", "b"], ["c", "d"]])
        #expect(try await group.tags("/v2/all/none/tags/list").answer.status == .notFound)
    }

    @Test("an upstream's page that goes on bounds what is told of the others")
    func pagedUpstream() async throws {
        let group = try await GroupSite()
        for tag in ["a", "z"] { try await group.site.pushImage("local/app", tag) }
        let link = ["Link": #"</v2/app/tags/list?n=3&last=c>; rel="next""#]
        group.hub.put("v2/app/tags/list?n=3", .init(#"{"tags":["b","c"]}"#, headers: link))
        group.hub.put("v2/app/tags/list?n=3&last=c", .init(#"{"tags":["d"]}"#))
        #expect(try await group.pages("/v2/all/app/tags/list?n=3") == [["a", "b", "c"], ["d", "z"]])
    }

    @Test("a list without a member says so, or is refused")
    func partial() async throws {
        for (policy, status) in [(GroupPart.OnMemberError.skip, 200), (.fail, 503)] {
            let group = try await GroupSite(policy)
            try await group.site.pushImage("local/app", "1")
            group.stop(group.hub)
            let (tags, answer) = try await group.tags("/v2/all/app/tags/list")
            #expect(answer.status.code == status)
            guard status == 200 else { continue }
            #expect(tags == ["1"])
            #expect(answer.headers[.skippedMembers] == "hub" && answer.headers[.cacheControl] == "no-store")
            #expect(try await group.tags("/v2/all/none/tags/list").answer.status == .serviceUnavailable)
        }
    }

    @Test("the group's catalog has every image of its members once; the site's has the group like any repository")
    func catalog() async throws {
        let group = try await GroupSite()
        for image in ["local/app", "local/b", "second/app", "second/a"] { try await group.site.pushImage(image, "1") }
        #expect(try await group.ask(.get, "/repository/hosted/v2/_catalog").text == #"{"repositories":["a","app","b"]}"#)
        let page = try await group.ask(.get, "/repository/hosted/v2/_catalog?n=2&last=a")
        #expect(page.text == #"{"repositories":["app","b"]}"#)
        #expect(try await group.ask(.get, "/v2/_catalog").text.contains(#""hosted/app""#))
    }

    @Test("referrers of all members are one list, each once, pushed ones and those of fallback tags")
    func referrers() async throws {
        struct Index: Decodable {
            struct Entry: Decodable { var digest: String }
            var manifests: [Entry]
        }
        let group = try await GroupSite()
        let subject = try digest("subject")
        func refer(_ kind: String) throws -> String {
            try image(extra: #","artifactType":"\#(kind)","subject":{"mediaType":"\#(imageType)","digest":"\#(subject)","size":1}"#)
        }
        for (repository, kinds) in [("local", ["test/a", "test/b"]), ("second", ["test/b", "test/c"])] {
            for blob in ["{}", "layer"] { try await group.site.push(blob, to: "\(repository)/app") }
            for kind in kinds {
                #expect(
                    try await group.ask(.put, "/v2/\(repository)/app/manifests/\(try digest(try refer(kind)))", try refer(kind), type: imageType).status
                        == .created)
            }
        }
        let listed =
            #"{"schemaVersion":2,"mediaType":"\#(indexType)","manifests":[{"mediaType":"\#(imageType)","digest":"\#(try digest("layer"))","size":1,"artifactType":"test/d"}]}"#
        let tag = "sha256-\(subject.hex)"
        let pushed = try image()
        #expect(try await group.ask(.put, "/v2/second/app/manifests/x", pushed, type: imageType).status == .created)
        let index = listed.replacing("\(try digest("layer"))", with: "\(try digest(pushed))")
        #expect(try await group.ask(.put, "/v2/second/app/manifests/\(tag)", index, type: indexType).status == .created)
        let answer = try await group.ask(.get, "/v2/hosted/app/referrers/\(subject)")
        let found = try JSONDecoder().decode(Index.self, from: Data(answer.body.readableBytesView)).manifests.map(\.digest)
        let wanted = try ["test/a", "test/b", "test/c"].map { "\(try digest(try refer($0)))" } + ["\(try digest(pushed))"]
        #expect(found == wanted.sorted())
    }

    @Test("a cursor of a group gives each member its own place, and ends those that are through", arguments: ["sha256:ab", "~sha256:a,b", "a b%é:,"])
    func cursor(position: String) throws {
        let (a, b) = (try RepositoryName("a"), try RepositoryName("b"))
        let text = try #require(ReferrerCursor.text([(member: a, position: position)]))
        #expect(ReferrerCursor(text).position(in: a) == .after(position))
        #expect(ReferrerCursor(text).position(in: b) == .end)
        #expect(ReferrerCursor(nil).position(in: a) == .start)
        #expect(ReferrerCursor(position).position(in: a) == .after(position))
        #expect(ReferrerCursor.text([]) == nil)
    }
}

@Suite("Pushes through a group")
struct GroupPushTests {
    @Test("what a client has seen in any member and left out is in the hosted one after its push, which serves it alone", arguments: [false, true])
    func base(isWarm: Bool) async throws {
        let group = try await GroupSite()
        try group.put("app", "base", layer: "base", at: group.other)
        try await group.site.running {
            if isWarm {
                for blob in ["base", "{}"] { #expect(try await group.ask(.get, "/v2/all/app/blobs/\(try digest(blob))").status == .ok) }
                await group.site.fills.settled()
            }
            // As docker does: a HEAD for each layer, and only what is nowhere is sent.
            for blob in ["base", "{}", "own"] {
                let head = try await group.ask(.head, "/v2/all/app/blobs/\(try digest(blob))")
                #expect(head.status.code == (blob == "own" ? 404 : 200))
            }
            try await group.site.push("own", to: "all/app")
            let manifest = try image(
                layer: "base", extra: ""
            ).replacing(
                "\"layers\":[", with: "\"layers\":[{\"mediaType\":\"application/octet-stream\",\"digest\":\"\(try digest("own"))\",\"size\":3},")
            #expect(try await group.ask(.put, "/v2/all/app/manifests/1", manifest, type: imageType).status == .created)
            group.stop(group.hub)
            group.stop(group.other)
            #expect(try await group.ask(.get, "/v2/local/app/manifests/1").text == manifest)
            for blob in ["base", "{}", "own"] { #expect(try await group.ask(.get, "/v2/local/app/blobs/\(try digest(blob))").text == blob) }
        }
    }

    @Test("an index takes its children over with all that they name; one that nobody has whole is refused by name")
    func index() async throws {
        let group = try await GroupSite()
        let child = try group.put("app", "child", at: group.hub)
        func index(_ child: ContentDigest) -> String {
            #"{"schemaVersion":2,"mediaType":"\#(indexType)","manifests":[{"mediaType":"\#(imageType)","digest":"\#(child)","size":9}]}"#
        }
        try await group.site.running {
            #expect(try await group.ask(.put, "/v2/all/app/manifests/1", index(child), type: indexType).status == .created)
            let whole = try image()
            #expect(try await group.ask(.get, "/v2/local/app/manifests/\(child)").text == whole)
            #expect(try await group.ask(.get, "/v2/local/app/blobs/\(try digest("layer"))").text == "layer")
            let torn = try group.put(manifest: try image(layer: "gone"), of: "app", "torn", at: group.hub)
            let refused = try await group.ask(.put, "/v2/all/app/manifests/2", index(torn), type: indexType)
            #expect(refused.status == .badRequest && refused.text.contains("MANIFEST_BLOB_UNKNOWN") && refused.text.contains("\(torn)"))
        }
    }

    @Test("a manifest whose layer nobody has is refused by name")
    func missing() async throws {
        let group = try await GroupSite()
        try await group.site.running {
            try await group.site.push("{}", to: "all/app")
            let refused = try await group.ask(.put, "/v2/all/app/manifests/1", try image(layer: "nowhere"), type: imageType)
            let name = try digest("nowhere")
            #expect(refused.status == .badRequest && refused.text.contains("\(name)"))
        }
    }

    @Test("a blob is mounted from a group, through a group, from the member that has it")
    func mount() async throws {
        let group = try await GroupSite()
        try group.put("base", "1", at: group.hub)
        let layer = try digest("layer")
        try await group.site.running {
            #expect(try await group.ask(.get, "/v2/all/base/blobs/\(layer)").text == "layer")
            await group.site.fills.settled()
            for (base, from) in [("/v2/all/app", "all/base"), ("/v2/second/app", "all/base"), ("/v2/app/short", "base")] {
                let mounted = try await group.ask(.post, "\(base)/blobs/uploads/?mount=\(layer)&from=\(from)")
                #expect(mounted.status == .created, "\(base)")
            }
            #expect(try await group.ask(.get, "/v2/local/app/blobs/\(layer)").text == "layer")
            #expect(try await group.ask(.get, "/v2/second/app/blobs/\(layer)").text == "layer")
            #expect(try await group.ask(.post, "/v2/all/app/blobs/uploads/?mount=\(try digest("none"))&from=all/base").status == .accepted)
        }
    }

    @Test("uploads in chunks, deletes, and the hosted member's own rules, through the group")
    func rules() async throws {
        let group = try await GroupSite(policy: .allowOnce)
        try await group.site.running {
            let begun = try await group.ask(.post, "/v2/all/app/blobs/uploads/")
            let session = try #require(begun.headers[.location])
            #expect(session.hasPrefix("/v2/all/app/"))
            #expect(try await group.ask(.patch, session, "lay").status == .accepted)
            #expect(try await group.ask(.put, "\(session)?digest=\(try digest("layer"))", "er").status == .created)
            try await group.site.pushImage("all/app", "1")
            try await group.site.pushImage("all/app", "dev")
            let other = try image(extra: #","annotations":{"a":"b"}"#)
            #expect(try await group.ask(.put, "/v2/all/app/manifests/1", other, type: imageType).status == .conflict)
            // `mutableTags` is the hosted member's, too.
            #expect(try await group.ask(.put, "/v2/all/app/manifests/dev", other, type: imageType).status == .created)
            #expect(try await group.ask(.delete, "/v2/all/app/manifests/dev").status == .accepted)
            #expect(try await group.ask(.head, "/v2/local/app/manifests/dev").status == .notFound)
        }
    }

    @Test("a group that writes nowhere answers 405 in the envelope")
    func readOnly() async throws {
        let group = try await GroupSite()
        for (method, rest) in [(HTTPRequest.Method.post, "blobs/uploads/"), (.put, "manifests/1"), (.delete, "manifests/1")] {
            let answer = try await group.ask(method, "/v2/hosted/app/\(rest)", method == .put ? try image() : "", type: imageType)
            #expect(answer.status == .methodNotAllowed, "\(method)")
            #expect(answer.text.contains(#""code":"UNSUPPORTED""#) && answer.text.contains("writeTo"))
        }
    }
}
