import ArtifactModel
import Testing

@testable import Audit

@Suite("Segments") struct SegmentTests {
    @Test("are in the order of their days, then of their numbers")
    func order() {
        let names = ["2026-11-27.10.jsonl", "2026-11-27.jsonl", "2026-11-28.jsonl", "2026-11-27.2.jsonl", "2025-12-31.jsonl"]
        #expect(
            names.compactMap(AuditSegment.init(name:)).sorted().map(\.name)
                == ["2025-12-31.jsonl", "2026-11-27.jsonl", "2026-11-27.2.jsonl", "2026-11-27.10.jsonl", "2026-11-28.jsonl"])
    }

    @Test(
        "are files of one form of name, and no others",
        arguments: [
            "2026-11-27", "2026-11-27.json", "2026-11-27.0.jsonl", "2026-11-27.01.jsonl", "2026-11-27.x.jsonl", "x.jsonl", "2026-1-27.jsonl",
            "2026-11-27.1.2.jsonl", "2026-11-27.jsonl.gz",
        ])
    func others(_ name: String) { #expect(AuditSegment(name: name) == nil) }

    @Test("begin anew with a day, and not before something happens")
    func days() throws {
        var trail = try StillTrail(ScriptedFiles())
        #expect(trail.files.sorted == [])
        trail.record("a")
        trail.turn()
        trail.clock.advance(by: .seconds(86400))
        trail.turn(after: .seconds(1))
        #expect(trail.files.sorted == ["2026-11-27.jsonl"])
        trail.record("b")
        trail.turn()
        #expect(trail.files.sorted == ["2026-11-27.jsonl", "2026-11-28.jsonl"])
        #expect(trail.files.lines("2026-11-28.jsonl").first?.contains(#""kind":"segment","version":1,"after":"2026-11-27.jsonl","seq":3,"#) == true)
    }

    @Test("begin anew when they have grown to their bound")
    func sizes() throws {
        var trail = try StillTrail(ScriptedFiles(), policy { $0.segmentBytes = 500 })
        for index in 0..<8 { trail.record("s\(index)") }
        trail.turn()
        #expect(trail.files.sorted == ["2026-11-27.1.jsonl", "2026-11-27.2.jsonl", "2026-11-27.jsonl"])
        #expect(trail.files.subjects == (0..<8).map { "s\($0)" })
        #expect(try trail.files.report().isSound)
        // The line that passes the bound is the last one.
        for name in ["2026-11-27.jsonl", "2026-11-27.1.jsonl"] {
            let lines = trail.files.lines(name)
            #expect(lines.dropLast().reduce(0) { $0 + $1.utf8.count + 1 } < 500 && lines.reduce(0) { $0 + $1.utf8.count + 1 } >= 500)
        }
    }

    @Test("do not go back where the clock does")
    func clockBack() throws {
        var trail = try StillTrail(ScriptedFiles(), policy { $0.segmentBytes = 1 })
        trail.record("a")
        trail.turn()
        trail.clock.advance(by: .seconds(-3 * 86400))
        trail.record("b")
        trail.turn()
        #expect(trail.files.sorted == ["2026-11-27.1.jsonl", "2026-11-27.jsonl"] && trail.files.subjects == ["a", "b"])
    }

    @Test("are synced before the next one begins, and the next one's name too")
    func syncedBefore() throws {
        var trail = try StillTrail(ScriptedFiles())
        trail.record("a")
        trail.turn()
        trail.clock.advance(by: .seconds(86400))
        trail.record("b")
        trail.turn()
        #expect(trail.files.now.calls == [.open, .syncFolder, .write, .sync, .open, .syncFolder, .write])
    }

    @Test(
        "are synced as the policy says",
        arguments: [
            (.always, [.open, .syncFolder, .write, .sync, .write, .sync]), (.every(.seconds(5)), [.open, .syncFolder, .write, .write]),
            (.every(.milliseconds(10)), [.open, .syncFolder, .write, .write, .sync]), (.never, [.open, .write, .write]),
        ] as [(AuditPolicy.Sync, [ScriptedFiles.Call])])
    func synced(_ sync: AuditPolicy.Sync, _ calls: [ScriptedFiles.Call]) throws {
        var trail = try StillTrail(ScriptedFiles(), policy { $0.sync = sync })
        trail.record("a")
        trail.turn()
        trail.record("b", "c")
        trail.turn(after: .seconds(1))
        #expect(trail.files.now.calls == calls)
        #expect(trail.durable?.seq == (sync == .every(.seconds(5)) ? 0 : 4))
    }
}

@Suite("Retention") struct RetentionTests {
    private static let days = policy { $0.retention = .seconds(2 * 86400) }

    /// One segment on each of so many days.
    private func trail(_ days: Int, _ policy: AuditPolicy) throws -> StillTrail {
        var trail = try StillTrail(ScriptedFiles(), policy)
        for day in 0..<days {
            if day > 0 { trail.clock.advance(by: .seconds(86400)) }
            trail.record("d\(day)")
            trail.turn(after: .seconds(1))
        }
        return trail
    }

    @Test("removes whole segments whose last moment is older, after the mark is set, and the rest is sound")
    func removes() async throws {
        var trail = try self.trail(5, Self.days)
        let expired = try #require(trail.intake.marks.expired)
        #expect(expired.names == ["2026-11-27.jsonl", "2026-11-28.jsonl"] && expired.mark == "5 2026-11-29.jsonl")
        trail.turn(after: .seconds(1))
        #expect(trail.files.sorted.count == 5)
        trail.intake.approve(expired)
        trail.turn(after: .seconds(1))
        #expect(trail.files.sorted == ["2026-11-29.jsonl", "2026-11-30.jsonl", "2026-12-01.jsonl"])
        let ledger = MemoryLedger()
        try await ledger.setMarker("audit.first", expired.mark)
        #expect(try await AuditVerifier(trail.files).verify(ledger: ledger, on: InPlace()) { _ in }.isSound)
        trail.files.change { $0.contents["2026-11-29.jsonl"] = nil }
        let report = try await AuditVerifier(trail.files).verify(ledger: ledger, on: InPlace()) { _ in }
        #expect(report.findings.map(\.message) == ["missing at the beginning: seq 5 to 6, the last of them in 2026-11-29.jsonl"])
    }

    @Test("tries again what could not be removed, before another segment begins, and says so once")
    func triesAgain() throws {
        var trail = try self.trail(5, Self.days)
        trail.files.change { $0.broken = [.remove] }
        for round in 1...3 {
            trail.intake.approve(try #require(trail.intake.marks.expired, "round \(round)"))
            trail.turn(after: .seconds(1))
        }
        #expect(trail.files.sorted.count == 5 && trail.log.lines == ["warning old audit segments could not be removed"])
        trail.files.change { $0.broken = [] }
        trail.intake.approve(try #require(trail.intake.marks.expired))
        trail.turn(after: .seconds(1))
        #expect(trail.files.sorted.count == 3 && trail.intake.marks.expired == nil)
    }

    @Test("never removes the last segment, and keeps all where it is unlimited")
    func keeps() throws {
        let old = try self.trail(1, .init()).files
        var later = try StillTrail(old, Self.days, clock: HandClock(1_795_780_800_000 + 900 * 86_400_000))
        later.turn()
        #expect(later.intake.marks.expired == nil)
        #expect(try self.trail(5, policy { $0.retention = nil }).intake.marks.expired == nil)
    }

    @Test("looks at the start, too")
    func atStart() throws {
        let old = try self.trail(4, policy { $0.retention = nil }).files
        var later = try StillTrail(old, Self.days, clock: HandClock(1_795_780_800_000 + 900 * 86_400_000))
        later.turn()
        #expect(later.intake.marks.expired?.names == ["2026-11-27.jsonl", "2026-11-28.jsonl", "2026-11-29.jsonl"])
        #expect(later.intake.marks.expired?.mark == "7 2026-11-30.jsonl")
    }
}
