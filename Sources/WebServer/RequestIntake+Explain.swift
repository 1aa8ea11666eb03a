import HTTPTypes
import RepositoryEngine

extension RequestIntake {
    /// Takes the question why out of the request, so that no format and no upstream sees it.
    ///
    /// Where there is no access control, only who sits at the machine may ask: a peer at a loopback address that nobody speaks for.
    /// - Parameter peer: the connection's other end.
    mutating func takeQuestion(from peer: String) -> IncomingRequest.Explain {
        let isAsked = self.headers[.explain].map { $0 != "0" } ?? false || self.target.query.contains { $0.name == Self.parameter }
        guard isAsked || self.headers[.explain] != nil else { return .not }
        self.headers[.explain] = nil
        self.target = self.target.without(Self.parameter)
        guard isAsked else { return .not }
        let isLocal = peer == "::1" || peer.hasPrefix("127.") || peer.hasPrefix("::ffff:127.")
        let forwarding: [HTTPField.Name] = [.xForwardedFor, .xForwardedProto, .xForwardedHost, .forwarded, .xRealIP, .via]
        return .asked(local: isLocal && forwarding.allSatisfy { self.headers[$0] == nil })
    }

    private static let parameter = "explain"
}
