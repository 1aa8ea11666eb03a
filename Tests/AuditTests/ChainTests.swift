import ArtifactModel
import Testing

@testable import Audit

/// Ten lines in two segments: 1 to 6, of which the first begins it, and 7 to 10.
@Suite("A chain") struct ChainTests {
    private static let names = ["2026-11-27.jsonl", "2026-11-28.jsonl"]

    private static func trail() throws -> (ScriptedFiles, ChainEnd) {
        let files = ScriptedFiles()
        var trail = try StillTrail(files, policy { $0.sync = .always })
        trail.record("a", "b", "c", "d", "e")
        trail.turn()
        trail.clock.advance(by: .seconds(86400))
        trail.record("f", "g", "h")
        trail.turn()
        return (files, try #require(trail.durable))
    }

    @Test("that nobody touched is sound, through all segments")
    func sound() throws {
        let (files, _) = try Self.trail()
        #expect(files.sorted == Self.names && files.subjects == ["a", "b", "c", "d", "e", "f", "g", "h"])
        let report = try files.report()
        #expect(report.isSound && report.segments == 2 && report.lines == 10 && report.firstSeq == 1 && report.lastSeq == 10)
        #expect(report.firstTime == "2026-11-27T12:00:00.000Z" && report.lastTime == "2026-11-28T12:00:00.000Z")
    }

    struct Damage: Sendable, CustomTestStringConvertible {
        var testDescription: String
        /// On the lines of both segments; a segment may lose all its lines, which removes it.
        var damage: @Sendable (inout [[String]]) -> Void
        /// `kind segment:line×count seq`.
        var found: [String]
        init(_ what: String, _ found: [String], _ damage: @escaping @Sendable (inout [[String]]) -> Void) {
            self.testDescription = what
            self.damage = damage
            self.found = found
        }
    }

    private static let damages: [Damage] = [
        Damage("a changed text", ["changed 0:3×1 3"]) { $0[0][2].replace("\"b\"", with: "\"x\"") },
        Damage("a changed first line", ["changed 0:1×1 1"]) { $0[0][0].replace("version\":1", with: "version\":2") },
        Damage("a changed last line", ["changed 1:4×1 10"]) { $0[1][3].replace("\"h\"", with: "\"x\"") },
        Damage("a changed last line of a segment", ["changed 0:6×1 6"]) { $0[0][5].replace("\"e\"", with: "\"x\"") },
        Damage("a changed beginning of a segment", ["changed 1:1×1 7"]) { $0[1][0].replace("after", with: "afer") },
        Damage("a changed number", ["changed 0:3×1 3"]) { $0[0][2].replace("\"seq\":3", with: "\"seq\":300") },
        Damage("a number as large as any", ["changed 0:3×1 3"]) { $0[0][2].replace("\"seq\":3", with: "\"seq\":9223372036854775807") },
        Damage("a last number as large as any", ["changed 1:4×1 10"]) { $0[1][3].replace("\"seq\":10", with: "\"seq\":9223372036854775807") },
        Damage("a number of more digits than a number has", ["changed 0:3×1 3"]) { $0[0][2].replace("\"seq\":3", with: "\"seq\":1000000000000000") },
        Damage("the largest number", ["changed 0:3×1 3"]) { $0[0][2].replace("\"seq\":3", with: "\"seq\":999999999999999") },
        Damage("a hash that is none", ["changed 0:4×1 4"]) { $0[0][3].replace(#/"prev":"./#, with: "\"prev\":\"g") },
        Damage("another hash: the line before it has no witness any more", ["changed 0:3×2 3"]) {
            $0[0][3].replace(#/"prev":".{64}/#, with: "\"prev\":\"\(String(repeating: "a", count: 64))")
        },
        Damage("a line that is no line", ["changed 0:3×1 3"]) { $0[0][2] = "x" },
        Damage("an empty line in place of one", ["changed 0:3×1 3"]) { $0[0][2] = "" },
        Damage("two lines that are no lines", ["changed 0:3×2 3"]) {
            $0[0][2] = "x"
            $0[0][3] = "y"
        },
        Damage("a line longer than any", ["changed 0:3×1 3"]) { $0[0][2] = String(repeating: "x", count: 2 << 20) },
        Damage("a removed line", ["missing 0:3×1 3"]) { $0[0].remove(at: 2) },
        Damage("three removed lines", ["missing 0:3×3 3"]) { $0[0].removeSubrange(2..<5) },
        Damage("a removed first line", ["segmentMissing 0:1×1 -"]) { $0[0].remove(at: 0) },
        Damage("a removed last line of a segment", ["missing 1:1×1 6"]) { $0[0].remove(at: 5) },
        Damage("a removed beginning of a segment", ["missing 1:1×1 7"]) { $0[1].remove(at: 0) },
        Damage("a removed last line", ["endMissing 1:0×1 10"]) { $0[1].remove(at: 3) },
        Damage("a removed last segment", ["endMissing 0:0×4 7"]) { $0[1] = [] },
        Damage("a removed first segment", ["segmentMissing 1:1×1 -"]) { $0[0] = [] },
        Damage("a cut segment", ["missing 1:1×2 5"]) { $0[0].removeSubrange(4..<6) },
        Damage("an inserted line", ["inserted 0:3×1 -"]) { $0[0].insert("x", at: 2) },
        Damage("a line twice", ["inserted 0:4×1 3"]) { $0[0].insert($0[0][2], at: 3) },
        Damage("a line again later", ["inserted 0:6×1 3"]) { $0[0].insert($0[0][2], at: 5) },
        Damage("a line again in the next segment", ["inserted 1:3×1 3"]) { $0[1].insert($0[0][2], at: 2) },
        Damage("a block again later", ["inserted 1:2×3 2"]) { $0[1].insert(contentsOf: $0[0][1..<4], at: 1) },
        Damage("a made line that fits the one before it", ["inserted 0:4×1 4"]) { $0[0].insert(Self.forged(after: $0[0][2]), at: 3) },
        Damage("two neighbours swapped", ["reordered 0:3×1 4"]) { $0[0].swapAt(2, 3) },
        Damage("two last lines swapped", ["reordered 1:3×1 10"]) { $0[1].swapAt(2, 3) },
        Damage("two lines swapped over a distance", ["reordered 0:2×1 5", "reordered 0:5×1 2"]) { $0[0].swapAt(1, 4) },
        Damage("a line moved down", ["reordered 0:5×1 2"]) { $0[0].insert($0[0].remove(at: 1), at: 4) },
        Damage("a line moved up", ["reordered 0:2×1 5"]) { $0[0].insert($0[0].remove(at: 4), at: 1) },
        Damage("a block moved down", ["reordered 1:3×2 3"]) {
            $0[1].insert(contentsOf: $0[0][2..<4], at: 2)
            $0[0].removeSubrange(2..<4)
        },
        Damage("one removed and one changed elsewhere", ["missing 0:3×1 3", "changed 1:2×1 8"]) {
            $0[0].remove(at: 2)
            $0[1][1].replace("\"f\"", with: "\"x\"")
        },
    ]

    private static func forged(after line: String) -> String {
        var bytes: [UInt8] = []
        guard let end = Array(line.utf8).withUnsafeBytes({ ChainLine($0) })?.end else { return "" }
        var maker = LineMaker(after: end)
        maker.add(.pull("forged"), to: &bytes)
        return String(decoding: bytes.dropLast(), as: UTF8.self)
    }

    @Test("names what was done to it", arguments: Self.damages)
    func damaged(_ damage: Damage) async throws {
        let (files, mark) = try Self.trail()
        let ledger = MemoryLedger()
        try await ledger.setMarker("audit.head", mark.text)
        var segments = Self.names.map { files.lines($0) }
        damage.damage(&segments)
        files.change { state in
            for (name, lines) in zip(Self.names, segments) { state.contents[name] = lines.isEmpty ? nil : Array(lines.map { $0 + "\n" }.joined().utf8) }
        }
        let report = try await AuditVerifier(files).verify(ledger: ledger, on: InPlace()) { _ in }
        let found = report.findings.map { finding in
            "\(finding.kind) \(Self.names.firstIndex(of: finding.segment) ?? -1):\(finding.line)×\(finding.count) \(finding.seq.map { "\($0)" } ?? "-")"
        }
        #expect(found == damage.found && report.findingCount == found.count && report.isCompared)
    }

    @Test("whose middle segment is gone names it")
    func segmentGone() throws {
        let (files, _) = try Self.trail()
        var trail = try StillTrail(files, clock: HandClock(1_795_780_800_000 + 2 * 86_400_000))
        trail.record("i")
        trail.turn()
        files.change { $0.contents["2026-11-28.jsonl"] = nil }
        let report = try files.report()
        #expect(report.findings.map(\.kind) == [.segmentMissing] && report.findings.first?.seq == 7 && report.findings.first?.count == 4)
        #expect(report.findings.first?.message == "the segment 2026-11-28.jsonl is missing, with seq 7 to 10")
    }

    @Test("that was made anew from some line on does not end as the metadata remembers")
    func remade() async throws {
        let (files, mark) = try Self.trail()
        let ledger = MemoryLedger()
        try await ledger.setMarker("audit.head", mark.text)
        files.change { state in
            var (maker, bytes) = (LineMaker(after: ChainEnd(seq: 9, hash: .none)), [UInt8]())
            let lines = split(state.contents["2026-11-28.jsonl"] ?? [])
            if let end = Array(lines[2].utf8).withUnsafeBytes({ ChainLine($0) })?.end { maker.goBack(to: end) }
            maker.add(.pull("other"), to: &bytes)
            state.contents["2026-11-28.jsonl"] = Array((lines[..<3].joined(separator: "\n") + "\n").utf8) + bytes
        }
        #expect(try files.report().isSound)
        let report = try await AuditVerifier(files).verify(ledger: ledger, on: InPlace()) { _ in }
        #expect(report.findings.map(\.kind) == [.changed] && report.findings.first?.seq == 10)
    }

    @Test("whose last line is on its way is sound while somebody writes, and torn where nobody does", arguments: [true, false])
    func torn(_ isLive: Bool) throws {
        let (files, _) = try Self.trail()
        files.change { $0.contents["2026-11-28.jsonl"]?.append(contentsOf: Array("{\"time".utf8)) }
        let report = try files.report(.init(isLive: isLive))
        #expect(report.findings.map(\.kind) == (isLive ? [] : [.torn]) && report.lastSeq == 10)
    }

    @Test("that lost the newline within is torn there, and goes on behind it")
    func newlineGone() throws {
        let (files, _) = try Self.trail()
        files.change { _ = $0.contents["2026-11-27.jsonl"]?.popLast() }
        #expect(try files.report().findings.map(\.kind) == [.torn])
    }

    @Test("whose gap is as large as a number allows is checked as quickly as any", .timeLimit(.minutes(1)))
    func largestGap() throws {
        func forged(_ seq: Int64) -> [UInt8] {
            var (maker, bytes) = (LineMaker(after: ChainEnd(seq: seq, hash: .none)), [UInt8]())
            for name in ["x", "y"] { maker.add(.pull(name), to: &bytes) }
            return bytes
        }
        let (files, _) = try Self.trail()
        files.change { $0.contents["2026-11-29.jsonl"] = forged(999_999_999_999_990) + forged(999_999_999_999_980) }
        let report = try files.report()
        #expect(report.findings.map(\.kind).contains(.missing) && report.findings.map(\.kind).contains(.reordered))
    }

    @Test("with no end of damages has a bounded report")
    func bounded() throws {
        let (files, _) = try Self.trail()
        files.change { $0.contents["2026-11-29.jsonl"] = Array(repeating: Array("x\n\n{}\n".utf8), count: 5000).flatMap { $0 } }
        let report = try files.report()
        #expect(!report.isSound && report.findings.count <= AuditReport.mostFindings && report.lines == 15010)
    }

    @Test("stops being read when nobody waits for it")
    func cancelled() throws {
        let (files, _) = try Self.trail()
        #expect(throws: CancellationError.self) { try AuditVerifier(files).verify(isCancelled: { true }) }
    }
}

private func split(_ bytes: [UInt8]) -> [String] { bytes.split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) } }

/// Runs on the caller's thread.
struct InPlace: BlockingPool {
    func run<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws -> T { try work() }
}
