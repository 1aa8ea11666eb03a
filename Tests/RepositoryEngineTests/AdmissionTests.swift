import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import Synchronization
import Testing

@testable import RepositoryEngine

@Suite("Admission by principal")
struct AdmissionTests {
    /// Notes who is asked about, and lets nobody of these names in.
    private final class Door: RequestAdmission {
        private let closedTo: String
        private let seen = Mutex<[String]>([])
        init(closedTo name: String) { self.closedTo = name }
        var names: [String] { self.seen.withLock { $0 } }

        func admit(principal: String) throws(FormatError) {
            self.seen.withLock { $0.append(principal) }
            if principal == self.closedTo { throw FormatError(.throttled, "too many", retryAfter: .seconds(7)) }
        }
    }

    private static func send(_ person: String, _ target: String, door: Door) async throws -> TestResponse {
        let cast = try Cast("r", path: "a")
        let site = try await TestSite.make(DoorFormat(), site: NoSettings(), [.init("r")], authorizer: cast.authorizer, gate: cast.gate)
        var request = TestRequest(.get, target)
        request.credentials = Cast.credentials(of: person)
        request.admission = door
        return try await site.send(request)
    }

    @Test(
        "who sends too many is told so in the format's words, with a time to come again, at a repository and at a door",
        arguments: ["/repository/r/a", "/d/r/a", "/d/"])
    func refused(target: String) async throws {
        let door = Door(closedTo: "reader")
        let answer = try await Self.send("reader", target, door: door)
        #expect(answer.text == "door: too many" && answer.headers[.retryAfter] == "7" && door.names == ["reader"])
    }

    @Test("others are let in, and whoever brings wrong credentials is not asked about")
    func others() async throws {
        let door = Door(closedTo: "reader")
        #expect(try await Self.send("writer", "/repository/r/a", door: door).status == .ok)
        _ = try await Self.send("wrong", "/repository/r/a", door: door)
        _ = try await Self.send("none", "/repository/r/a", door: door)
        #expect(door.names == ["writer", ""])
    }
}
