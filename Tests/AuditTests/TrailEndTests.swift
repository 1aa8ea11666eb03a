import ArtifactModel
import Testing

@testable import Audit

@Suite("A trail that is opened again") struct TrailEndTests {
    private static let name = "2026-11-27.jsonl"

    private func trail(_ subjects: [String] = ["a", "b"]) throws -> (ScriptedFiles, ChainEnd) {
        var trail = try StillTrail(ScriptedFiles(), policy { $0.sync = .always })
        for subject in subjects { trail.record(subject) }
        trail.turn()
        return (trail.files, try #require(trail.durable))
    }

    private func goOn(_ files: ScriptedFiles, mark: ChainEnd? = nil) throws -> StillTrail {
        var trail = try StillTrail(files, mark: mark)
        trail.record("z")
        trail.turn()
        return trail
    }

    @Test("goes on in its last segment, with the next number")
    func goesOn() throws {
        let (files, mark) = try self.trail()
        _ = try self.goOn(files, mark: mark)
        #expect(files.sorted == [Self.name] && files.subjects == ["a", "b", "z"])
        #expect(try files.report().isSound && files.report().lastSeq == 4)
    }

    @Test("cuts off a torn line, and says so in the trail", arguments: ["{\"time\":", "x", String(repeating: "\u{0}", count: 300_000)])
    func torn(_ rest: String) throws {
        let (files, mark) = try self.trail()
        files.change { $0.contents[Self.name]?.append(contentsOf: Array(rest.utf8)) }
        _ = try self.goOn(files, mark: mark)
        #expect(files.subjects == ["a", "b", "\(rest.utf8.count) bytes of a line that was not finished were cut off the end of \(Self.name)", "z"])
        #expect(files.lines().contains { $0.contains(#""kind":"administration","operation":"audit.torn""#) })
        #expect(try files.report().isSound)
    }

    @Test("whose process died at any byte goes on as a whole chain")
    func anyByte() throws {
        let whole = try self.trail(["a", "b", "c"]).0.now.contents[Self.name] ?? []
        for length in 0...whole.count {
            let files = ScriptedFiles([Self.name: Array(whole.prefix(length))])
            _ = try self.goOn(files)
            let report = try files.report()
            #expect(report.isSound && report.firstSeq == 1 && files.subjects.last == "z", "cut at \(length)")
        }
    }

    @Test("whose last segment was begun and got nothing goes on in it")
    func emptySegment() throws {
        let (files, mark) = try self.trail()
        for rest in ["", "{\"ti"] {
            files.change { $0.contents["2026-11-28.jsonl"] = Array(rest.utf8) }
            #expect(try TrailEnd.find(files, mark: mark).chain == mark)
        }
        _ = try self.goOn(files, mark: mark)
        #expect(files.lines("2026-11-28.jsonl").first?.contains(#""after":"2026-11-27.jsonl","seq":4"#) == true)
        #expect(try files.report().isSound)
    }

    @Test("after lines were cut off its end leaves the gap to be seen, and says so")
    func gap() throws {
        let (files, mark) = try self.trail()
        let kept = files.lines().dropLast().map { $0 + "\n" }.joined()
        files.change { $0.contents[Self.name] = Array(kept.utf8) }
        let trail = try self.goOn(files, mark: mark)
        #expect(files.subjects == ["a", "lines 3 to 3 were written, and are missing", "z"] && trail.intake.figures.written == 2)
        let report = try files.report()
        #expect(report.findings.map(\.kind) == [.missing] && report.findings.first?.seq == 3)
    }

    @Test("after its folder was emptied does not begin as if there had been nothing")
    func emptied() async throws {
        let (_, mark) = try self.trail()
        let files = ScriptedFiles()
        _ = try self.goOn(files, mark: mark)
        #expect(files.subjects == ["lines 1 to 3 were written, and are missing", "z"])
        let report = try await AuditVerifier(files).verify(ledger: MemoryLedger(), on: InPlace()) { _ in }
        #expect(report.findings.map(\.kind) == [.segmentMissing] && report.firstSeq == 4)
    }

    @Test("after its last line was changed leaves that to be seen")
    func lastChanged() throws {
        let (files, mark) = try self.trail()
        files.change { state in
            state.contents[Self.name] = Array(String(decoding: state.contents[Self.name] ?? [], as: UTF8.self).replacing("\"b\"", with: "\"x\"").utf8)
        }
        _ = try self.goOn(files, mark: mark)
        #expect(files.subjects == ["a", "x", "line 3 is not the one that was written", "z"])
        #expect(try files.report().findings.map { "\($0.kind) \($0.line)" } == ["changed 3"])
    }

    @Test("after its last lines became something else goes on with the numbers behind them")
    func spoilt() throws {
        let (files, _) = try self.trail()
        files.change { $0.contents[Self.name]?.append(contentsOf: Array("x\ny\n".utf8)) }
        _ = try self.goOn(files)
        let report = try files.report()
        #expect(report.findings.map { "\($0.kind) \($0.line)×\($0.count)" } == ["changed 4×2"] && report.lastSeq == 6)
    }

    @Test("after its last number became as large as any goes on with the one that it was", arguments: ["9223372036854775807", "1000000000000000"])
    func largestNumber(_ number: String) throws {
        let (files, mark) = try self.trail()
        files.change { state in
            let text = String(decoding: state.contents[Self.name] ?? [], as: UTF8.self)
            state.contents[Self.name] = Array(text.replacing("\"seq\":3", with: "\"seq\":\(number)").utf8)
        }
        _ = try self.goOn(files, mark: mark)
        #expect(files.subjects == ["a", "b", "line 3 is not the one that was written", "z"])
        #expect(ChainEnd(mark.text.replacing("3 ", with: "\(number) ")) == nil)
    }

    @Test("after a restored metadata, whose mark is older, goes on as if nothing was")
    func olderMark() throws {
        let (files, mark) = try self.trail()
        _ = try self.goOn(files, mark: mark)
        _ = try self.goOn(files, mark: mark)
        #expect(files.subjects == ["a", "b", "z", "z"])
        #expect(try files.report().isSound)
    }
}
