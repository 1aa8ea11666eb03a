import AccessControl
import FormatAPI
import HTTPTypes
import RepositoryEngine

/// Who asks for a page or the API: by `Authorization`, else by the session's cookie.
struct Callers: Sendable {
    let gate: any Gatekeeper

    /// - Throws: `FormatError`: `.unauthenticated` for wrong credentials, `.forbidden` for a change by cookie that none of our pages sent.
    func caller(of request: IncomingRequest) async throws -> Principal {
        guard !self.gate.isOpen else { return self.gate.anonymous }
        let caller = try await self.known(request)
        try request.admission.admit(principal: caller.name)
        return caller
    }

    private func known(_ request: IncomingRequest) async throws -> Principal {
        guard request.credentials == .none, let session = SessionCookie(request).value(in: request.headers) else { return try await self.credentialed(request) }
        let principal: Principal
        do {
            principal = try await self.gate.principal(inSession: session)
        } catch {
            // Ended, or forged: as if it were not there.
            guard error.code == .wrong || error.code == .expired || error.code == .revoked else { throw FormatError(error) }
            return self.gate.anonymous
        }
        let isSafe = request.method == .get || request.method == .head
        guard isSafe || request.comesFromOurPages(byDefault: false) else { throw FormatError(.forbidden, "this was not sent by a page of this server") }
        return principal
    }

    /// A browser that remembers a password sends it with what a stranger's page has it send, too.
    private func credentialed(_ request: IncomingRequest) async throws -> Principal {
        let isSafe = request.method == .get || request.method == .head
        guard isSafe || request.comesFromOurPages(byDefault: true) else { throw FormatError(.forbidden, "this was sent by another site's page") }
        do {
            return try await self.gate.principal(for: request.credentials, from: request.client, audience: "")
        } catch {
            throw FormatError(error)
        }
    }
}
