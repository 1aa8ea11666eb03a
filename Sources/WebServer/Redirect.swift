import ArtifactModel
import FormatAPI
import HTTPTypes
import RepositoryEngine

/// What a plain port says that only sends its clients on to HTTPS.
enum Redirect {
    /// GET and HEAD get 301, which the oldest client follows; everything else 308, as a 301 would make a GET of it and lose the body.
    /// - Parameters:
    ///   - destination: `https://host[:port]`.
    ///   - uri: as the request line has it, checked already.
    static func answer(_ method: HTTPRequest.Method, to destination: String, _ uri: String) -> RequestOutcome {
        let isRead = method == .get || method == .head
        // Not to be remembered: who turns TLS off again would have clients that no one can reach.
        var headers: HTTPFields = [.cacheControl: "no-store"]
        headers[.location] = destination + Self.target(uri)
        return RequestOutcome(ArtifactResponse(isRead ? .movedPermanently : .permanentRedirect, headers: headers), operation: "redirect")
    }

    /// The path and query of a request's target, as they came: no word of a client's own spelling is lost.
    private static func target(_ uri: String) -> String {
        guard !uri.hasPrefix("/") else { return uri }
        guard let scheme = uri.firstRange(of: "://") else { return "/" }
        let path = uri[scheme.upperBound...].drop { $0 != "/" && $0 != "?" }
        return path.hasPrefix("/") ? String(path) : "/" + path
    }
}

extension RequestTarget {
    /// What a balancer asks, by address and in plain HTTP.
    var isHealth: Bool { self.path == ["health", "live"] || self.path == ["health", "ready"] }
}

extension ListenerEntrance {
    /// Who comes here is sent on to HTTPS.
    var isRedirect: Bool { self.redirectPort != nil }

    /// What a client that named this host calls the server: there, or where it is sent on to.
    func origin(_ host: Authority?, scheme: String?) -> String {
        guard let redirectPort else { return "\(scheme ?? (self.secure ? "https" : "http"))://\(host?.text ?? self.name)" }
        let name = (host ?? Authority(self.name))?.host ?? self.name
        return redirectPort == 443 ? "https://\(name)" : "https://\(name):\(redirectPort)"
    }
}
