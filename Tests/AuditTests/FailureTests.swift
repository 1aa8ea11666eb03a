import ArtifactModel
import Testing

@testable import Audit

@Suite("A trail that cannot be written") struct FailureTests {
    private static let always = policy { $0.sync = .always }
    private static let refusing = policy {
        $0.sync = .always
        $0.onFailure = .refuse
    }
    private static let words = "the audit trail cannot be written: No space left on device; free space, or set audit.onFailure to continue"

    @Test("goes on where it may, counts what it lost, and says so in the chain when it can")
    func goesOn() throws {
        var trail = try StillTrail(ScriptedFiles(), Self.always)
        trail.record("a")
        trail.turn()
        trail.files.change { $0.room = 0 }
        trail.record("b", "c")
        trail.turn()
        #expect(trail.intake.refusal == nil && trail.intake.figures.isFailing && trail.intake.figures.lost == 2)
        #expect(trail.log.lines == ["error the audit trail cannot be written"])
        trail.clock.advance(by: .seconds(2))
        trail.record("d")
        trail.turn(after: .milliseconds(999))
        #expect(trail.intake.figures.waiting == 1)
        trail.turn(after: .milliseconds(1))
        #expect(trail.intake.figures.lost == 3)
        trail.files.change { $0.room = nil }
        trail.record("e")
        trail.turn(after: .seconds(1))
        #expect(trail.files.subjects == ["a", "3 events were not recorded, from 2026-11-27T12:00:00.000Z on", "e"])
        #expect(try trail.files.report().isSound && !trail.intake.figures.isFailing && trail.intake.figures.written == 3)
        #expect(trail.log.lines == ["error the audit trail cannot be written", "notice the audit trail is written again"])
    }

    @Test("tries again each second even where nothing more happens")
    func triesAgain() throws {
        var trail = try StillTrail(ScriptedFiles(), Self.always)
        #expect(trail.patience == nil)
        trail.files.change { $0.room = 0 }
        trail.record("a")
        trail.turn()
        #expect(trail.patience == .seconds(1))
        trail.files.change { $0.room = nil }
        trail.turn(after: .seconds(1))
        #expect(trail.patience == nil && !trail.intake.figures.isFailing)
        #expect(trail.files.subjects == ["1 events were not recorded, from 2026-11-27T12:00:00.000Z on"])
    }

    @Test("refuses where it must, without naming a path, keeps what waits, and loses nothing")
    func refuses() throws {
        var trail = try StillTrail(ScriptedFiles(), Self.refusing)
        trail.files.change { $0.room = 0 }
        trail.record("a")
        #expect(trail.intake.refusal == nil)
        trail.turn()
        #expect(trail.intake.refusal == Self.words)
        trail.record("b")
        trail.turn(after: .seconds(1))
        #expect(trail.intake.refusal == Self.words && trail.intake.figures.waiting == 2 && trail.intake.figures.lost == 0)
        trail.files.change { $0.room = nil }
        trail.turn(after: .seconds(1))
        #expect(trail.intake.refusal == nil && trail.files.subjects == ["a", "b"])
        #expect(try trail.files.report().isSound)
    }

    @Test("because its file was taken away loses no event, goes on in another file, and says so", arguments: AuditPolicy.FailureChoice.allCases)
    func taken(_ choice: AuditPolicy.FailureChoice) throws {
        var trail = try StillTrail(ScriptedFiles(), policy { $0.onFailure = choice })
        trail.record("a")
        trail.turn()
        trail.files.change { $0.contents = ["elsewhere": $0.contents["2026-11-27.jsonl"] ?? []] }
        trail.record("b")
        trail.turn()
        // The line that begins the file is one of those that are gone.
        #expect(trail.intake.figures.isFailing && trail.intake.figures.lost == 2 && (trail.intake.refusal != nil) == (choice == .refuse))
        #expect(trail.log.lines == ["error the audit trail cannot be written"])
        trail.record("c")
        trail.turn(after: .seconds(1))
        let said = "2026-11-27.jsonl was moved or removed while it was written; the lines up to 2 were in it"
        #expect(trail.files.subjects == [said, "b", "c"] && trail.files.sorted == ["2026-11-27.1.jsonl", "elsewhere"])
        #expect(!trail.intake.figures.isFailing && trail.intake.refusal == nil)
        #expect(try trail.files.report().firstSeq == 3)
        trail.files.change { $0.contents["2026-11-27.jsonl"] = $0.contents["elsewhere"] }
        #expect(try trail.files.report().isSound)
    }

    @Test("keeps no more than a bound of events, and says what it could not keep", arguments: [AuditPolicy.FailureChoice.continue, .refuse])
    func bound(_ choice: AuditPolicy.FailureChoice) throws {
        var trail = try StillTrail(ScriptedFiles(), policy { $0.onFailure = choice })
        for _ in 0..<(IntakeState.mostEvents + 10) { trail.intake.record(.pull("x")) }
        let full = trail.intake.figures
        #expect(full.waiting == IntakeState.mostEvents && full.lost == 10 && full.isFailing)
        #expect((trail.intake.refusal != nil) == (choice == .refuse))
        trail.turn()
        #expect(trail.intake.refusal == nil && trail.intake.figures.written == Int64(IntakeState.mostEvents) + 1)
        #expect(trail.files.subjects.first == "10 events were not recorded, from 2026-11-27T12:00:00.000Z on")
        trail.intake.record(.pull(String(repeating: "x", count: IntakeState.mostBytes + 1)))
        #expect(trail.intake.figures.lost == 11 && trail.intake.figures.waiting == 0)
    }

    @Test("says it in the log at once, every minute, and when the reason is another one")
    func reminders() throws {
        var trail = try StillTrail(ScriptedFiles(), Self.refusing)
        trail.files.change { $0.room = 0 }
        trail.record("a")
        for _ in 0..<61 { trail.turn(after: .seconds(1)) }
        #expect(trail.log.lines.count == 2)
        trail.files.change { $0.broken = [.open, .write] }
        trail.turn(after: .seconds(1))
        #expect(trail.log.lines.count == 3)
    }

    @Test("leaves no torn line where a write was short, and none behind it", arguments: [1, 150, 400])
    func shortWrite(_ room: Int) throws {
        var trail = try StillTrail(ScriptedFiles(), Self.refusing)
        trail.record("a")
        trail.turn()
        let before = trail.files.now.contents
        trail.files.change { $0.room = room }
        trail.record("b", "c", "d")
        trail.turn()
        #expect(trail.files.now.contents == before)
        trail.files.change { $0.room = nil }
        trail.turn(after: .seconds(1))
        #expect(try trail.files.report().isSound && trail.files.subjects == ["a", "b", "c", "d"])
    }

    @Test("cuts what it could not cut at once before it writes again")
    func cutLater() throws {
        var trail = try StillTrail(ScriptedFiles(), Self.refusing)
        trail.record("a")
        trail.turn()
        trail.files.change {
            $0.room = 50
            $0.broken = [.truncate]
        }
        trail.record("b")
        trail.turn()
        #expect(try trail.files.report().findings.map(\.kind) == [.torn])
        trail.files.change { $0.room = nil }
        trail.turn(after: .seconds(1))
        #expect(trail.files.subjects == ["a"] && trail.intake.figures.isFailing)
        trail.files.change { $0.broken = [] }
        trail.turn(after: .seconds(1))
        #expect(try trail.files.report().isSound && trail.files.subjects == ["a", "b"])
    }

    @Test("whose sync fails after each write takes the write for failed")
    func syncAlways() throws {
        var trail = try StillTrail(ScriptedFiles(), Self.refusing)
        trail.files.change { $0.broken = [.sync] }
        trail.record("a")
        trail.turn()
        #expect(trail.files.subjects == [] && trail.intake.refusal != nil)
        trail.files.change { $0.broken = [] }
        trail.turn(after: .seconds(1))
        #expect(trail.files.subjects == ["a"] && trail.intake.refusal == nil)
        #expect(try trail.files.report().isSound)
    }

    @Test("whose sync fails later says which lines may not be on the disk")
    func syncLater() throws {
        var trail = try StillTrail(ScriptedFiles(), policy { $0.onFailure = .refuse })
        trail.record("a")
        trail.turn()
        #expect(trail.patience == .seconds(1) && trail.durable == .start)
        trail.files.change { $0.broken = [.sync] }
        trail.turn(after: .seconds(1))
        #expect(trail.intake.refusal != nil && trail.patience == .seconds(1) && trail.durable == .start)
        trail.files.change { $0.broken = [] }
        trail.turn(after: .seconds(1))
        trail.turn(after: .seconds(1))
        #expect(trail.intake.refusal == nil && trail.durable?.seq == 3)
        #expect(trail.files.subjects == ["a", "lines up to 2 may not have reached the disk: Input/output error"])
    }

    @Test("loses nothing that it does not count, and stays a chain, whichever call fails", arguments: 1...24, AuditPolicy.FailureChoice.allCases)
    func everyCall(_ call: Int, _ choice: AuditPolicy.FailureChoice) throws {
        let files = ScriptedFiles()
        files.change { $0.failingCall = call }
        let settings = policy {
            $0.onFailure = choice
            $0.segmentBytes = 400
            $0.sync = call.isMultiple(of: 2) ? .always : .every(.seconds(1))
        }
        var trail = try StillTrail(files, settings)
        let subjects = (0..<12).map { "s\($0)" }
        for subject in subjects {
            trail.record(subject)
            trail.turn(after: .seconds(1))
        }
        for _ in 0..<3 { trail.turn(after: .seconds(1)) }
        #expect(files.now.calls.count >= 24 && trail.log.lines.first?.hasPrefix("error") == true)
        #expect(try files.report().isSound)
        let kept = files.subjects.filter { $0.hasPrefix("s") }
        #expect(kept.count + Int(trail.intake.figures.lost) == subjects.count && kept == subjects.filter(kept.contains))
        #expect(files.subjects.contains { $0.contains("not recorded") } == (trail.intake.figures.lost > 0))
        if choice == .refuse { #expect(kept == subjects) }
    }
}
