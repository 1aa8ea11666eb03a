import ArtifactModel
import Foundation
import Logging
import ServiceLifecycle
import Testing

@testable import Audit

@Suite("The trail in its folder") struct TrailTests {
    private let clock = HandClock()
    private let log = LogLines()

    private func open(_ folder: String, _ ledger: MemoryLedger, _ policy: AuditPolicy = .init()) async throws -> AuditTrail {
        let clock = self.clock
        return try await AuditTrail.open(folder, policy: policy, ledger: ledger, now: { clock.now }, logger: self.log.logger)
    }

    private func verified(_ folder: String, _ ledger: MemoryLedger) async throws -> AuditReport {
        try await AuditVerifier(folder).verify(ledger: ledger, on: InPlace()) { _ in }
    }

    @Test("has every event of many tasks, each once, in one chain")
    func concurrent() async throws {
        try await withFolder { folder in
            let ledger = MemoryLedger()
            let trail = try await self.open(folder, ledger, policy { $0.segmentBytes = 100_000 })
            await withTaskGroup(of: Void.self) { group in
                for task in 0..<8 {
                    group.addTask {
                        for index in 0..<500 { trail.record(.pull("t\(task)/n\(index)")) }
                    }
                }
            }
            await trail.close()
            #expect(trail.figures.written == 4000 && trail.figures.lost == 0 && trail.figures.waiting == 0)
            let report = try await self.verified(folder, ledger)
            #expect(report.isSound && report.segments > 3 && report.lines == 4000 + Int64(report.segments) && ledger.head?.seq == report.lastSeq)
            let found = try AuditSearch(folder).whoPulled("t3", limit: 10000)
            // Of one task, in its order.
            #expect(found.pulls.map(\.subject) == (0..<500).map { "t3/n\($0)" })
        }
    }

    @Test("goes on after it was closed, and may be closed twice")
    func reopened() async throws {
        try await withFolder { folder in
            let ledger = MemoryLedger()
            for index in 0..<3 {
                let trail = try await self.open(folder, ledger)
                trail.record(.pull("s\(index)"))
                await trail.close()
                await trail.close()
                #expect(ledger.head?.seq == Int64(index) + 2)
            }
            let report = try await self.verified(folder, ledger)
            #expect(report.isSound && report.lines == 4 && self.log.lines == [])
        }
    }

    @Test("is for its owner's eyes only")
    func modes() async throws {
        try await withFolder { folder in
            let trail = try await self.open(folder, MemoryLedger())
            trail.record(.pull("a"))
            await trail.close()
            func mode(_ path: String) throws -> Int? { try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int }
            #expect(try mode(folder) == 0o700)
            #expect(try mode(folder + "/2026-11-27.jsonl") == 0o600)
        }
    }

    @Test("writes what was recorded before the shutdown, as a service, and notes how far it goes")
    func service() async throws {
        try await withFolder { folder in
            let ledger = MemoryLedger()
            let trail = try await self.open(folder, ledger)
            struct Ending: Service {
                let trail: AuditTrail
                func run() async throws { for index in 0..<100 { self.trail.record(.pull("s\(index)")) } }
            }
            let group = ServiceGroup(
                configuration: .init(
                    services: [.init(service: trail), .init(service: Ending(trail: trail), successTerminationBehavior: .gracefullyShutdownGroup)],
                    logger: Logger(label: "test")))
            try await group.run()
            let report = try await self.verified(folder, ledger)
            #expect(report.isSound && report.lines == 101 && ledger.head?.seq == 101)
        }
    }

    @Test("removes what is too old at the start, and verification does not miss it")
    func retention() async throws {
        try await withFolder { folder in
            let ledger = MemoryLedger()
            for _ in 0..<3 {
                let trail = try await self.open(folder, ledger, policy { $0.retention = nil })
                trail.record(.pull("a", at: self.clock.now))
                await trail.close()
                self.clock.advance(by: .seconds(86400))
            }
            let trail = try await self.open(folder, ledger, policy { $0.retention = .seconds(86400) })
            await trail.close()
            #expect(ledger.first == "5 2026-11-29.jsonl")
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["2026-11-29.jsonl"])
            let report = try await self.verified(folder, ledger)
            #expect(report.isSound && report.firstSeq == 5 && report.lastSeq == 6)
        }
    }

    @Test("keeps what is too old while the mark of it cannot be set, and says so once")
    func ledgerGone() async throws {
        try await withFolder { folder in
            let ledger = MemoryLedger()
            for _ in 0..<2 {
                let trail = try await self.open(folder, ledger, policy { $0.retention = nil })
                trail.record(.pull("a", at: self.clock.now))
                await trail.close()
                self.clock.advance(by: .seconds(10 * 86400))
            }
            ledger.isFailing = true
            let trail = try await self.open(folder, ledger, policy { $0.retention = .seconds(86400) })
            await trail.keepMarks()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
            #expect(self.log.lines == ["warning how far the audit trail goes was not noted"])
            ledger.isFailing = false
            await trail.close()
            #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
        }
    }

    @Test("that was lost in part is told in the log, too")
    func gap() async throws {
        try await withFolder { folder in
            let ledger = MemoryLedger()
            let trail = try await self.open(folder, ledger)
            trail.record(.pull("a"))
            await trail.close()
            try FileManager.default.removeItem(atPath: folder)
            try await self.open(folder, ledger).close()
            #expect(self.log.lines == ["error the audit trail is not as it was left"])
            #expect(try await self.verified(folder, ledger).findings.map(\.kind) == [.segmentMissing])
        }
    }

    @Test("is sound at any moment while it is written")
    func live() async throws {
        try await withFolder { folder in
            let ledger = MemoryLedger()
            let trail = try await self.open(folder, ledger, policy { $0.segmentBytes = 20_000 })
            let rounds = 30
            for round in 0..<rounds {
                async let flushed: Void = {
                    for index in 0..<300 { trail.record(.pull("r\(round)/n\(index)")) }
                    await trail.flush()
                    await trail.keepMarks()
                }()
                let report = try await AuditVerifier(folder).verify(.init(isLive: true), ledger: ledger, on: InPlace()) { _ in }
                #expect(report.isSound && report.lines <= report.lastSeq ?? 0)
                await flushed
            }
            await trail.close()
            #expect(try await self.verified(folder, ledger).isSound && trail.figures.written == Int64(rounds * 300))
        }
    }

    @Test("whose file, or whose folder, is moved, replaced or removed while it is written goes on in another file", arguments: ["mv", "rm", "cp", "rm -r"])
    func taken(_ how: String) async throws {
        try await withFolder { folder in
            let ledger = MemoryLedger()
            let trail = try await self.open(folder, ledger, policy { $0.onFailure = .refuse })
            trail.record(.pull("a"))
            await trail.flush()
            let (files, path) = (FileManager.default, folder + "/2026-11-27.jsonl")
            switch how {
            case "mv": try files.moveItem(atPath: path, toPath: folder + "/elsewhere")
            case "rm": try files.removeItem(atPath: path)
            case "cp":
                try files.copyItem(atPath: path, toPath: folder + "/copy")
                try files.removeItem(atPath: path)
                try files.moveItem(atPath: folder + "/copy", toPath: path)
            default: try files.removeItem(atPath: folder)
            }
            trail.record(.pull("b"))
            await trail.flush()
            #expect(trail.figures.lost == 2 && self.log.lines.first == "error the audit trail cannot be written")
            await trail.close()
            #expect(files.fileExists(atPath: folder + "/2026-11-27.1.jsonl"))
            #expect(try AuditSearch(folder).whoPulled("b", limit: 9).count == 1)
            #expect(try await self.verified(folder, ledger).isSound == (how == "cp"))
        }
    }

    /// As somebody can who may write the files, and not the metadata.
    private func forge(_ folder: String, after end: ChainEnd) throws {
        var (maker, bytes) = (LineMaker(after: end), [UInt8]())
        for name in ["x", "y"] { maker.add(.pull(name), to: &bytes) }
        let file = try #require(FileHandle(forWritingAtPath: folder + "/2026-11-27.jsonl"))
        try file.seekToEnd()
        try file.write(contentsOf: Data(bytes))
        try file.close()
    }

    @Test("that grew after it was closed is not sound, and says so when it is opened again")
    func grown() async throws {
        try await withFolder { folder in
            let ledger = MemoryLedger()
            var trail = try await self.open(folder, ledger)
            trail.record(.pull("a"))
            await trail.close()
            #expect(try await self.verified(folder, ledger).isSound)
            try self.forge(folder, after: try #require(ledger.head))
            let report = try await self.verified(folder, ledger)
            #expect(report.findings.map { "\($0.kind) \($0.count)" } == ["inserted 2"] && report.findings.first?.seq == 3 && report.behindMark == 2)
            trail = try await self.open(folder, ledger)
            await trail.close()
            #expect(try AuditSearch(folder).whoPulled("x", limit: 1).count == 1 && self.log.lines == ["error the audit trail is not as it was left"])
            #expect(try String(contentsOfFile: folder + "/2026-11-27.jsonl", encoding: .utf8).contains(#""operation":"audit.grown""#))
        }
    }

    @Test("of a process that was killed may be longer than the metadata knows, and verification says by how much")
    func killed() async throws {
        try await withFolder { folder in
            let ledger = MemoryLedger()
            let first = try await self.open(folder, ledger)
            first.record(.pull("a"))
            await first.close()
            let head = try #require(ledger.head)
            // Opened, which the metadata is told before the first line, and then never heard of again.
            let killed = try await self.open(folder, ledger)
            try self.forge(folder, after: head)
            let report = try await self.verified(folder, ledger)
            #expect(report.isSound && report.behindMark == 2)
            #expect(try await AuditVerifier(folder).verify(.init(isLive: true), ledger: ledger, on: InPlace()) { _ in }.behindMark == 0)
            await killed.close()
        }
    }

    @Test("opens with a mark that is none, and tells the log")
    func noMark() async throws {
        try await withFolder { folder in
            let ledger = MemoryLedger()
            try await ledger.setMarker("audit.head", "x")
            let trail = try await self.open(folder, ledger)
            trail.record(.pull("a"))
            await trail.close()
            #expect(self.log.lines == ["error the audit trail is not as it was left"] && ledger.head?.seq == 2)
        }
    }

    @Test("does not open where its folder is a file, and says what is wrong without the path")
    func noFolder() async throws {
        try await withFolder { folder in
            try Data().write(to: URL(filePath: folder))
            await #expect { _ = try await self.open(folder, MemoryLedger()) } throws: { ($0 as? AuditError)?.message == "Not a directory" }
        }
    }

    @Test("what is recorded after its end is lost, and counted")
    func afterEnd() async throws {
        try await withFolder { folder in
            let trail = try await self.open(folder, MemoryLedger(), policy { $0.onFailure = .refuse })
            await trail.close()
            trail.record(.pull("late"))
            #expect(trail.figures.lost == 1 && trail.refusal != nil)
        }
    }
}
