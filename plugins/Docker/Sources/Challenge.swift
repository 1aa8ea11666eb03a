import ArtifactModel
import FormatAPI

/// What `WWW-Authenticate` says: where a token is to be had, and which. Bearer alone: docker tries every scheme that is offered.
/// distribution's «Token Authentication Specification»; RFC 6750, 3.
struct Challenge {
    let failure: Failure
    let head: RequestHead

    var text: String {
        var parameters = [("realm", self.realm), ("service", self.head.audience)]
        if let scope = self.scope { parameters.append(("scope", scope)) }
        switch self.failure.challenge {
        case .insufficientScope: parameters.append(("error", "insufficient_scope"))
        case .invalidToken: parameters.append(("error", "invalid_token"))
        case .none, .signIn: break
        }
        return "Bearer " + parameters.map { "\($0)=\"\($1)\"" }.joined(separator: ",")
    }

    /// Below the root that was used. containerd's namespace goes along: by it the names of the scope are understood.
    private var realm: String {
        let links = Links(self.head)
        return self.head.origin + "/" + links.base.joined(separator: "/") + "/_token" + (links.namespace.map { "?ns=\($0)" } ?? "")
    }

    /// All that the request needs; who pushes also pulls.
    private var scope: String? {
        if Address(self.head.path)?.place == .catalog { return "\(Scope(.catalog, [.read]))" }
        let links = Links(self.head)
        var wanted: [(name: String, actions: [Action])] = []
        for access in self.failure.denied {
            guard let path = access.path, !path.isEmpty, let image = try? ImageName(path) else { continue }  // a list's right names no image
            let actions: [Action] = access.action == .write ? [.read, .write] : [access.action]
            wanted.append((links.clientName(image), actions))
        }
        guard !wanted.isEmpty else { return nil }
        return wanted.compactMap { name, actions in (try? ImageName(name)).map { "\(Scope(.image($0), actions))" } }  // too long with its repository: none
            .joined(separator: " ")
    }
}
