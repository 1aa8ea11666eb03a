import FormatAPI
import FormatTestKit
import HTTPTypes
import Testing

@Suite struct RoutingTests {
    private func site() async throws -> TestSite {
        try await TestSite.make(DoorFormat(), site: NoSettings(), [.init("a"), .init("b")])
    }

    @Test(
        "an address leads to its repository, with the path within it and the root before it",
        arguments: [
            ("/repository/a/x/y", "a x|y /repository/a"), ("/repository/b/", "b  /repository/b"), ("/repository/b", "b  /repository/b"),
            ("/d/a/x", "a x /d/a"), ("/d/", "a,b"), ("/repository/%61/x%2Fy", "a x/y /repository/%61"),
        ])
    func found(_ target: String, _ answer: String) async throws {
        let response = try await self.site().send(TestRequest(.get, target))
        #expect(response.status == .ok)
        #expect(response.text == answer)
    }

    @Test(
        "what is nowhere is 404, in the format's words where the address shows the format",
        arguments: [("/d/none/x", true), ("/x", false), ("/repository/none/x", false), ("/", false), ("/repository", false)])
    func nowhere(_ target: String, _ known: Bool) async throws {
        let response = try await self.site().send(TestRequest(.get, target))
        #expect(response.status == .notFound)
        #expect(response.text.hasPrefix("door:") == known)
    }

    @Test("what a format cannot parse is rendered by it, under the repository's name")
    func unparsable() async throws {
        let response = try await self.site().send(TestRequest(.put, "/repository/a/x"))
        #expect(response.status == .badRequest)
        #expect(response.text == "door: only GET")
    }
}
