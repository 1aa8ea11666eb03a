import ArtifactModel
import Testing

@testable import Audit

@Suite("Who pulled") struct SearchTests {
    private static let digest = "sha256:" + String(repeating: "ab", count: 32)

    /// Subject, repository, digest, status, rule.
    private static func trail() throws -> ScriptedFiles {
        var trail = try StillTrail(ScriptedFiles(), policy { $0.segmentBytes = 600 })
        func event(
            _ kind: AuditEvent.Kind, _ who: String, _ repository: String, _ subject: String, _ digest: String = "", _ status: Int = 200, rule: String = ""
        ) {
            var event = AuditEvent(time: trail.clock.now, kind: kind)
            event.principal = who
            event.repository = repository
            event.subject = subject
            event.digest = digest
            event.status = status
            event.bytes = 7
            event.rule = rule
            trail.intake.record(event)
        }
        event(.pull, "ann", "local", "team/app:1.0", Self.digest)
        event(.pull, "bob", "local", "team/app@\(Self.digest)", Self.digest, 304)
        event(.pull, "cat", "hub", "team/app:2.0", "sha256:00")
        event(.push, "dan", "local", "team/app:1.0", Self.digest)
        event(.pull, "eve", "local", "team/app:1.0", "", 403, rule: "grant")
        event(.pull, "fay", "local", "team/app:1.0", "", 404)
        event(.pull, "gus", "local", "team/application:1.0", "sha256:01")
        event(.pull, "hal", "files", "tools/a \"b\"\n.zip", "sha256:02")
        event(.pull, "ida", "local", "other/team/app", "sha256:03", 401)
        event(.read, "joe", "local", "team/app")
        event(.pull, "kim", "local", "team/app@\(Self.digest)", "", 404, rule: "grant")
        event(.pull, "lea", "local", "team/app@\(Self.digest)", "", 404)
        trail.turn()
        return trail.files
    }

    @Test(
        "what has a digest or a name, whole or up to a separator, and nothing else",
        arguments: [
            (digest, ["ann", "bob", "kim!"]), ("team/app", ["ann", "bob", "cat", "eve!", "kim!"]), ("team/app:1.0", ["ann", "eve!"]), ("team/app:1", []),
            ("local/team/app", ["ann", "bob", "eve!", "kim!"]), ("hub/team/app:2.0", ["cat"]),
            ("local", ["ann", "bob", "eve!", "gus", "ida!", "kim!"]), ("team", ["ann", "bob", "cat", "eve!", "gus", "kim!"]), ("app", []),
            ("tools/a \"b\"\n.zip", ["hal"]), ("files/tools", ["hal"]), ("team/", []),
            ("sha256:abab", []), ("", []), ("/", []),
        ] as [(String, [String])])
    func found(_ wanted: String, _ who: [String]) throws {
        let pulls = try AuditSearch(try Self.trail()).whoPulled(wanted, limit: 100)
        #expect(pulls.pulls.map { $0.principal + ($0.isRefused ? "!" : "") } == who && pulls.count == who.count)
    }

    @Test("says when, who, what and how much")
    func members() throws {
        let pull = try #require(try AuditSearch(try Self.trail()).whoPulled("hub/team/app", limit: 1).pulls.first)
        #expect(pull.time == "2026-11-27T12:00:00.000Z" && pull.repository == "hub" && pull.subject == "team/app:2.0" && pull.digest == "sha256:00")
        #expect(pull.status == 200 && pull.bytes == 7 && !pull.isRefused && !pull.isCut)
    }

    @Test("keeps the last ones of too many, and counts them all")
    func limit() throws {
        var trail = try StillTrail(ScriptedFiles())
        for index in 0..<3000 { trail.record("app:\(index)") }
        trail.turn()
        let pulls = try AuditSearch(trail.files).whoPulled("app", limit: 3)
        #expect(pulls.count == 3000 && pulls.pulls.map(\.subject) == ["app:2997", "app:2998", "app:2999"])
    }

    @Test("passes over lines that somebody spoilt, and stops when nobody waits")
    func spoilt() throws {
        let files = try Self.trail()
        let spoilt = "{\"time\":\"2026-11-27T12:00:00.000Z\",\"kind\":\"pull\" team/app\n\u{0}\n"
        files.change { $0.contents["2026-11-27.jsonl"]?.append(contentsOf: Array(spoilt.utf8)) }
        #expect(try AuditSearch(files).whoPulled("team/app", limit: 9).count == 5)
        #expect(throws: CancellationError.self) { try AuditSearch(files).whoPulled("x", limit: 9, isCancelled: { true }) }
    }
}
