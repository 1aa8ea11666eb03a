import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import RepositoryEngine
import Testing

@testable import RawFormat

/// A hosted repository that owns `team/**`, a proxy and another hosted one behind one name.
private struct FileGroup {
    let upstream = ScriptedUpstream()
    let site: TestSite

    init(_ onMemberError: GroupPart.OnMemberError = .fail) async throws {
        self.site = try await TestSite.make(
            RawFiles(), site: NoSettings(),
            [
                try .init("local").owning("team/**"), .init("other"), .proxy("far", of: self.upstream),
                try .group("all", of: ["local", "far", "other"], writeTo: "local", onMemberError: onMemberError), try .group("read", of: ["local", "other"]),
            ])
    }

    func ask(_ method: HTTPRequest.Method, _ target: String, _ text: String = "") async throws -> TestResponse {
        try await self.site.send(TestRequest(method, "/repository/\(target)", body: text.isEmpty ? [] : [ByteBuffer(string: text)]))
    }
}

@Suite("Files of a group")
struct FileGroupTests {
    @Test("a file is the first member's that has it; what is put through the group is in the hosted one")
    func files() async throws {
        let group = try await FileGroup()
        group.upstream.put("a", .init("far"))
        try await group.site.running {
            _ = try await group.ask(.put, "other/a", "other")
            #expect(try await group.ask(.get, "all/a").text == "far")
            #expect(try await group.ask(.put, "all/a", "mine").status == .created)
            #expect(try await group.ask(.get, "all/a").text == "mine")
            #expect(try await group.ask(.get, "local/a").text == "mine")
            #expect(try await group.ask(.delete, "all/a").status == .noContent)
            #expect(try await group.ask(.get, "all/a").text == "far")
            #expect(try await group.ask(.put, "read/a", "x").status == .methodNotAllowed)
            #expect(try await group.ask(.get, "all/none").status == .notFound)
        }
    }

    @Test("folders are merged, and lead to the files of every member")
    func folders() async throws {
        let group = try await FileGroup()
        for path in ["local/d/b", "other/d/a", "other/d/b", "other/e/x"] { #expect(try await group.ask(.put, path, path).status == .created) }
        let listing = try await group.ask(.get, "read/d/").text
        #expect(listing.contains(#""name":"a""#) && listing.split(separator: #""name":"b""#).count == 2)
        #expect(try await group.ask(.get, "read/d").status == .movedPermanently)
        let page = try await group.ask(.get, "read/?limit=1")
        #expect(page.headers[.link] == #"</repository/read/?after=d&limit=1>; rel="next""#)
        #expect(try await group.ask(.get, "read/d/b").text == "local/d/b")
    }

    @Test("a path that is owned is asked for nowhere else")
    func owned() async throws {
        let group = try await FileGroup()
        group.upstream.put("team/secret", .init("stranger's"))
        try await group.site.running {
            #expect(try await group.ask(.get, "all/team/secret").status == .notFound)
            _ = try await group.ask(.put, "other/team/secret", "stray")
            #expect(try await group.ask(.get, "all/team/secret").status == .notFound)
            #expect(group.upstream.asked.isEmpty)
        }
    }

    @Test("a far member in trouble is 503, or skipped", arguments: [(GroupPart.OnMemberError.fail, 503), (.skip, 200)])
    func trouble(policy: GroupPart.OnMemberError, status: Int) async throws {
        let group = try await FileGroup(policy)
        for _ in 0..<9 { group.upstream.script(.fail(UpstreamError(.trouble(.timedOut), "no word"))) }
        try await group.site.running {
            _ = try await group.ask(.put, "other/a", "other")
            #expect(try await group.ask(.get, "all/a").status.code == status)
        }
    }
}
