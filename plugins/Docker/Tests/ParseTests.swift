import ArtifactModel
import FormatAPI
import HTTPTypes
import Testing

@testable import DockerFormat

private let hex = String(repeating: "a", count: 64)
private let sha256 = "sha256:" + hex
private let session = String(repeating: "0", count: 32)

private struct Directory: RepositoryDirectory {
    func has(_ name: RepositoryName, of format: String) -> Bool { format == "docker" && ["docker-local", "docker-all"].contains(name.text) }
}

func head(_ method: HTTPRequest.Method, _ target: String, _ headers: HTTPFields = [:], root: String = "/v2") -> RequestHead {
    let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
    let query = parts.count < 2 ? [] : parts[1].split(separator: "&").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
    return RequestHead(
        method: method, path: target.isEmpty ? [] : (parts.first ?? "").split(separator: "/", omittingEmptySubsequences: false).map(String.init),
        query: query.map { (name: $0[0], value: $0.count > 1 ? $0[1] : "") }, headers: headers, root: root)
}

@Suite("Addresses of images")
struct LocateTests {
    @Test(
        "a door's path leads to one repository, or to the site",
        arguments: [
            ("", "site", 0), ("/", "site", 0), ("_catalog", "site", 0), ("_token", "site", 0),
            ("docker-local/app/manifests/latest", "docker-local", 1), ("docker-local/a/b/blobs/" + sha256, "docker-local", 1),
            ("docker-local/manifests/latest", "docker-all", 0), ("docker-local/tags/list", "docker-all", 0),
            ("docker-local/blobs/uploads/", "docker-all", 0), ("docker-local/UPPER/tags/list", "docker-local", 1),
            ("library/redis/manifests/7", "docker-all", 0), ("redis/tags/list", "docker-all", 0),
            ("library/redis/manifests/7?ns=docker.io", "mirror", 0), ("docker-local/app/manifests/1?ns=docker.io", "mirror", 0),
            ("docker-local/app/manifests/1?ns=elsewhere.example", "docker-local", 1),
            ("_catalog?ns=docker.io", "site", 0), ("Not:AName/app/tags/list", "docker-all", 0),
        ])
    func door(target: String, repository: String, consumed: Int) throws {
        let site = OCISiteSettings(defaultRepository: try RepositoryName("docker-all"), namespaces: ["docker.io": try RepositoryName("mirror")])
        var head = head(.get, target == "/" ? "" : target)
        if target == "/" { head.path = [""] }
        let found = OCIFormat().locate(head, at: .door("v2"), among: Directory(), site)
        let expected: Location.Target = repository == "site" ? .site : .repository(try RepositoryName(repository))
        #expect(found == Location(expected, consumed: consumed))
    }

    @Test("without a default repository a bare name leads nowhere", arguments: ["redis/tags/list", "docker-local/tags/list", "x/y", "docker-local/x"])
    func nowhere(target: String) { #expect(OCIFormat().locate(head(.get, target), at: .door("v2"), among: Directory(), OCISiteSettings()) == nil) }

    @Test("a repository's own URL has the API below v2 only")
    func own() throws {
        let name = try RepositoryName("docker-local")
        let site = OCISiteSettings()
        for root in ["v2", "v2/", "v2/_token"] {
            #expect(OCIFormat().locate(head(.get, root), at: .repository(name), among: Directory(), site) == Location(.site, consumed: 1))
        }
        #expect(OCIFormat().locate(head(.get, "v2/x/tags/list"), at: .repository(name), among: Directory(), site) == Location(.repository(name), consumed: 1))
        #expect(OCIFormat().locate(head(.get, "x/tags/list"), at: .repository(name), among: Directory(), site) == nil)
        #expect(OCIFormat().locate(head(.get, ""), at: .repository(name), among: Directory(), site) == nil)
    }

    @Test("a repository whose name could be an image's, or cannot begin one, is refused", arguments: ["library", "docker", "v2", "Upper", "a..b", "a___b"])
    func objection(name: String) throws { #expect(OCIFormat.objection(to: try RepositoryName(name)) != nil) }

    @Test("a name of the path-component grammar is taken", arguments: ["docker-local", "a--b", "a__b", "a.b", "7"])
    func noObjection(name: String) throws { #expect(OCIFormat.objection(to: try RepositoryName(name)) == nil) }
}

@Suite("What requests ask for")
struct ParseTests {
    @Test(
        "an operation is read from the right of the path",
        arguments: [
            (HTTPRequest.Method.get, "_catalog", "catalog", ""),
            (.get, "a/tags/list", "tags", "a"), (.get, "tags/tags/list", "tags", "tags"), (.get, "a/blobs/uploads/tags/list", "tags", "a/blobs/uploads"),
            (.head, "a/b/manifests/latest", "manifest.read", "a/b"), (.put, "a/manifests/" + sha256, "manifest.write", "a"),
            (.get, "a/manifests/uploads", "manifest.read", "a"), (.get, "a/blobs/manifests/x", "manifest.read", "a/blobs"),
            (.delete, "a/manifests/x", "manifest.delete", "a"), (.get, "a/blobs/" + sha256, "blob.read", "a"),
            (.get, "a/manifests/blobs/" + sha256, "blob.read", "a/manifests"), (.delete, "a/blobs/" + sha256, "blob.delete", "a"),
            (.post, "a/blobs/uploads/", "blob.write", "a"), (.post, "a/blobs/uploads", "blob.write", "a"),
            (.post, "a/blobs/uploads/x/blobs/uploads/", "blob.write", "a/blobs/uploads/x"),
            (.post, "a/blobs/uploads/?mount=\(sha256)&from=t/app", "blob.mount", "a"),
            (.post, "a/blobs/uploads/?from=t&mount=\(sha256)&origin=x", "blob.mount", "a"),
            (.post, "a/blobs/uploads/?mount=foo&from=t", "blob.write", "a"), (.post, "a/blobs/uploads/?mount=" + sha256, "blob.write", "a"),
            (.patch, "a/blobs/uploads/" + session, "blob.write", "a"), (.get, "a/blobs/uploads/" + session, "blob.write", "a"),
            (.put, "a/blobs/uploads/\(session)?digest=\(sha256)", "blob.write", "a"), (.get, "a/referrers/" + sha256, "referrers", "a"),
        ])
    func operations(method: HTTPRequest.Method, target: String, name: String, image: String) throws {
        let operation = try OCIFormat().parse(head(method, target))
        #expect("\(operation.name)" == name)
        #expect(operation.accesses.first?.path ?? "" == image)
    }

    @Test(
        "what is no operation fails in OCI's words",
        arguments: [
            (HTTPRequest.Method.get, "a/UPPER/tags/list", FormatError.Code.invalidRequest, "NAME_INVALID"),
            (.get, "manifests/x", .invalidRequest, "NAME_INVALID"),
            (.get, "a..b/tags/list", .invalidRequest, "NAME_INVALID"), (.get, "-a/tags/list", .invalidRequest, "NAME_INVALID"),
            (.get, String(repeating: "a", count: 256) + "/tags/list", .invalidRequest, "NAME_INVALID"),
            (.put, "a/manifests/-bad", .invalidRequest, "TAG_INVALID"), (.get, "a/manifests/.bad", .notFound, "MANIFEST_UNKNOWN"),
            (.put, "a/manifests/" + String(repeating: "t", count: 129), .invalidRequest, "TAG_INVALID"),
            (.get, "a/manifests/sha256:zz", .invalidRequest, "DIGEST_INVALID"), (.get, "a/blobs/sha256:abc", .invalidRequest, "DIGEST_INVALID"),
            (.get, "a/blobs/md5:" + String(repeating: "a", count: 32), .invalidRequest, "DIGEST_INVALID"),
            (.get, "a/referrers/foo", .invalidRequest, "DIGEST_INVALID"),
            (.post, "a/blobs/uploads/?digest=sha256:zz", .invalidRequest, "DIGEST_INVALID"),
            (.put, "a/blobs/uploads/" + session, .invalidRequest, "DIGEST_INVALID"), (.get, "a/blobs/uploads/nope", .notFound, "BLOB_UPLOAD_UNKNOWN"),
            (.get, "a/tags/list?n=-1", .invalidRequest, "PAGINATION_NUMBER_INVALID"), (.get, "a/tags/list?n=abc", .invalidRequest, "PAGINATION_NUMBER_INVALID"),
            (.get, "a/b/c", .notFound, "UNSUPPORTED"), (.get, "a/tags/list/", .notFound, "UNSUPPORTED"),
        ])
    func failures(method: HTTPRequest.Method, target: String, code: FormatError.Code, word: String) {
        let error = #expect(throws: FormatError.self) { try OCIFormat().parse(head(method, target)) }
        #expect(error?.code == code)
        #expect(error?.detail == word)
    }

    @Test("a chunk's range is two whole numbers in order", arguments: ["0-399", "5-5"])
    func ranges(text: String) { #expect(ChunkRange(text) != nil) }

    @Test("what is no chunk's range is refused", arguments: ["", "0", "9-3", "-1-5", "bytes 0-1/2", "0-", "+1-2", "0-9223372036854775807"])
    func noRanges(text: String) { #expect(ChunkRange(text) == nil) }

    @Test(
        "a star in a pattern is any run of characters",
        arguments: [
            ("latest", "latest", true), ("latest", "latest1", false), ("*cache*", "buildcache-1", true), ("*cache*", "cash", false), ("*", "x", true),
            ("v*.*", "v1.2", true), ("v*.*", "v12", false), ("a*b*c", "abbbcxc", true), ("**", "", true),
        ])
    func patterns(pattern: String, tag: String, matches: Bool) { #expect(TagPattern.matches(pattern, tag) == matches) }

    @Test("a referrers tag is a digest with a hyphen, and what follows it")
    func referrersTags() throws {
        #expect(try Tag("sha256-" + hex).isReferrersTag)
        #expect(try Tag("sha256-" + hex + ".sig").isReferrersTag)
        #expect(try !Tag("sha256-abc").isReferrersTag)
        #expect(try !Tag("latest").isReferrersTag)
    }
}
