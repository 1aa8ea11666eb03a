import TestDice
import Testing

@testable import Audit

@Suite("Whatever is done to a chain") struct ChainFuzzTests {
    private static func trail() throws -> (ScriptedFiles, ChainEnd) {
        var trail = try StillTrail(
            ScriptedFiles(),
            policy {
                $0.sync = .always
                $0.segmentBytes = 900
            })
        for index in 0..<20 { trail.record("s\(index)") }
        trail.turn()
        return (trail.files, try #require(trail.durable))
    }

    /// One thing that a hand or a disk may do.
    private static func damage(_ contents: inout [String: [UInt8]], _ dice: inout Dice) {
        guard let name = contents.keys.sorted().randomElement(using: &dice), var bytes = contents[name], !bytes.isEmpty else { return }
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false).map { Array($0) }
        let (at, to) = (Int.random(in: 0..<lines.count, using: &dice), Int.random(in: 0..<lines.count, using: &dice))
        switch Int.random(in: 0..<8, using: &dice) {
        case 0: lines.swapAt(at, to)
        case 1: lines.remove(at: at)
        case 2: lines.insert(lines[at], at: to)
        case 3: lines.insert(Array("x".utf8), at: at)
        case 4: lines.insert(lines.remove(at: at), at: min(to, lines.count))
        case 5:
            bytes[Int.random(in: bytes.indices, using: &dice)] ^= 1 << UInt8.random(in: 0..<8, using: &dice)
            contents[name] = bytes
            return
        case 6:
            contents[name] = Array(bytes.prefix(Int.random(in: bytes.indices, using: &dice)))
            return
        default:
            contents[name] = nil
            return
        }
        contents[name] = Array(lines.joined(separator: [UInt8(ascii: "\n")]))
    }

    @Test("something is found wherever a byte is not as it was, and nothing where all are", arguments: UInt64(0)..<400)
    func fuzz(_ seed: UInt64) async throws {
        let (files, mark) = try Self.trail()
        let ledger = MemoryLedger()
        try await ledger.setMarker("audit.head", mark.text)
        let before = files.now.contents
        var (after, dice) = (before, Dice(state: seed))
        for _ in 0..<Int.random(in: 1...4, using: &dice) { Self.damage(&after, &dice) }
        let damaged = after
        files.change { $0.contents = damaged }
        let report = try await AuditVerifier(files).verify(ledger: ledger, on: InPlace()) { _ in }
        // An empty file holds no line, and none is missing from it.
        #expect(report.isSound == (damaged.filter { !$0.value.isEmpty } == before))
        #expect(report.isSound == report.findings.isEmpty)
    }

    @Test("a trail goes on behind it, and what was found before is found after", arguments: UInt64(0)..<100)
    func goesOn(_ seed: UInt64) async throws {
        let (files, mark) = try Self.trail()
        var (after, dice) = (files.now.contents, Dice(state: seed))
        Self.damage(&after, &dice)
        let damaged = after
        files.change { $0.contents = damaged }
        let ledger = MemoryLedger()
        try await ledger.setMarker("audit.head", mark.text)
        let before = try await AuditVerifier(files).verify(ledger: ledger, on: InPlace()) { _ in }
        var trail = try StillTrail(files, mark: mark)
        trail.record("z")
        trail.turn()
        try await ledger.setMarker("audit.head", try #require(trail.durable).text)
        let report = try await AuditVerifier(files).verify(ledger: ledger, on: InPlace()) { _ in }
        // A torn end behind the last line is cut off, and all is well again.
        let isMended = before.findings.map(\.kind) == [.torn] && files.subjects.contains { $0.contains("cut off") }
        #expect(files.subjects.last == "z" && report.isSound == (before.isSound || isMended))
    }
}
