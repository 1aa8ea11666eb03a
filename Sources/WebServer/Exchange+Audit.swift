import AccessControl
import ArtifactModel
import Audit
import HTTPTypes
import RepositoryEngine

extension AuditEvent {
    /// What is to be remembered of an answered request; nil: nothing.
    ///
    /// Pulls, pushes and deletes, whatever came of them; credentials that were exchanged or refused; and what somebody was kept from. Not that
    /// nobody in particular was asked to sign in: every docker pull begins so. Nor that an artifact was looked at by HEAD, unless that was
    /// refused: then docker asks no further.
    init?(
        _ outcome: RequestOutcome, _ method: HTTPRequest.Method, _ credentials: Credentials, _ record: AccessRecord, at time: Timestamp
    ) {
        let note = outcome.audit
        let isRefused = !note.rule.isEmpty
        if isRefused, record.status == 401, credentials == .none, !note.isLogin { return nil }
        guard let kind = Self.kind(note, isRefused: isRefused, method, record.status) else { return nil }
        self.init(time: time, kind: kind)
        self.request = record.id
        self.principal = [outcome.principal.name, credentials.claimedName, String(note.claimedName.prefix(128))].first { !$0.isEmpty } ?? ""
        self.means = outcome.principal.means.words
        self.client = record.client
        self.repository = record.repository
        self.operation = outcome.operation
        self.subject = note.subject
        self.digest = note.digest
        self.status = record.status
        self.bytes = kind == .push ? record.received : record.sent
        self.rule = note.rule
        self.detail = note.change
        self.cut = record.cut || record.cancelled
    }

    /// What the operator had done through the control socket; nil: it was only looked at. Secrets come in bodies, and are not here.
    init?(command request: RequestIntake, _ record: AccessRecord, at time: Timestamp) {
        guard request.method != .get else { return nil }
        self.init(time: time, kind: .administration)
        self.request = record.id
        self.principal = "operator"
        self.means = Principal.Means.socket.words
        self.client = record.client
        self.operation = record.operation
        self.status = record.status
        self.detail = request.target.query.map { "\($0.name)=\($0.value)" }.joined(separator: " ")
    }

    /// Whether an answer like this one is a line of the trail, whoever is given it without credentials.
    static func isDue(for outcome: RequestOutcome, _ method: HTTPRequest.Method, _ status: Int) -> Bool {
        Self.kind(outcome.audit, isRefused: !outcome.audit.rule.isEmpty, method, status) != nil
    }

    private static func kind(_ note: AuditNote, isRefused: Bool, _ method: HTTPRequest.Method, _ status: Int) -> Kind? {
        if note.isLogin { return .login }
        if !note.change.isEmpty { return .administration }
        switch note.action {
        case .read:
            guard method != .head, note.isFetch, !note.digest.isEmpty || status >= 400 else {
                return isRefused ? (note.isFetch ? .pull : .read) : nil
            }
            return .pull
        // An upload on its way is no push yet.
        case .write: return status == 202 || status == 204 ? nil : .push
        case .delete: return .delete
        case .admin, .explain, nil: return isRefused ? .read : nil
        }
    }
}

extension Credentials {
    /// Whom wrong credentials were for: a name that may be nobody's.
    fileprivate var claimedName: String {
        if case .basic(let name, _) = self { String(name.prefix(128)) } else { "" }
    }
}
