/// A request that a registry must refuse, or take, in exactly one way.
struct Probe: Sendable {
    var what: String
    var method: String
    var target: String
    var headers: [String] = []
    var body: [UInt8]? = nil
    var status: Set<Int>
    /// The error code in the body; nil where there is none to expect.
    var code: String? = nil

    private static let image = "docker-local/acme/probe"
    private static let absent = "sha256:" + String(repeating: "0", count: 64)
    private static let manifest = ["Content-Type: \(ServerProcess.manifestType)"]

    /// On an image with the tag `1` and nothing else.
    static let all: [Probe] = [
        Probe(what: "the root answers", method: "GET", target: "/v2/", status: [200]),
        Probe(what: "the root is not written to", method: "POST", target: "/v2/", status: [405], code: "UNSUPPORTED"),
        Probe(what: "an image that is not there", method: "GET", target: "/v2/docker-local/acme/none/tags/list", status: [404], code: "NAME_UNKNOWN"),
        Probe(
            what: "a name in capitals", method: "POST", target: "/v2/docker-local/Acme/uploads/blobs/uploads/", body: [], status: [400], code: "NAME_INVALID"),
        Probe(what: "an absent tag", method: "GET", target: "/v2/\(image)/manifests/none", status: [404], code: "MANIFEST_UNKNOWN"),
        Probe(what: "an absent manifest", method: "GET", target: "/v2/\(image)/manifests/\(absent)", status: [404], code: "MANIFEST_UNKNOWN"),
        Probe(what: "an absent blob", method: "GET", target: "/v2/\(image)/blobs/\(absent)", status: [404], code: "BLOB_UNKNOWN"),
        Probe(what: "a blob by a digest that is none", method: "GET", target: "/v2/\(image)/blobs/sha256:xyz", status: [400, 404]),
        Probe(what: "a tag without Accept", method: "GET", target: "/v2/\(image)/manifests/1", status: [200]),
        Probe(what: "a tag with */*", method: "GET", target: "/v2/\(image)/manifests/1", headers: ["Accept: */*"], status: [200]),
        Probe(what: "HEAD of a tag", method: "HEAD", target: "/v2/\(image)/manifests/1", status: [200]),
        Probe(what: "an unknown upload, asked", method: "GET", target: "/v2/\(image)/blobs/uploads/none", status: [404], code: "BLOB_UPLOAD_UNKNOWN"),
        Probe(
            what: "an unknown upload, sent to", method: "PATCH", target: "/v2/\(image)/blobs/uploads/none", body: [1], status: [404],
            code: "BLOB_UPLOAD_UNKNOWN"),
        Probe(
            what: "an unknown upload, closed", method: "PUT", target: "/v2/\(image)/blobs/uploads/none?digest=\(absent)", body: [1], status: [404],
            code: "BLOB_UPLOAD_UNKNOWN"),
        Probe(what: "an unknown upload, ended", method: "DELETE", target: "/v2/\(image)/blobs/uploads/none", status: [404], code: "BLOB_UPLOAD_UNKNOWN"),
        Probe(
            what: "a mount of what is not there becomes an upload", method: "POST",
            target: "/v2/\(image)/blobs/uploads/?mount=\(absent)&from=docker-local/acme/none", body: [], status: [202]),
        Probe(
            what: "a mount in docker's spelling becomes an upload", method: "POST",
            target: "/v2/\(image)/blobs/uploads/?from=docker-local%2Facme%2Fnone&mount=sha256%3A\(absent.dropFirst(7))", body: [], status: [202]),
        Probe(
            what: "a manifest that is no JSON", method: "PUT", target: "/v2/\(image)/manifests/bad", headers: manifest, body: Array("{".utf8), status: [400],
            code: "MANIFEST_INVALID"),
        Probe(
            what: "a manifest whose blob is not there", method: "PUT", target: "/v2/\(image)/manifests/bad", headers: manifest,
            body: ServerProcess.manifest(of: absent, size: 7), status: [400, 404], code: "MANIFEST_BLOB_UNKNOWN"),
        Probe(
            what: "a manifest under another's digest", method: "PUT", target: "/v2/\(image)/manifests/\(absent)", headers: manifest,
            body: Array(#"{"schemaVersion":2,"manifests":[]}"#.utf8), status: [400]),
        Probe(what: "a tag that is none", method: "PUT", target: "/v2/\(image)/manifests/-x", headers: manifest, body: Array("{}".utf8), status: [400, 404]),
        Probe(
            what: "a manifest without end", method: "PUT", target: "/v2/\(image)/manifests/big", headers: manifest,
            body: [UInt8](repeating: 32, count: 9 << 20), status: [400, 413]),
        Probe(what: "referrers of what is not there are an empty index", method: "GET", target: "/v2/\(image)/referrers/\(absent)", status: [200]),
        Probe(what: "no tags asked for", method: "GET", target: "/v2/\(image)/tags/list?n=0", status: [200]),
        Probe(what: "fewer than no tags", method: "GET", target: "/v2/\(image)/tags/list?n=-1", status: [200, 400]),
        Probe(what: "a path that leaves the API", method: "GET", target: "/v2/\(image)/../x/manifests/1", status: [400], code: "UNSUPPORTED"),
        Probe(what: "a path with a bad escape", method: "GET", target: "/v2/\(image)/manifests/%zz", status: [400], code: "UNSUPPORTED"),
        Probe(what: "an endless path", method: "GET", target: "/v2/" + String(repeating: "a", count: 9000), status: [414], code: "UNSUPPORTED"),
        Probe(
            what: "a transfer coding that is not served", method: "PATCH", target: "/v2/\(image)/blobs/uploads/x", headers: ["Transfer-Encoding: gzip"],
            status: [501], code: "UNSUPPORTED"),
        Probe(
            what: "a body larger than anything", method: "PATCH", target: "/v2/\(image)/blobs/uploads/x", headers: ["Content-Length: 9000000000000000000"],
            body: [], status: [413], code: "SIZE_INVALID"),
        Probe(what: "a method that is not served", method: "PATCH", target: "/v2/\(image)/tags/list", body: [], status: [405], code: "UNSUPPORTED"),
        Probe(what: "a repository that is not there", method: "GET", target: "/repository/none/v2/app/tags/list", status: [404], code: "NAME_UNKNOWN"),
        Probe(
            what: "a range that ends before it begins", method: "GET", target: "/v2/\(image)/manifests/1", headers: ["Range: bytes=9-3"], status: [416],
            code: "RANGE_INVALID"),
        Probe(
            what: "a manifest with a key given twice", method: "PUT", target: "/v2/\(image)/manifests/bad", headers: manifest,
            body: Array(#"{"schemaVersion":2,"manifests":[],"a":{"b":1,"b":2}}"#.utf8), status: [400], code: "MANIFEST_INVALID"),
        Probe(what: "referrers by a digest that is none", method: "GET", target: "/v2/\(image)/referrers/x", status: [400], code: "DIGEST_INVALID"),
        Probe(what: "an absent tag, deleted", method: "DELETE", target: "/v2/\(image)/manifests/none", status: [404], code: "MANIFEST_UNKNOWN"),
    ]
}
