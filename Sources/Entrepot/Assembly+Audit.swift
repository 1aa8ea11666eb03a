import Audit
import Foundation
import ServerConfiguration

extension AuditPolicy {
    init(_ configuration: Configuration.Audit) {
        self.init()
        self.sync =
            switch configuration.sync {
            case .always: .always
            case .never: .never
            case .every(let interval): .every(interval)
            }
        self.retention = configuration.retention
        self.segmentBytes = configuration.segmentBytes
        self.onFailure =
            switch configuration.onFailure {
            case .continue: .continue
            case .refuse: .refuse
            }
    }
}

extension Assembly {
    /// What a command is about to do without a server, written before it does it.
    /// - Parameter mustRecord: where it cannot be written, and the policy is to refuse, it must not be done.
    /// - Throws: `CommandFailure`, then.
    func announce(_ target: String, mustRecord: Bool) async throws {
        self.note(.administration, "without a server: \(target)")
        await self.audit?.flush()
        if mustRecord, let refusal = self.audit?.refusal { throw CommandFailure(refusal) }
    }
}

/// What commands ask of the audit trail. Both read files, and go on where it is switched off: what was recorded before is still there.
extension Assembly {
    /// In one answer.
    static let mostPulls = 10_000

    func auditVerify(_ tell: @escaping @Sendable (JobProgress) -> Void) async throws -> AuditReport {
        // What waits in memory is no gap.
        await self.audit?.flush()
        return try await AuditVerifier(self.folder.audit).verify(.init(isLive: self.audit != nil), ledger: self.metadata, on: self.pools.compute) {
            tell(JobProgress(verb: "verified", items: $0.lines, bytes: $0.bytes, totalBytes: $0.totalBytes))
        }
    }

    /// - Parameter wanted: a digest, or coordinates: `docker-local/team/app:1.0`, `team/app`.
    func whoPulled(_ wanted: String, limit: Int, _ tell: @escaping @Sendable (JobProgress) -> Void) async throws -> AuditSearch.Pulls {
        await self.audit?.flush()
        return try await AuditSearch(self.folder.audit).whoPulled(wanted, limit: limit, on: self.pools.compute) {
            tell(JobProgress(verb: "searched", items: $0.lines, bytes: $0.bytes, totalBytes: $0.totalBytes))
        }
    }
}
