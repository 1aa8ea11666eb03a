import ArtifactModel
import FormatAPI
import HTTPTypes
import Outbound
import RepositoryEngine

/// One of a repository's remotes: asks it, signs in, and goes where it sends us.
struct RemoteSite: Sendable {
    static let mostRedirects = 5

    let remote: Remote
    let officialPrefix: String?
    let wire: Wire
    let signIn: SignIn
    let agent: String
    let now: WallClock
    /// A mirror that is asked only for bytes whose digest is known.
    var digestsOnly = false
    let health = SiteHealth()
    private let strangers = Strangers()

    func send(_ request: UpstreamRequest) async throws(UpstreamError) -> OutboundAnswer {
        var destination = try self.destination(request.resource.location)
        let first = destination.origin
        let fields = RequestFields.make(request, agent: self.agent)
        for _ in 0...Self.mostRedirects {
            try self.allow(destination)
            let (answer, standing): (OutboundAnswer, Verdict.Standing)
            if destination.origin == self.remote.origin {
                let space = if case .named(_, let name, _) = request.resource.location { name } else { "" }
                (answer, standing) = try await self.signedIn(request, destination, fields, self.signIn, in: space)
            } else if let space = request.resource.tokenSpace, destination.origin == first {
                (answer, standing) = try await self.signedIn(request, destination, fields, self.strangers.signIn(at: first, by: self.signIn), in: space)
            } else {
                (answer, standing) = (try await self.wire.send(request.method, destination, fields, body: request.post?.body), .elsewhere)
            }
            if let location = Self.redirect(answer), request.post == nil || Self.keepsMethod(answer.status) {
                await Wire.discard(answer)
                destination = try Self.follow(location, from: destination)
                continue
            }
            guard let error = Verdict.error(answer.status, answer.headers, destination.origin, standing, now: self.now()) else { return answer }
            await Wire.discard(answer)
            throw error
        }
        throw UpstreamError(.trouble(.badAnswer), "\(self.remote.origin) redirects more than \(Self.mostRedirects) times")
    }

    private func signedIn(
        _ request: UpstreamRequest, _ destination: Destination, _ fields: HTTPFields, _ signIn: SignIn, in space: String
    ) async throws(UpstreamError) -> (OutboundAnswer, Verdict.Standing) {
        var attempt = try await signIn.first(in: space)
        // Anonymous, a token that was kept, a new one; a scope may turn out to be another.
        for left in (0..<4).reversed() {
            var fields = fields
            fields[.authorization] = signIn.header(for: attempt)
            let answer = try await self.wire.send(request.method, destination, fields, body: request.post?.body)
            guard answer.status.code >= 400, left > 0 else {
                _ = try await signIn.next(after: attempt, answer.status, [:], in: space)
                return (answer, attempt.standing)
            }
            let (status, headers) = (answer.status, answer.headers)
            if status.code != 401, status.code != 403, status.code != 404 { return (answer, attempt.standing) }
            // Its connection must be free before a token is asked for.
            await Wire.discard(answer)
            guard let next = try await signIn.next(after: attempt, status, headers, in: space) else { return (answer, attempt.standing) }
            attempt = next
        }
        throw UpstreamError(.trouble(.unauthorized), "\(destination.origin) asks for another token again and again")
    }

    private func destination(_ location: UpstreamResource.Location) throws(UpstreamError) -> Destination {
        do {
            return try self.remote.destination(of: location, officialPrefix: self.officialPrefix)
        } catch {
            throw UpstreamError(.trouble(.badAnswer), "what is to be fetched is no URL that can be asked", cause: error)
        }
    }

    /// Never from TLS to none.
    private func allow(_ destination: Destination) throws(UpstreamError) {
        guard self.remote.origin.scheme == .http || destination.origin.scheme == .https else {
            throw UpstreamError(.trouble(.forbidden), "\(self.remote.origin) leads to \(destination.origin), which has no TLS")
        }
    }

    /// Where an answer leads; nil: it is no redirect.
    static func redirect(_ answer: OutboundAnswer) -> String? {
        [301, 302, 303, 307, 308].contains(answer.status.code) ? answer.headers[.location] ?? "" : nil
    }

    /// With 301, 302 and 303 a client may go on with GET, which asks something else than POST did. RFC 9110, 15.4.
    private static func keepsMethod(_ status: HTTPResponse.Status) -> Bool { status.code == 307 || status.code == 308 }

    /// Never from TLS to none.
    static func follow(_ location: String, from destination: Destination) throws(UpstreamError) -> Destination {
        do {
            let next = try destination.resolving(location)
            guard destination.origin.scheme == .http || next.origin.scheme == .https else {
                throw UpstreamError(.trouble(.forbidden), "\(destination.origin) leads to \(next.origin), which has no TLS")
            }
            return next
        } catch let error as UpstreamError {
            throw error
        } catch {
            throw UpstreamError(.trouble(.badAnswer), "\(destination.origin) redirects to what is no URL", cause: error)
        }
    }
}
