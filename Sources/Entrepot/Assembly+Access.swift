import AccessControl
import ArtifactModel
import Audit
import FormatAPI
import Logging
import RepositoryEngine
import SQLMetadata
import ServerConfiguration
import StorageAPI

extension Assembly {
    /// Who may come in, and who changes that.
    struct Access: Sendable {
        let gate: any Gatekeeper
        let authorizer: any Authorizer
        /// nil: `security.openAccess`.
        let service: AccessGate?
        let accounts: AccountAdministration
    }

    static func access(
        _ configuration: Configuration, _ metadata: SQLMetadataStore, _ pools: Pools, _ folder: DataFolder
    ) async throws -> Access {
        let policy = configuration.security.policy
        let hasher = PasswordHasher(pools.passwords)
        let gate: AccessGate? =
            if configuration.security.openAccess { nil } else {
                try await AccessGate.open(policy, ledger: metadata, hasher: hasher, time: AccessTime(now: Self.clock))
            }
        let accounts = AccountAdministration(
            policy, ledger: metadata, hasher: hasher, gate: gate, passwordFile: folder.firstPassword, files: pools.files, now: Self.clock)
        let authorizer: any Authorizer = gate == nil ? OpenAccess() : GrantAuthorizer(roles: policy.roles)
        return Access(gate: gate ?? OpenGate(), authorizer: authorizer, service: gate, accounts: accounts)
    }

    /// nil: `audit.enabled` is false.
    static func audit(_ configuration: Configuration, _ metadata: SQLMetadataStore, _ folder: DataFolder, _ logger: Logger) async throws -> AuditTrail? {
        guard configuration.audit.enabled else { return nil }
        do {
            return try await AuditTrail.open(folder.audit, policy: AuditPolicy(configuration.audit), ledger: metadata, now: Self.clock, logger: logger)
        } catch {
            let cause = error.cause.isEmpty ? "" : " (\(error.cause))"
            throw CommandFailure("the audit trail in \(folder.audit) cannot be opened: \(error.message)\(cause)")
        }
    }

    /// Somebody must be able to let others in: the first start makes them.
    func provideAdministrator(_ logger: Logger) async throws {
        guard self.access.service != nil else { return }
        do {
            switch try await self.access.accounts.provideAdministrator() {
            case .present: break
            case .made(let file):
                logger.notice("the user admin was made", metadata: ["password": "in \(file)"])
                StandardError.write("first start: sign in as «admin» with the password in \(file); change it with: entrepot user passwd admin")
                self.note(.administration, "the first start made the user admin")
            case .nobody(let advice): logger.warning("nobody may let others in", metadata: ["advice": "\(advice)"])
            }
        } catch {
            throw CommandFailure("the first user cannot be made: \(error)")
        }
    }

    /// By the digest one sees where it has changed, be it only somebody's password.
    func noteConfiguration() {
        guard let audit = self.audit else { return }
        var event = AuditEvent(time: Self.clock(), kind: .configuration)
        event.principal = "operator"
        event.detail = "started with \(self.configuration.repositories.count) repositories"
        event.digest = AuditEvent.digest(of: self.configuration.fingerprint(AuditEvent.digest(of:)))
        audit.record(event)
    }

    /// What was done without a request.
    func note(_ kind: AuditEvent.Kind, _ detail: String) {
        guard let audit = self.audit else { return }
        var event = AuditEvent(time: Self.clock(), kind: kind)
        event.principal = "operator"
        event.detail = detail
        audit.record(event)
    }
}

/// The API's tokens, made by the one who changes users and tokens.
struct AccountDesk: TokenDesk {
    let accounts: AccountAdministration

    func tokens(ownedBy owner: String) async throws -> [TokenRecord] {
        try await self.asking { () throws(AdministrationFailure) in try await self.accounts.tokens(of: owner) }
    }

    func makeToken(_ name: String, for owner: String, grants: [String], lifetime: String?) async throws -> (text: String, token: TokenRecord) {
        let duration = try lifetime.map { text in
            guard let duration = Duration(configured: text) else { throw FormatError(.invalidRequest, "«\(text)» is not how long a token lives: 12h, 90d") }
            return duration
        }
        return try await self.asking { () throws(AdministrationFailure) in
            try await self.accounts.makeToken(name, for: owner, grants: grants, lifetime: duration, by: owner)
        }
    }

    func revokeToken(_ id: Int64, of owner: String) async throws -> Bool {
        do {
            _ = try await self.accounts.revoke(token: id, of: owner)
            return true
        } catch {
            if error.code == .absent { return false }
            throw Self.failure(error)
        }
    }

    private func asking<Answer>(_ work: () async throws(AdministrationFailure) -> Answer) async throws -> Answer {
        do { return try await work() } catch { throw Self.failure(error) }
    }

    private static func failure(_ failure: AdministrationFailure) -> FormatError {
        let code: FormatError.Code =
            switch failure.code {
            case .invalid: .invalidRequest
            case .taken, .last: .conflict
            case .absent: .notFound
            case .busy, .unavailable: .unavailable
            case .cancelled: .cancelled
            }
        return FormatError(code, failure.description, cause: failure.cause)
    }
}
