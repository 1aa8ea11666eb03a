import ArtifactModel
import Foundation
import HTTPTypes
import NIOCore
import Outbound
import RepositoryEngine

/// Asks the token service that an upstream's challenge names.
struct TokenService: Sendable {
    /// Of an answer, in bytes.
    static let largest = 1 << 20

    let wire: Wire
    let compute: any BlockingPool
    /// In lower case; beside the remote's own.
    let trustedHosts: Set<String>
    let agent: String
    let now: WallClock

    func ask(_ scope: TokenScope, _ credentials: UpstreamCredentials?, for remote: WebOrigin) async throws(UpstreamError) -> TokenAnswer {
        guard var destination = Self.destination(scope) else {
            throw UpstreamError(.trouble(.badAnswer), "\(remote) names a token service that is no URL")
        }
        let isSecure = remote.scheme == .https || destination.origin.scheme == .https
        for _ in 0...RemoteSite.mostRedirects {
            guard !isSecure || destination.origin.scheme == .https else {
                throw UpstreamError(.trouble(.forbidden), "\(remote) leads to a token service without TLS, \(destination.origin)")
            }
            let answer = try await self.wire.send(.get, destination, self.fields(destination.origin, credentials, remote))
            guard let location = RemoteSite.redirect(answer) else { return try await self.token(answer, destination.origin) }
            await Wire.discard(answer)
            destination = try RemoteSite.follow(location, from: destination)
        }
        throw UpstreamError(.trouble(.badAnswer), "the token service of \(remote) redirects more than \(RemoteSite.mostRedirects) times")
    }

    /// With credentials for the remote's own host and for those that are trusted, wherever a realm or a redirect leads.
    private func fields(_ origin: WebOrigin, _ credentials: UpstreamCredentials?, _ remote: WebOrigin) -> HTTPFields {
        var fields = HTTPFields()
        fields[.userAgent] = self.agent
        fields[.accept] = "application/json"
        fields[.acceptEncoding] = "identity"
        if origin.host == remote.host || self.trustedHosts.contains(origin.host) { fields[.authorization] = credentials.flatMap(Self.basic) }
        return fields
    }

    private func token(_ answer: OutboundAnswer, _ origin: WebOrigin) async throws(UpstreamError) -> TokenAnswer {
        if let error = Verdict.error(answer.status, answer.headers, origin, .own, now: self.now()) {
            await Wire.discard(answer)
            // What the service has not got is no word about the artifact.
            guard error.code == .absent else { throw error }
            throw UpstreamError(.trouble(.failed), "the token service " + error.message)
        }
        return try await self.read(answer, origin)
    }

    private func read(_ answer: OutboundAnswer, _ origin: WebOrigin) async throws(UpstreamError) -> TokenAnswer {
        defer { answer.hangUp() }
        do {
            if let body = try await answer.body.collect(upTo: Self.largest),
                let token = try await self.compute.run({ TokenAnswer(body.readableBytesView) })
            {
                return token
            }
        } catch let error as OutboundError {
            throw UpstreamError(error)
        } catch {
            throw UpstreamError(error is CancellationError ? .cancelled : .trouble(.cut), "the token of \(origin) could not be read", cause: error)
        }
        throw UpstreamError(.trouble(.badAnswer), "the token service \(origin) answered without a token")
    }

    /// The realm with `service`, and a `scope` for each that was asked for.
    static func destination(_ scope: TokenScope) -> Destination? {
        var parameters = scope.service.isEmpty ? [] : ["service=" + Self.encoded(scope.service)]
        parameters += scope.scope.split(separator: " ").map { "scope=" + Self.encoded(String($0)) }
        let joined = parameters.joined(separator: "&")
        let mark = joined.isEmpty ? "" : scope.realm.contains("?") ? "&" : "?"
        // What is no URL is told so by the caller.
        return try? Destination(scope.realm + mark + joined)
    }

    private static func encoded(_ text: String) -> String {
        text.utf8.map { byte in
            byte.isASCIILetterOrDigit || "-._~:/,".utf8.contains(byte)
                ? String(UnicodeScalar(byte)) : "%" + String(Int(byte) + 256, radix: 16, uppercase: true).dropFirst()
        }.joined()
    }

    /// nil: these credentials are no name with a password.
    static func basic(_ credentials: UpstreamCredentials) -> String? {
        guard case .basic(let username, let password) = credentials else { return nil }
        return "Basic " + Data("\(username):\(password)".utf8).base64EncodedString()
    }
}
