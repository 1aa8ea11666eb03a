import ArtifactModel
import Foundation

/// What a token service answers. Docker's «token authentication», OAuth 2 (RFC 6749, 5.1).
struct TokenAnswer: Hashable, Sendable {
    var token: String
    /// In seconds.
    var expiresIn: Int64
    var issuedAt: Timestamp?

    init(token: String, expiresIn: Int64 = 60, issuedAt: Timestamp? = nil) {
        self.token = token
        self.expiresIn = expiresIn
        self.issuedAt = issuedAt
    }

    private struct Wire: Decodable {
        var token: String?
        var accessToken: String?
        var expiresIn: Double?
        var issuedAt: String?

        private enum CodingKeys: String, CodingKey {
            case token
            case accessToken = "access_token"
            case expiresIn = "expires_in"
            case issuedAt = "issued_at"
        }
    }

    /// - Returns: nil where there is no token in it that could be sent.
    init?(_ bytes: some Collection<UInt8>) {
        let wire: Wire
        do { wire = try JSONDecoder().decode(Wire.self, from: Data(bytes)) } catch { return nil }
        let candidates = [wire.token, wire.accessToken].compactMap { $0 }
        guard let token = candidates.first(where: { !$0.isEmpty }), token.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        let seconds = wire.expiresIn ?? 60
        self.init(token: token, expiresIn: seconds >= 1 && seconds < 1e9 ? Int64(seconds) : 60, issuedAt: wire.issuedAt.flatMap(Self.moment))
    }

    /// A token that the service keeps for its askers has less time left than it was issued with. A clock that is wrong says nothing.
    func lifetime(asked: Timestamp) -> Duration {
        let whole = Duration.seconds(self.expiresIn)
        guard let age = self.issuedAt.map({ asked - $0 }), age > .zero, age < whole else { return whole }
        return whole - age
    }

    /// `2024-01-31T12:00:00.123456789Z`, of which whole seconds count.
    private static func moment(_ text: String) -> Timestamp? {
        let whole = text.replacing(#/\.[0-9]+/#, with: "")
        guard let date = ISO8601DateFormatter().date(from: whole) else { return nil }
        return Timestamp(milliseconds: Int64(date.timeIntervalSince1970 * 1000))
    }
}
