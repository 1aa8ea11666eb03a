public import ArtifactModel
import Foundation

/// Looks through the trail. Reads only, also beside the server that writes.
public struct AuditSearch: Sendable {
    /// Somebody who got it, or was kept from it.
    public struct Pull: Codable, Hashable, Sendable {
        /// As the line has it.
        public var time: String
        /// Empty: nobody in particular.
        public var principal: String
        public var means: String
        public var client: String
        public var repository: String
        public var subject: String
        public var digest: String
        public var status: Int
        /// In bytes, of the body that was sent.
        public var bytes: Int64
        /// Asked for it, and did not get it; `rule` says why.
        public var isRefused: Bool
        public var rule: String
        /// The answer broke off.
        public var isCut: Bool
    }

    public struct Pulls: Codable, Hashable, Sendable {
        /// How many there are in all.
        public var count = 0
        /// The last of them, oldest first.
        public var pulls: [Pull] = []
    }

    private let files: any AuditFiles

    public init(_ folder: String) { self.init(SystemAuditFiles(folder: folder)) }

    init(_ files: any AuditFiles) { self.files = files }

    /// Who pulled what has this digest, or this name: `repository/subject` or `subject`, whole or up to a `:`, `@` or `/`; and who was kept
    /// from it, by its digest where that was asked for.
    /// - Parameters:
    ///   - limit: only so many of the last ones are kept.
    ///   - progress: called on the pool, after each half mebibyte.
    /// - Throws: `AuditError` where files cannot be read, `CancellationError`.
    public func whoPulled(
        _ wanted: String, limit: Int, on pool: any BlockingPool, progress: @escaping @Sendable (AuditProgress) -> Void
    ) async throws -> Pulls {
        try await pool.running { isCancelled in try self.whoPulled(wanted, limit: limit, isCancelled: isCancelled, progress: progress) }
    }

    /// The same on the caller's thread. Blocks.
    public func whoPulled(
        _ wanted: String, limit: Int, isCancelled: () -> Bool = { false }, progress: (AuditProgress) -> Void = { _ in }
    ) throws -> Pulls {
        let pattern = PullPattern(wanted)
        var out = Pulls()
        try SegmentWalk(self.files).forEach(isCancelled: isCancelled, progress: progress) { step in
            guard case .line(.whole(let line)) = step, let pull = pattern.pull(in: line) else { return }
            out.count += 1
            out.pulls.append(pull)
            if out.pulls.count >= 2 * limit + 1024 { out.pulls.removeFirst(out.pulls.count - limit) }
        }
        if out.pulls.count > limit { out.pulls.removeFirst(out.pulls.count - limit) }
        return out
    }
}

/// Tells the lines that are asked for from all others: most of them by a few bytes, only those that may be meant are decoded.
struct PullPattern {
    private struct Line: Decodable {
        var time: String
        var principal: String?
        var means: String?
        var client: String?
        var repository: String?
        var subject: String?
        var digest: String?
        var status: Int?
        var bytes: Int64?
        var rule: String?
        var cut: Bool?
    }

    private let wanted: String
    /// Is in every line that is meant, as it is escaped there: the last part of a name, which is within `subject` whatever precedes it.
    private let needle: [UInt8]

    init(_ wanted: String) {
        self.wanted = wanted
        let part = wanted.split(separator: "/").last.map(String.init) ?? wanted
        var needle: [UInt8] = []
        needle.append(escaped: part, most: LineMaker.mostText)
        self.needle = needle
    }

    func pull(in line: UnsafeRawBufferPointer) -> AuditSearch.Pull? {
        guard ChainLine.has(kind: "\",\"kind\":\"pull\"", line), self.mayHold(line) else { return nil }
        // A line that somebody spoilt is the verifier's matter.
        guard let found = try? JSONDecoder().decode(Line.self, from: Data(line)), self.isMeant(found) else { return nil }
        let status = found.status ?? 0
        let isRefused = found.rule?.isEmpty == false || status == 401 || status == 403
        // What was not there, or could not be had, nobody got, and nobody was kept from it.
        guard isRefused || status < 400 else { return nil }
        return AuditSearch.Pull(
            time: found.time, principal: found.principal ?? "", means: found.means ?? "", client: found.client ?? "", repository: found.repository ?? "",
            subject: found.subject ?? "", digest: found.digest ?? "", status: status, bytes: found.bytes ?? 0, isRefused: isRefused,
            rule: found.rule ?? "", isCut: found.cut ?? false)
    }

    private func isMeant(_ line: Line) -> Bool {
        if let digest = line.digest, ByteText.equal(digest, self.wanted) { return true }
        guard let subject = line.subject else { return false }
        // Who asked for a digest and got nothing has only the coordinates.
        if line.digest == nil, let at = subject.utf8.lastIndex(of: UInt8(ascii: "@")), self.wanted.utf8.elementsEqual(subject.utf8[at...].dropFirst()) {
            return true
        }
        return self.names(subject) || self.names("\(line.repository ?? "")/\(subject)")
    }

    private func names(_ text: String) -> Bool {
        let (text, wanted) = (text.utf8, self.wanted.utf8)
        guard text.starts(with: wanted) else { return false }
        guard let next = text.dropFirst(wanted.count).first else { return true }
        return next == UInt8(ascii: ":") || next == UInt8(ascii: "@") || next == UInt8(ascii: "/")
    }

    private func mayHold(_ line: UnsafeRawBufferPointer) -> Bool {
        guard let base = line.baseAddress, let first = self.needle.first else { return true }
        var start = 0
        while line.count - start >= self.needle.count, let found = memchr(base + start, CInt(first), line.count - start - self.needle.count + 1) {
            if memcmp(found, self.needle, self.needle.count) == 0 { return true }
            start = UnsafeRawPointer(found) - base + 1
        }
        return false
    }
}
