import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import Testing

@testable import DockerFormat

@Suite("Manifests")
struct ManifestTests {
    @Test("a manifest is served as it was pushed, by tag and by digest, with its type and digest")
    func pushAndPull() async throws {
        let client = try await client()
        let manifest = try image()
        let digest = try digest(manifest)
        let pushed = await client.put(manifest, "t1", type: imageType + "; charset=utf-8")
        #expect(pushed.status == .created)
        #expect(pushed.headers[.contentDigest] == "\(digest)")
        #expect(try client.location(pushed) == "app/manifests/\(digest)")
        for (path, change) in [("app/manifests/t1", Mutability.mutable), ("app/manifests/\(digest)", .immutable), ("app/blobs/\(digest)", .immutable)] {
            let read = await client.send(.get, path, "", [.accept: "application/vnd.docker.distribution.manifest.v2+json"])
            #expect(text(read) == manifest)
            #expect(read.headers[.contentDigest] == "\(digest)")
            guard case .content(let content) = read.body else { throw FormatError(.internalFailure, "no content") }
            #expect(content.head.contentType == imageType)
            #expect(content.head.entityTag == "\"\(digest)\"")
            #expect(content.head.change == change)
        }
    }

    @Test("a type is read from the manifest where the request names none", arguments: [nil, imageType])
    func types(type: String?) async throws {
        #expect(await (try client()).put(try image(), "t", type: type).status == .created)
    }

    @Test(
        "what is no manifest is refused",
        arguments: [
            ("{nope", imageType), ("[]", imageType), ("", imageType), (#"{"schemaVersion":2}"#, imageType),
            (#"{"schemaVersion":1,"fsLayers":[]}"#, "application/vnd.docker.distribution.manifest.v1+prettyjws"),
            (#"{"schemaVersion":2,"manifests":[],"layers":[]}"#, indexType), (#"{"schemaVersion":2,"config":{"digest":"foo","size":1}}"#, imageType),
            (#"{"schemaVersion":2,"mediaType":"a/b"}"#, "a/b"), (#"{"schemaVersion":2,"manifests":[{"digest":"sha256:aa","size":1}]}"#, indexType),
        ])
    func garbage(text: String, type: String) async throws {
        let response = await (try client()).put(text, "t", type: type)
        #expect(response.status == .badRequest)
        #expect(word(response) == "MANIFEST_INVALID")
    }

    @Test("a Content-Type other than the manifest's own, and bytes of another digest, are refused")
    func mismatch() async throws {
        let client = try await client()
        #expect(word(await client.put(try image(), "t", type: "application/vnd.docker.distribution.manifest.v2+json")) == "MANIFEST_INVALID")
        #expect(word(await client.put(try image(), "\(try digest("q"))")) == "DIGEST_INVALID")
        #expect(word(await client.put(String(repeating: " ", count: Manifest.largest + 1), "t")) == "SIZE_INVALID")
    }

    @Test("a missing layer is named, and the tag is not made")
    func missing() async throws {
        let client = try await client()
        let response = await client.put(try image(layer: "gone"), "t")
        #expect(response.status == .badRequest)
        #expect(word(response) == "MANIFEST_BLOB_UNKNOWN")
        #expect(text(response).contains(#""detail":{"digest":"\#(try digest("gone"))"}"#))
        #expect(await client.send(.get, "app/manifests/t").status == .notFound)
    }

    @Test("layers that may not be distributed, and a subject that is not here, are no one's to push")
    func elsewhere() async throws {
        let client = try await client()
        let layer = #"{"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip","digest":"\#(try digest("gone"))","size":1}"#
        let subject = try digest("later")
        let manifest = try image(extra: #","subject":{"mediaType":"\#(imageType)","digest":"\#(subject)","size":1}"#)
            .replacing(#""layers":["#, with: #""layers":[\#(layer),"#)
        for _ in 1...2 {
            let response = await client.put(manifest, "t")
            #expect(response.status == .created)
            #expect(response.headers[.subject] == "\(subject)")
        }
    }

    @Test("an index needs its manifests, unless the repository allows otherwise; an empty one and BuildKit's cache of layers are legal")
    func indexes() async throws {
        let client = try await client()
        func index(_ entry: String) -> String { #"{"schemaVersion":2,"mediaType":"\#(indexType)","manifests":[\#(entry)]}"# }
        let child = index(#"{"mediaType":"\#(imageType)","digest":"\#(try digest(try image()))","size":9}"#)
        #expect(word(await client.put(child, "i", type: indexType)) == "MANIFEST_BLOB_UNKNOWN")
        #expect(await (try DockerFormatTests.client(OCISettings(missingChildren: .allow))).put(child, "i", type: indexType).status == .created)
        #expect(await client.put(try image(), "\(try digest(try image()))").status == .created)
        #expect(await client.put(child, "i", type: indexType).status == .created)
        #expect(await client.put(index(""), "empty", type: indexType).status == .created)
        let cache = #"{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"\#(try digest("layer"))","size":5}"#
        #expect(await client.put(index(cache), "cache", type: indexType).status == .created)
    }

    @Test("under allowOnce a tag stays, unless it is listed as mutable or clients rewrite it by design; equal content may come again")
    func redeploy() async throws {
        let client = try await client(policy: .allowOnce, OCISettings(mutableTags: ["latest", "*cache*"]))
        let first = try image()
        let second = try image(extra: #","annotations":{"a":"b"}"#)
        let referrers = "sha256-" + (try digest("x")).hex
        for tag in ["1.0", "latest", "buildcache-1", referrers, "\(try digest(first))"] {
            #expect(await client.put(first, tag).status == .created)
            #expect(await client.put(first, tag).status == .created)
        }
        let refused = await client.put(second, "1.0")
        #expect(refused.status == .conflict)
        #expect(word(refused) == "DENIED")
        #expect(text(refused).contains("mutableTags"))
        for tag in ["latest", "buildcache-1", referrers] { #expect(await client.put(second, tag).status == .created) }
        #expect(text(await client.send(.get, "app/manifests/1.0")) == first)
    }

    @Test("deleting a tag leaves the manifest; deleting the manifest takes its tags; a second time it is unknown")
    func remove() async throws {
        let client = try await client()
        let digest = try digest(try image())
        for tag in ["a", "b"] { #expect(await client.put(try image(), tag).status == .created) }
        #expect(await client.send(.delete, "app/manifests/a").status == .accepted)
        #expect(word(await client.send(.delete, "app/manifests/a")) == "MANIFEST_UNKNOWN")
        #expect(await client.send(.head, "app/manifests/\(digest)").status == .ok)
        #expect(await client.send(.delete, "app/manifests/\(digest)").status == .accepted)
        #expect(word(await client.send(.delete, "app/manifests/\(digest)")) == "MANIFEST_UNKNOWN")
        #expect(await client.send(.head, "app/manifests/b").status == .notFound)
        #expect(await client.send(.head, "app/blobs/\(try DockerFormatTests.digest("layer"))").status == .ok)
    }
}

@Suite("Listings of images")
struct ListingTests {
    @Test(
        "tags are byte-wise ordered and paged",
        arguments: [
            ("", #"["1","C","a","b"]"#, nil), ("?n=2", #"["1","C"]"#, "</v2/local/app/tags/list?n=2&last=C>; rel=\"next\""), ("?n=0", "[]", nil),
            ("?last=a", #"["b"]"#, nil), ("?n=1&last=zzz", "[]", nil), ("?n=2&last=B", #"["C","a"]"#, "</v2/local/app/tags/list?n=2&last=a>; rel=\"next\""),
            ("?n=2&last=C", #"["a","b"]"#, nil), ("?n=1&ns=docker.io", #"["1"]"#, "</v2/local/app/tags/list?n=1&last=1&ns=docker.io>; rel=\"next\""),
        ])
    func tags(query: String, tags: String, link: String?) async throws {
        let client = try await client()
        for tag in ["b", "a", "C", "1"] { #expect(await client.put(try image(), tag).status == .created) }
        let response = await client.send(.get, "app/tags/list" + query)
        #expect(text(response) == #"{"name":"local/app","tags":\#(tags)}"#)
        #expect(response.headers[.link] == link)
    }

    @Test("the tags of an unknown image are no empty list", arguments: ["", "?n=0"])
    func unknown(query: String) async throws {
        let response = await (try client()).send(.get, "nope/tags/list" + query)
        #expect(response.status == .notFound)
        #expect(word(response) == "NAME_UNKNOWN")
    }

    private struct Two: Site {
        let contents: [RepositoryName: any RepositoryContent]
        var principal: String { "" }
        var asksToSignIn: Bool { false }
        var maySeeLists: Bool { true }
        func destination(of path: [String]) -> (repository: RepositoryName, path: [String])? { nil }
        func allowed(_ permit: Permit) -> [Action] { [] }
        func ticket(_ permits: [Permit], catalog: Bool) async throws -> Ticket { throw FormatError(.notServed, "no tickets") }
        func renewal() async throws -> String { throw FormatError(.notServed, "no renewals") }
        func signedIn(_ name: String, secret: String) async throws -> any Site { self }
        func signedIn(renewal: String) async throws -> any Site { self }
        func readable() async throws -> [RepositoryName] { self.contents.keys.sorted() }
        func content(of repository: RepositoryName) async throws -> (any RepositoryContent)? { self.contents[repository] }
    }

    @Test(
        "the door's catalog has the images of all repositories in one order, paged over their borders",
        arguments: [
            ("", #"["a-b/x","a-b/y","a/x"]"#, nil), ("?n=2", #"["a-b/x","a-b/y"]"#, "</v2/_catalog?n=2&last=a-b%2Fy>; rel=\"next\""),
            ("?n=1&last=a-b/x", #"["a-b/y"]"#, "</v2/_catalog?n=1&last=a-b%2Fy>; rel=\"next\""), ("?n=1&last=a-b/y", #"["a/x"]"#, nil),
            ("?n=0", "[]", nil), ("?last=zz", "[]", nil), ("?n=3", #"["a-b/x","a-b/y","a/x"]"#, nil),
        ])
    func catalog(query: String, names: String, link: String?) async throws {
        var contents: [RepositoryName: any RepositoryContent] = [:]
        for (repository, images) in [("a", ["x"]), ("a-b", ["y", "x"])] {
            let content = try await makeContent(repository: repository)
            for image in images { try await content.commit(Edit([.setPackage(PackageName(name: image), attributes: "{}")])) }
            contents[try RepositoryName(repository)] = content
        }
        let response = try #require(
            try await OCIFormat().respond(atDoor: ArtifactRequest(head: head(.get, "_catalog" + query), body: .empty), in: Two(contents: contents)))
        #expect(text(response) == #"{"repositories":\#(names)}"#)
        #expect(response.headers[.link] == link)
        #expect(response.headers[.registryVersion] == "registry/2.0")
    }

    @Test("the door answers /v2 with and without its slash")
    func ping() async throws {
        for path in [[], [""]] {
            var head = head(.get, "")
            head.path = path
            #expect(try await OCIFormat().respond(atDoor: ArtifactRequest(head: head, body: .empty), in: Two(contents: [:]))?.status == .ok)
        }
    }

    private func referrer(_ subject: ContentDigest) throws -> String {
        try image(extra: #","subject":{"mediaType":"\#(imageType)","digest":"\#(subject)","size":1},"artifactType":"test/a","annotations":{"k":"v"}"#)
    }

    @Test("referrers come as an index, filtered where that is asked, and are empty for what is unknown")
    func referrers() async throws {
        let client = try await client()
        let subject = try digest("subject")
        let manifest = try referrer(subject)
        let empty = #"{"manifests":[],"mediaType":"\#(indexType)","schemaVersion":2}"#
        #expect(text(await client.send(.get, "app/referrers/\(subject)")) == empty)
        #expect(await client.put(manifest, "\(try digest(manifest))").status == .created)
        let entry =
            #"{"annotations":{"k":"v"},"artifactType":"test/a","digest":"\#(try digest(manifest))","mediaType":"\#(imageType)","size":\#(manifest.utf8.count)}"#
        let found = await client.send(.get, "app/referrers/\(subject)")
        #expect(text(found) == #"{"manifests":[\#(entry)],"mediaType":"\#(indexType)","schemaVersion":2}"#)
        #expect(found.headers[.contentType] == indexType)
        #expect(found.headers[.filtersApplied] == nil)
        let filtered = await client.send(.get, "app/referrers/\(subject)?artifactType=no/such")
        #expect(text(filtered) == empty)
        #expect(filtered.headers[.filtersApplied] == "artifactType")
    }

    @Test("what clients listed under the fallback tag is merged in, once")
    func fallback() async throws {
        let client = try await client()
        let subject = try digest("subject")
        let manifest = try referrer(subject)
        #expect(await client.put(manifest, "\(try digest(manifest))").status == .created)
        let other = try image()
        #expect(await client.put(other, "other").status == .created)
        func entry(_ text: String) throws -> String {
            #"{"mediaType":"\#(imageType)","digest":"\#(try digest(text))","size":\#(text.utf8.count),"artifactType":"test/a"}"#
        }
        let index = #"{"schemaVersion":2,"mediaType":"\#(indexType)","manifests":[\#(try entry(manifest)),\#(try entry(other))]}"#
        #expect(await client.put(index, "sha256-\(subject.hex)", type: indexType).status == .created)
        let found = text(await client.send(.get, "app/referrers/\(subject)?artifactType=test/a"))
        #expect(found.split(separator: "\(try digest(manifest))").count == 2)
        #expect(found.split(separator: "\(try digest(other))").count == 2)
    }
}
