import ArtifactModel
import NIOCore
import RepositoryEngine
import Synchronization

/// Answers that may be given again as they are: what clients ask for over and over (packuments, manifests, indexes, POMs, and whether they have changed) is
/// sent from here by the connection's handler itself, without a task, the engine and the database. Every one says how long it stands, and is looked at for
/// that each time; only what nobody had to sign in for is here.
///
/// Two halves, an older and a newer: what is asked for moves to the newer, and when that is full the older is let go.
final class ReadyAnswers: Sendable {
    /// Between two looks for what has fallen.
    static let sweepInterval = TimeAmount.seconds(30)

    private struct Halves: Sendable {
        var newer: [ReadyKey: ReadyAnswer] = [:]
        var older: [ReadyKey: ReadyAnswer] = [:]
        /// Of the newer, in bytes.
        var cost = 0
        /// Of the newer.
        var files = 0

        /// - Returns: what is let go of, to be gone outside of the lock: the last one of a file closes it.
        mutating func insert(_ answer: ReadyAnswer, for key: ReadyKey, room: Int, files mostFiles: Int) -> [ReadyKey: ReadyAnswer] {
            self.remove(key)
            self.newer[key] = answer
            self.cost += key.cost + answer.cost
            self.files += answer.body.isFile ? 1 : 0
            guard self.cost > room || self.files >= mostFiles else { return [:] }
            defer { (self.older, self.newer, self.cost, self.files) = (self.newer, [:], 0, 0) }
            return self.older
        }

        mutating func remove(_ key: ReadyKey) {
            self.older[key] = nil
            guard let answer = self.newer.removeValue(forKey: key) else { return }
            self.cost -= key.cost + answer.cost
            self.files -= answer.body.isFile ? 1 : 0
        }
    }

    private let halves = Mutex(Halves())
    /// Of each half, in bytes.
    private let room: Int
    private let roomForFiles: Int

    /// - Parameters:
    ///   - capacity: in bytes; the bodies are mostly in memory already, for those who ask otherwise.
    ///   - files: that are held open at most.
    init(capacity: Int = 32 << 20, files: Int = 1024) { (self.room, self.roomForFiles) = (capacity / 2, files / 2) }

    func answer(to key: ReadyKey, at now: Timestamp) -> ReadyAnswer? {
        let (answer, gone) = self.halves.withLock { halves -> (ReadyAnswer?, [ReadyKey: ReadyAnswer]) in
            let isNew = halves.newer[key]
            guard let answer = isNew ?? halves.older[key] else { return (nil, [:]) }
            guard answer.standing.holds(at: now) else {
                halves.remove(key)
                return (nil, [key: answer])
            }
            return (answer, isNew == nil ? halves.insert(answer, for: key, room: self.room, files: self.roomForFiles) : [:])
        }
        withExtendedLifetime(gone) {}
        return answer
    }

    func keep(_ answer: ReadyAnswer, for key: ReadyKey) {
        let gone = self.halves.withLock { $0.insert(answer, for: key, room: self.room, files: self.roomForFiles) }
        withExtendedLifetime(gone) {}
    }

    /// Lets go of what does not stand any more: an open file keeps its place on the disk, also where nobody asks for it again.
    func sweep(at now: Timestamp) {
        let fallen = self.halves.withLock { halves in
            let keys = [halves.newer, halves.older].flatMap { half in half.compactMap { $1.standing.holds(at: now) ? nil : $0 } }
            let fallen = keys.map { halves.newer[$0] ?? halves.older[$0] }
            for key in keys { halves.remove(key) }
            return fallen
        }
        // The last of them is gone outside of the lock.
        withExtendedLifetime(fallen) {}
    }

    var count: Int { self.halves.withLock { $0.newer.count + $0.older.count } }
}
