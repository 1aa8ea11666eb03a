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
        guard let destination = Self.destination(scope) else {
            throw UpstreamError(.trouble(.badAnswer), "\(remote) names a token service that is no URL")
        }
        let origin = destination.origin
        guard remote.scheme == .http || origin.scheme == .https else {
            throw UpstreamError(.trouble(.forbidden), "\(remote) names a token service without TLS, \(origin)")
        }
        var fields = HTTPFields()
        fields[.userAgent] = self.agent
        fields[.accept] = "application/json"
        fields[.acceptEncoding] = "identity"
        if origin.host == remote.host || self.trustedHosts.contains(origin.host) { fields[.authorization] = credentials.flatMap(Self.basic) }
        let answer = try await self.wire.send(.get, destination, fields)
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
