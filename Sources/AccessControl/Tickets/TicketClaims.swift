import ArtifactModel

/// What a ticket says. Times are whole seconds since 1970.
struct TicketClaims: Hashable, Sendable {
    static let issuer = "entrepot"

    /// nil: nobody in particular.
    var subject: AccountName?
    var basis: Principal.Basis
    var audience: String
    var issued: Int64
    var expires: Int64
    /// Of this ticket alone.
    var id: String
    var permits: [Permit]
    var catalog: Bool

    /// RFC 7519, 4.1; `access`, `catalog` and `via` are our own.
    var json: String {
        let fields = [
            ("iss", StrictJSON.quoted(Self.issuer)), ("sub", StrictJSON.quoted(self.subject?.text ?? "")), ("aud", StrictJSON.quoted(self.audience)),
            ("iat", "\(self.issued)"), ("nbf", "\(self.issued)"), ("exp", "\(self.expires)"), ("jti", StrictJSON.quoted(self.id)),
            ("access", "[" + self.permits.map(Self.json).joined(separator: ",") + "]"), ("catalog", "\(self.catalog)"),
            ("via", StrictJSON.quoted(Self.text(self.basis))),
        ]
        return "{" + fields.map { "\"\($0.0)\":\($0.1)" }.joined(separator: ",") + "}"
    }

    /// - Returns: nil where it is not exactly what `json` writes, but for blanks and the order.
    init?(_ json: StrictJSON) {
        guard case .object(let members) = json, members.count == 10, case .string(Self.issuer) = members["iss"], case .string(let subject) = members["sub"],
            case .string(let audience) = members["aud"], case .integer(let issued) = members["iat"], case .integer(let notBefore) = members["nbf"],
            case .integer(let expires) = members["exp"], case .string(let id) = members["jti"], case .array(let access) = members["access"],
            case .bool(let catalog) = members["catalog"], case .string(let via) = members["via"]
        else { return nil }
        let permits = access.compactMap(Self.permit)
        guard permits.count == access.count, notBefore == issued, let basis = Self.basis(via), subject.isEmpty == (basis == .nothing) else { return nil }
        if subject.isEmpty {
            self.subject = nil
        } else {
            guard let name = try? AccountName(subject) else { return nil }  // it says no more than that it is none
            self.subject = name
        }
        (self.basis, self.audience, self.issued, self.expires) = (basis, audience, issued, expires)
        (self.id, self.permits, self.catalog) = (id, permits, catalog)
    }

    init(
        subject: AccountName?, basis: Principal.Basis, audience: String, issued: Int64, expires: Int64, id: String, permits: [Permit], catalog: Bool
    ) {
        self.subject = subject
        (self.basis, self.audience, self.issued, self.expires) = (basis, audience, issued, expires)
        (self.id, self.permits, self.catalog) = (id, permits, catalog)
    }

    private static func json(_ permit: Permit) -> String {
        let actions = permit.actions.map { "\"\($0.rawValue)\"" }.joined(separator: ",")
        return "{\"repository\":\(StrictJSON.quoted(permit.repository.text)),\"path\":\(StrictJSON.quoted(permit.path)),\"actions\":[\(actions)]}"
    }

    private static func permit(_ json: StrictJSON) -> Permit? {
        guard case .object(let members) = json, members.count == 3, case .string(let repository) = members["repository"],
            case .string(let path) = members["path"], case .array(let words) = members["actions"]
        else { return nil }
        let actions = words.compactMap { word -> Action? in if case .string(let text) = word { Action(rawValue: text) } else { nil } }
        guard actions.count == words.count, let name = try? RepositoryName(repository) else { return nil }  // it says no more than that it is none
        return Permit(repository: name, path: path, actions: actions)
    }

    /// `password:<epoch in Base64>`, `token:<number>` or nothing.
    private static func text(_ basis: Principal.Basis) -> String {
        switch basis {
        case .nothing: ""
        case .password(let epoch): "password:" + Base64.text(epoch, .url)
        case .token(let id): "token:\(id)"
        }
    }

    private static func basis(_ text: String) -> Principal.Basis? {
        if text.isEmpty { return .nothing }
        let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2 else { return nil }
        switch parts[0] {
        case "password": return Base64.bytes(parts[1].utf8, .url).flatMap { $0.count == 16 ? .password(epoch: $0) : nil }
        case "token": return Int64(parts[1]).map { .token(id: $0) }
        default: return nil
        }
    }
}
