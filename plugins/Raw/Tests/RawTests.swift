import ArtifactModel
import FormatAPI
import HTTPTypes
import NIOCore
import Testing

@testable import RawFormat

private func head(_ method: HTTPRequest.Method, _ target: String, _ headers: HTTPFields = [:]) -> RequestHead {
    let parts = target.split(separator: "?", maxSplits: 1).map(String.init)
    let query = parts.count < 2 ? [] : parts[1].split(separator: "&").map { $0.split(separator: "=", maxSplits: 1).map(String.init) }
    return RequestHead(
        method: method, path: target.isEmpty ? [] : (parts.first ?? "").split(separator: "/", omittingEmptySubsequences: false).map(String.init),
        query: query.map { (name: $0[0], value: $0.count > 1 ? $0[1] : "") }, headers: headers, root: "/repository/files")
}

private func text(_ response: ArtifactResponse) -> String {
    switch response.body {
    case .none: ""
    case .bytes(let bytes): String(buffer: bytes)
    case .content(let content): (content.source as? MemoryContent).map { String(buffer: $0.bytes) } ?? "?"
    case .stream: "?"
    }
}

private struct Client {
    let content: any RepositoryContent
    init(policy: WritePolicy = .allow) async throws { self.content = try await makeContent(policy: policy, repository: "files") }

    func send(_ method: HTTPRequest.Method, _ target: String, _ text: String = "", _ headers: HTTPFields = [:]) async -> ArtifactResponse {
        let head = head(method, target, headers)
        do {
            let request = ArtifactRequest(head: head, body: body(text))
            return try await RawFiles().respond(to: try RawFiles().parse(head), request, in: self.content, NoSettings())
        } catch let error as FormatError {
            return RawFiles().render(Failure(error), for: head)
        } catch {
            return RawFiles().render(Failure(FormatError(.internalFailure, "\(error)")), for: head)
        }
    }
}

@Suite("What is asked of files")
struct RawParseTests {
    @Test(
        "a path is a file's, and a folder's with a slash at its end",
        arguments: [
            (HTTPRequest.Method.get, "a/b.txt", "file.read", "a/b.txt"), (.head, "a", "file.read", "a"), (.put, "a", "file.write", "a"),
            (.delete, "a", "file.delete", "a"), (.get, "a/", "folder.list", "a/"), (.get, "", "folder.list", ""), (.get, "a b/ü", "file.read", "a b/ü"),
        ])
    func operations(method: HTTPRequest.Method, target: String, name: String, path: String) throws {
        let operation = try RawFiles().parse(head(method, target))
        #expect("\(operation.name)" == name)
        #expect(operation.accesses.first?.path ?? "" == path)
    }

    @Test(
        "what cannot be done is refused before a body is read",
        arguments: [
            (HTTPRequest.Method.put, "a/", FormatError.Code.invalidRequest), (.put, "", .invalidRequest), (.delete, "a/", .methodNotAllowed),
            (.post, "a", .methodNotAllowed), (.patch, "a", .methodNotAllowed), (.get, "a/?limit=0", .invalidRequest), (.get, "a/?limit=x", .invalidRequest),
            (.get, "a\u{1}", .invalidRequest),
        ])
    func refused(method: HTTPRequest.Method, target: String, code: FormatError.Code) {
        #expect(#expect(throws: FormatError.self) { try RawFiles().parse(head(method, target)) }?.code == code)
    }

    @Test(
        "headers of an upload that cannot be obeyed are refused",
        arguments: [
            ("Content-Range", "bytes 0-1/2"), ("Content-MD5", "x"), ("X-Checksum-Sha256", "abc"), ("Content-Digest", "sha-256=:x:"), ("Digest", "SHA-256=x"),
            ("Content-Type", "text"), ("If-None-Match", "\"a\""),
        ])
    func headers(name: String, value: String) throws {
        let field = try #require(HTTPField.Name(name))
        #expect(#expect(throws: FormatError.self) { try RawFiles().parse(head(.put, "a", [field: value])) }?.code == .invalidRequest)
    }

    @Test(
        "types are guessed by the name's end",
        arguments: [("a.TXT", "text/plain"), ("a.tar.gz", "application/gzip"), ("a", FileTypes.unknown), ("a.b/c", FileTypes.unknown), ("x.html", "text/html")])
    func types(path: String, type: String) { #expect(FileTypes.type(of: path) == type) }

    @Test(
        "HTML is for those who would rather have it",
        arguments: [
            ("text/html,application/xhtml+xml,*/*;q=0.8", true), ("*/*", false), ("application/json", false), ("text/html;q=0.5, application/json", false),
            ("text/*", true), ("image/png", false),
        ])
    func preference(accept: String, html: Bool) {
        #expect(Preference([.accept: accept]).prefers("text/html", to: "application/json") == html)
        #expect(!Preference([:]).prefers("text/html", to: "application/json"))
    }
}

@Suite("Failures of files")
struct RawRenderTests {
    static let table: [(FormatError.Code, Int)] = [
        (.notFound, 404), (.invalidRequest, 400), (.methodNotAllowed, 405), (.unauthenticated, 401), (.forbidden, 403), (.conflict, 409),
        (.preconditionFailed, 412), (.readOnly, 403), (.digestMismatch, 400), (.wrongRange, 416), (.tooLarge, 413), (.unsupported, 415),
        (.quotaExceeded, 403), (.throttled, 429), (.upstreamUnreachable, 502), (.upstreamTimedOut, 504), (.upstreamFailed, 502), (.unavailable, 503),
        (.noSpace, 507), (.cancelled, 499), (.notServed, 501), (.internalFailure, 500),
    ]

    @Test("every code has a status, and a body in the client's type", arguments: Self.table)
    func codes(code: FormatError.Code, status: Int) {
        let plain = RawFiles().render(Failure(FormatError(code, "so \"it\" is")), for: head(.get, "a", [.accept: "*/*"]))
        #expect(plain.status.code == status)
        #expect(text(plain) == "so \"it\" is\n")
        let json = RawFiles().render(Failure(FormatError(code, "so \"it\" is")), for: head(.get, "a", [.accept: "application/json"]))
        #expect(text(json) == #"{"error":"so \"it\" is"}"# + "\n")
        #expect(plain.headers[.wwwAuthenticate] == nil)
    }

    @Test("the table has every code")
    func complete() { #expect(Set(Self.table.map(\.0)) == Set(FormatError.Code.allCases)) }

    @Test("405 says which methods there are")
    func allow() {
        let failure = Failure(FormatError(.methodNotAllowed, "no"))
        #expect(RawFiles().render(failure, for: head(.post, "a")).headers[.allow] == "GET, HEAD, PUT, DELETE")
        #expect(RawFiles().render(failure, for: head(.delete, "a/")).headers[.allow] == "GET, HEAD")
    }
}

@Suite("Files")
struct RawFileTests {
    @Test("a file is read as it was written, with its type, until it is deleted")
    func file() async throws {
        let client = try await Client()
        let put = await client.send(.put, "a b/x.txt", "hello", [.contentType: "text/x-own"])
        #expect(put.status == .created)
        #expect(put.headers[.location] == "/repository/files/a%20b/x.txt")
        let read = await client.send(.get, "a b/x.txt")
        #expect(text(read) == "hello")
        guard case .content(let content) = read.body else { throw FormatError(.internalFailure, "no content") }
        #expect(content.head.contentType == "text/x-own")
        #expect(await client.send(.put, "a b/x.txt", "other").status == .created)
        #expect(await client.send(.delete, "a b/x.txt").status == .noContent)
        #expect(await client.send(.delete, "a b/x.txt").status == .notFound)
        #expect(await client.send(.get, "a b/x.txt").status == .notFound)
    }

    @Test(
        "a file that does not hash to what its headers say is not kept",
        arguments: ["X-Checksum-Sha256", "X-Checksum-Sha1", "Content-Digest", "Digest", "Content-MD5"], [true, false])
    func digests(name: String, right: Bool) async throws {
        let values = [
            "X-Checksum-Sha256": "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824",
            "X-Checksum-Sha1": "AAF4C61DDCC5E8A2DABEDE0F3B482CD9AEA9434D",
            "Content-Digest": "unknown=:AA==:, sha-256=:LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=:",
            "Digest": "SHA-256=LPJNul+wow4m6DsqxbninhsWHlwfp0JecwQzYpOLmCQ=", "Content-MD5": "XUFAKrxLKna5cZ2REBfFkg==",
        ]
        let field = try #require(HTTPField.Name(name))
        let client = try await Client()
        let response = await client.send(.put, "a", right ? "hello" : "other", [field: values[name] ?? ""])
        #expect(response.status == (right ? .created : .badRequest))
        #expect(await client.send(.get, "a").status == (right ? .ok : .notFound))
    }

    @Test("under allowOnce other content is refused with what to do, and equal content may come again")
    func allowOnce() async throws {
        let client = try await Client(policy: .allowOnce)
        #expect(await client.send(.put, "a", "one").status == .created)
        #expect(await client.send(.put, "a", "one").status == .created)
        let refused = await client.send(.put, "a", "two")
        #expect(refused.status == .conflict)
        #expect(text(refused).contains("allowOnce"))
        #expect(text(await client.send(.get, "a")) == "one")
    }

    @Test("conditions are held to")
    func conditions() async throws {
        let client = try await Client()
        #expect(await client.send(.put, "a", "one", [.ifMatch: "*"]).status == .preconditionFailed)
        #expect(await client.send(.put, "a", "one", [.ifNoneMatch: "*"]).status == .created)
        #expect(await client.send(.put, "a", "two", [.ifNoneMatch: "*"]).status == .preconditionFailed)
        #expect(await client.send(.put, "a", "two", [.ifMatch: "\"other\""]).status == .preconditionFailed)
        #expect(await client.send(.put, "a", "two", [.ifMatch: "\"\(try digest("one"))\", \"x\""]).status == .created)
        #expect(text(await client.send(.get, "a")) == "two")
    }
}

@Suite("Folders")
struct FolderTests {
    private func filled() async throws -> Client {
        let client = try await Client()
        for path in ["d/<b>&.txt", "d/a", "d/sub/x", "top"] { #expect(await client.send(.put, path, "12345").status == .created) }
        return client
    }

    @Test("a folder without its slash is elsewhere, and one that is not there is not found")
    func redirect() async throws {
        let client = try await self.filled()
        let response = await client.send(.get, "d/sub")
        #expect(response.status == .movedPermanently)
        #expect(response.headers[.location] == "/repository/files/d/sub/")
        #expect(await client.send(.get, "nope/").status == .notFound)
        #expect(await client.send(.get, "").status == .ok)
    }

    @Test("a path may be a file and a folder")
    func both() async throws {
        let client = try await self.filled()
        #expect(await client.send(.put, "d", "file").status == .created)
        #expect(text(await client.send(.get, "d")) == "file")
        #expect(text(await client.send(.get, "d/")).contains(#""name":"sub""#))
    }

    @Test("scripts get JSON, in pages")
    func json() async throws {
        let client = try await self.filled()
        let file =
            #""contentType":"application/octet-stream","modified":"2025-11-23T20:33:20Z","name":"a","sha256":"\#(try digest("12345").hex)","size":5,"type":"file""#
        let first = await client.send(.get, "d/?limit=1&after=<b>z", "", [.accept: "*/*"])
        #expect(
            text(first)
                == #"{"entries":[{\#(file)}],"next":"/repository/files/d/?after=a&limit=1","path":"/d/","repository":"files"}"# + "\n")
        #expect(first.headers[.link] == "</repository/files/d/?after=a&limit=1>; rel=\"next\"")
        let second = await client.send(.get, "d/?limit=1&after=a")
        #expect(text(second) == #"{"entries":[{"name":"sub","type":"folder"}],"path":"/d/","repository":"files"}"# + "\n")
        #expect(second.headers[.link] == nil)
    }

    @Test("browsers get HTML, with every name escaped and a way up")
    func html() async throws {
        let response = await (try self.filled()).send(.get, "d/", "", [.accept: "text/html,*/*;q=0.8"])
        #expect(response.headers[.contentType] == "text/html; charset=utf-8")
        #expect(response.headers[.vary] == "Accept")
        #expect(
            text(response) == """
                <!DOCTYPE html>
                <html lang="en">
                <head><meta charset="utf-8"><title>files/d/</title></head>
                <body>
                <h1>files/d/</h1>
                <table>
                <tr><th>Name</th><th>Size in bytes</th><th>Changed (UTC)</th></tr>
                <tr><td><a href="/repository/files/">../</a></td><td></td><td></td></tr>
                <tr><td><a href="/repository/files/d/%3Cb%3E%26.txt">&lt;b&gt;&amp;.txt</a></td><td>5</td><td>2025-11-23 20:33</td></tr>
                <tr><td><a href="/repository/files/d/a">a</a></td><td>5</td><td>2025-11-23 20:33</td></tr>
                <tr><td><a href="/repository/files/d/sub/">sub/</a></td><td></td><td></td></tr>
                </table>
                </body>
                </html>

                """)
    }
}
