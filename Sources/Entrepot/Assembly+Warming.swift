import AccessControl
import ArtifactModel
import FormatAPI
import NIOCore
import RepositoryEngine
import Synchronization

/// What `repo warm` came to.
struct WarmReport: Codable, Sendable {
    var files: Int64
    /// In bytes, of files that were kept already too.
    var bytes: Int64
}

/// What `repo invalidate` came to.
struct InvalidationReport: Codable, Sendable {
    /// Tags and movable files that the upstream is asked about again.
    var subjects: Int
}

extension Assembly {
    private static let atOnce = 4

    /// Has a proxy, or those of a group, fetch what clients of these references would ask for.
    /// - Throws: `CommandFailure` for a repository that is none, or without an upstream; `FormatError` for a reference that cannot be had, after the
    ///   others were tried.
    func warm(
        _ name: String, _ references: [String], choice: [String], _ tell: @escaping @Sendable (JobProgress) -> Void
    ) async throws -> WarmReport {
        // A group is asked as its clients ask it: by its order, its members' names, and who owns what.
        let (repository, _) = try self.proxies(name)
        guard let format = self.formats.first(where: { $0.id == repository.format }) else { throw CommandFailure("there is no format \(repository.format)") }
        let content = self.contents.content(of: repository, for: .anonymous(), request: "warm", in: self.catalogue, OpenAccess())
        var wanted: [Prefetch] = []
        var failure: (any Error)?
        for reference in references {
            do {
                wanted += try await format.prefetch(reference, choice, in: content, settings: repository.settings)
            } catch {
                failure = failure ?? error
            }
        }
        let total = wanted.allSatisfy { $0.size != nil } ? wanted.reduce(0) { $0 + ($1.size ?? 0) } : nil
        let report = try await self.fetch(wanted, from: content) { tell(JobProgress(verb: "fetched", items: $0.files, bytes: $0.bytes, totalBytes: total)) }
        if let failure { throw failure }
        return report
    }

    private func fetch(
        _ wanted: [Prefetch], from content: any RepositoryContent, _ tell: @escaping @Sendable (WarmReport) -> Void
    ) async throws -> WarmReport {
        let tally = WarmTally(tell)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for (index, prefetch) in wanted.enumerated() {
                if index >= Self.atOnce { try await group.next() }
                group.addTask { try await Self.fetch(prefetch.request, from: content, tally) }
            }
            try await group.waitForAll()
        }
        return tally.report
    }

    /// Reading is what waits for the bytes; of a file no byte is copied for it.
    private static func fetch(_ request: ContentRequest, from content: any RepositoryContent, _ tally: WarmTally) async throws {
        guard let found = try await content.content(request) else { throw FormatError(.notFound, "the upstream does not have \(request.path)") }
        var at: Int64 = 0
        while let piece = try await found.source.next(at: at, limit: 4 << 20) {
            at += piece.length
            tally.add(files: 0, bytes: piece.length)
        }
        tally.add(files: 1, bytes: 0)
    }

    /// Has a proxy, or those of a group, ask its upstream again about every tag and movable file; what it keeps stays.
    func invalidate(_ name: String) async throws -> InvalidationReport {
        self.contents.forgetMisses()
        var subjects = 0
        for proxy in try self.proxies(name).proxies { subjects += try await self.cached.expireUpstreamStates("", in: proxy.id) }
        return InvalidationReport(subjects: subjects)
    }

    /// The repository, and what of it has an upstream: itself, or members of the group.
    private func proxies(_ name: String) throws -> (repository: Repository, proxies: [Repository]) {
        guard let repository = self.repositories.first(where: { $0.name.text == name }) else {
            throw CommandFailure("there is no repository «\(name)»; there are: \(self.repositories.map(\.name.text).joined(separator: ", "))")
        }
        switch repository.part {
        case .hosted: throw CommandFailure("«\(name)» is no proxy: it has no upstream to ask")
        case .proxy: return (repository, [repository])
        case .group:
            let proxies = self.catalogue.proxies(of: repository)
            guard !proxies.isEmpty else { throw CommandFailure("«\(name)» is a group without a proxy: it has no upstream to ask") }
            return (repository, proxies)
        }
    }
}

extension ContentPiece {
    /// In bytes.
    fileprivate var length: Int64 {
        switch self {
        case .bytes(let bytes): Int64(bytes.readableBytes)
        case .file(_, let range): Int64(range.count)
        }
    }
}

/// What several downloads came to so far.
private final class WarmTally: Sendable {
    private let sum = Mutex(WarmReport(files: 0, bytes: 0))
    private let tell: @Sendable (WarmReport) -> Void

    init(_ tell: @escaping @Sendable (WarmReport) -> Void) { self.tell = tell }

    var report: WarmReport { self.sum.withLock { $0 } }

    func add(files: Int64, bytes: Int64) {
        self.tell(
            self.sum.withLock { sum in
                sum.files += files
                sum.bytes += bytes
                return sum
            })
    }
}
