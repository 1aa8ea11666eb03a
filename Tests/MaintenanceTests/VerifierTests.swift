import ArtifactModel
import FormatTestKit
import Foundation
import Maintenance
import RepositoryEngine
import StorageAPI
import Synchronization
import Testing

@Suite struct VerifierTests {
    typealias Kind = BlobFault.Kind

    /// What one can do to a blob that two repositories name.
    enum Damage: String, CaseIterable { case flipped, cut, grown, removed }

    private func plant(_ damage: Damage, _ digest: ContentDigest, _ ground: VerifierGround) throws {
        switch damage {
        case .flipped: try ground.overwrite(digest) { $0[$0.startIndex] ^= 1 }
        case .cut: try ground.overwrite(digest) { $0.removeLast() }
        case .grown: try ground.overwrite(digest) { $0.append(0) }
        case .removed: try FileManager.default.removeItem(at: ground.file(digest))
        }
    }

    @Test("a store without faults is sound, and its bytes are counted as they were announced")
    func sound() async throws {
        try await VerifierGround.run { ground in
            for number in 0..<1100 { try await ground.put("blob \(number)", at: "\(number)") }
            let told = Mutex<[Verifier.Progress]>([])
            let report = try await ground.verify { progress in told.withLock { $0.append(progress) } }
            #expect(report.isSound && report.figures.isEmpty && report.faults.isEmpty && report.quarantine.isEmpty)
            #expect(report.blobs == 1100)
            let all = told.withLock { $0 }
            #expect(all.map(\.bytes) == all.map(\.bytes).sorted())
            #expect(all.allSatisfy { $0.totalBytes == report.bytes })
            #expect(all.last?.bytes == report.bytes && all.last?.blobs == 1100)
        }
    }

    @Test(
        "damaged bytes are found and told with who names them; nothing is changed until a repair, which lets a push heal every link", arguments: Damage.allCases
    )
    func damaged(_ damage: Damage) async throws {
        try await VerifierGround.run { ground in
            let digest = try await ground.put("precious", at: "a/b")
            try await ground.put("precious", at: "c", in: "two")
            try await ground.put("whole", at: "d")
            try self.plant(damage, digest, ground)
            for repair in [false, false, true] {
                let report = try await ground.verify(repair: repair)
                let fault = try #require(report.faults.first)
                #expect(report.faults.count == 1 && !report.isSound && report.blobs == 2)
                #expect(fault.kind == (damage == .removed ? .missing : .corrupt))
                #expect(fault.digest == "\(digest)" && fault.store == "default" && fault.referrerCount == 2)
                #expect(Set(fault.referrers.map { "\($0.repository)/\($0.path)" }) == ["one/a/b", "two/c"])
                #expect(fault.outcome == (repair ? .markedLost : .reported))
                #expect(report.quarantine == (repair && damage != .removed ? ["\(digest)"] : []))
            }
            #expect(try await ground.read("a/b") == nil)
            #expect(try await ground.read("c", in: "two") == nil)
            let again = try await ground.verify(repair: true)
            #expect(again.faults.map(\.kind) == [.lost] && !again.isSound)
            try await ground.put("precious", at: "elsewhere")
            #expect(try await ground.read("a/b") == "precious")
            #expect(try await ground.read("c", in: "two") == "precious")
            #expect(try await ground.verify().isSound)
        }
    }

    @Test("damage to bytes that nothing names is the collector's after a repair", arguments: Damage.allCases)
    func unnamed(_ damage: Damage) async throws {
        try await VerifierGround.run { ground in
            let digest = try await ground.put("left", at: "a")
            try await ground.remove("a")
            ground.site.clock.advance(by: .seconds(3601))
            try self.plant(damage, digest, ground)
            let report = try await ground.verify(repair: true)
            #expect(report.faults.map(\.outcome) == [.leftToCollector] && report.isSound)
            #expect(try await ground.collector.run().blobs == 1)
            let after = try await ground.verify()
            #expect(after.isSound && after.blobs == 0)
        }
    }

    @Test("a quick run reads nothing: it finds another size and a missing file, and not a flipped bit", arguments: Damage.allCases)
    func quick(_ damage: Damage) async throws {
        try await VerifierGround.run { ground in
            try self.plant(damage, try await ground.put("precious", at: "a"), ground)
            let report = try await ground.verify(quick: true)
            #expect(report.faults.isEmpty == (damage == .flipped))
        }
    }

    @Test("a file without a row is an orphan, and goes by a repair and a collection; files with other names are nobody's")
    func orphan() async throws {
        try await VerifierGround.run { ground in
            let digest = try await ground.put("orphan", at: "a")
            try await ground.remove("a")
            ground.site.clock.advance(by: .seconds(3601))
            _ = try await ground.collector.run()
            try await ground.drop("orphan", as: digest, into: ground.site.blobs)
            try Data("x".utf8).write(to: ground.file(digest).deletingLastPathComponent().appending(path: "notes.txt"))
            let found = try await ground.verify()
            #expect(found.faults.map(\.kind) == [.orphaned] && found.faults.first?.size == 6 && !found.isSound)
            #expect(try await ground.row(digest) == nil)
            let repaired = try await ground.verify(repair: true)
            #expect(repaired.faults.map(\.outcome) == [.leftToCollector] && repaired.isSound)
            ground.site.clock.advance(by: .seconds(1))
            #expect(try await ground.collector.run().bytes == 6)
            #expect(!FileManager.default.fileExists(atPath: ground.file(digest).path))
        }
    }

    @Test("a row that says another size is corrected by good bytes")
    func wrongSize() async throws {
        try await VerifierGround.run { ground in
            let digest = try await ground.put("precious", at: "a")
            let row = try #require(try await ground.row(digest))
            try await ground.site.metadata.amend(row.id, .there(size: 99))
            #expect(try await ground.verify().faults.map(\.kind) == [.wrongSize])
            let report = try await ground.verify(repair: true)
            #expect(report.faults.map(\.outcome) == [.corrected] && report.isSound)
            #expect(try await ground.row(digest)?.size == 8)
            #expect(try await ground.verify().figures.isEmpty)
            #expect(try await ground.read("a") == "precious")
        }
    }

    @Test("what was lost and lies in its place again is found, and served after a repair")
    func found() async throws {
        try await VerifierGround.run { ground in
            let digest = try await ground.put("precious", at: "a")
            try ground.overwrite(digest) { $0[0] ^= 1 }
            _ = try await ground.verify(repair: true)
            // An operator's backup.
            try Data("precious".utf8).write(to: ground.file(digest))
            #expect(try await ground.verify().faults.map(\.kind) == [.found])
            #expect(try await ground.read("a") == nil)
            let report = try await ground.verify(repair: true)
            #expect(report.faults.map(\.outcome) == [.corrected] && report.isSound)
            #expect(report.quarantine == ["\(digest)"])
            #expect(try await ground.read("a") == "precious")
        }
    }

    @Test("damaged bytes come from another store that has them, unless those are damaged too", arguments: Damage.allCases, [true, false])
    func copied(_ damage: Damage, isOtherGood: Bool) async throws {
        try await VerifierGround.run { ground in
            let digest = try await ground.put("precious", at: "a")
            let until = ground.site.clock.now + .seconds(60)
            _ = try await ground.site.metadata.hold([digest], size: 8, in: ground.second.id, now: ground.site.clock.now, until: until)
            try await ground.drop(isOtherGood ? "precious" : "previous", as: digest, into: ground.second.store)
            try self.plant(damage, digest, ground)
            let report = try await ground.verify(repair: true, store: "default")
            #expect(report.faults.map(\.outcome) == [isOtherGood ? .copied : .markedLost])
            #expect(try await ground.read("a") == (isOtherGood ? "precious" : nil))
            #expect(try await ground.site.blobs.uploads(untouchedSince: Timestamp(milliseconds: .max)).isEmpty)
            #expect(try await ground.verify(store: "default").isSound == isOtherGood)
        }
    }

    @Test("rows that a dead process marked are told, and removed with their bytes by a repair")
    func leftMarked() async throws {
        try await VerifierGround.run { ground in
            let digest = try await ground.put("left", at: "a")
            try await ground.remove("a")
            ground.site.clock.advance(by: .seconds(3601))
            _ = try await ground.site.metadata.doom(in: ground.site.shelf.id, after: 0, limit: 9, now: ground.site.clock.now)
            let report = try await ground.verify()
            #expect(report.leftMarked == 1 && !report.isSound && report.faults.isEmpty)
            let repaired = try await ground.verify(repair: true)
            #expect(repaired.leftMarkedRemoved == 1 && repaired.isSound)
            #expect(!FileManager.default.fileExists(atPath: ground.file(digest).path))
            #expect(try await ground.verify().leftMarked == 0)
        }
    }

    @Test("a push between its hold and its bytes is no fault; one that died there is the collector's")
    func held() async throws {
        try await VerifierGround.run { ground in
            let digest = try await ground.put("text", at: "a")
            try await ground.remove("a")
            try FileManager.default.removeItem(at: ground.file(digest))
            #expect(try await ground.verify(repair: true).figures.isEmpty)
            ground.site.clock.advance(by: .seconds(3601))
            let report = try await ground.verify(repair: true)
            #expect(report.faults.map(\.outcome) == [.leftToCollector])
        }
    }

    @Test("a repair beside writers, deletes and collections finds nothing that is not so, and loses nothing", arguments: [1, 2, 3] as [UInt64])
    func busy(_ seed: UInt64) async throws {
        try await VerifierGround.run { ground in
            let writers = Countdown(4)
            let hours = Hours()
            try await withThrowingTaskGroup(of: [String: String].self) { group in
                for writer in 0..<4 {
                    group.addTask {
                        defer { writers.end() }
                        return try await Self.write(as: writer, seed, hours, on: ground)
                    }
                }
                group.addTask {
                    while writers.areLeft {
                        await hours.pass { ground.site.clock.advance(by: .seconds(3601)) }
                        _ = try await ground.collector.run()
                    }
                    return [:]
                }
                group.addTask {
                    repeat {
                        let report = try await ground.verify(repair: true)
                        #expect(report.figures.isEmpty, "seed \(seed): \(report.faults)")
                    } while writers.areLeft
                    return [:]
                }
                for try await kept in group {
                    for (path, text) in kept { #expect(try await ground.read(path) == text, "seed \(seed): \(path)") }
                }
            }
            let report = try await ground.verify()
            #expect(report.figures.isEmpty, "seed \(seed): \(report.faults)")
        }
    }

    /// Sixty puts and deletes at four paths of its own, of texts that all writers share.
    private static func write(as writer: Int, _ seed: UInt64, _ hours: Hours, on ground: VerifierGround) async throws -> [String: String] {
        var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ UInt64(writer) | 1
        func next(_ bound: UInt64) -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return (state >> 16) % bound
        }
        var kept: [String: String] = [:]
        for _ in 0..<60 {
            let path = "\(writer)/\(next(4))"
            if kept[path] != nil, next(2) == 0 {
                try await ground.remove(path)
                kept[path] = nil
                continue
            }
            let text = String(repeating: "shared \(next(6)) ", count: 1000)
            try await hours.within { try await ground.put(text, at: path) }
            kept[path] = text
        }
        return kept
    }
}

private final class Countdown: Sendable {
    private let left: Mutex<Int>
    init(_ count: Int) { self.left = Mutex(count) }
    var areLeft: Bool { self.left.withLock { $0 } > 0 }
    func end() { self.left.withLock { $0 -= 1 } }
}

/// Keeps an hour from passing between a write's hold and its commit: such a write leaves an orphan, as it should.
private final class Hours: Sendable {
    private struct State {
        var writes = 0
        var isDue = false
    }
    private let state = Mutex(State())

    func within(_ write: () async throws -> Void) async throws {
        while !self.state.withLock({ state in
            if !state.isDue { state.writes += 1 }
            return !state.isDue
        }) { await Task.yield() }
        defer { self.state.withLock { $0.writes -= 1 } }
        try await write()
    }

    /// Once no write is on its way, and before the next one. The collection that follows runs beside writes again.
    func pass(_ jump: () -> Void) async {
        self.state.withLock { $0.isDue = true }
        while self.state.withLock({ $0.writes }) > 0 { await Task.yield() }
        jump()
        self.state.withLock { $0.isDue = false }
    }
}
