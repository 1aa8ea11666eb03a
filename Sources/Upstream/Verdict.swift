import ArtifactModel
import FormatAPI
import HTTPTypes
import Outbound
import RepositoryEngine

/// What a status means. `docs/ARCHITECTURE.md`: a miss is told from trouble.
enum Verdict {
    /// How the request was sent.
    enum Standing: Hashable, Sendable {
        /// With a token that was issued for it.
        case issued
        /// With the operator's own credentials, or with none.
        case own
        /// To where a redirect led.
        case elsewhere
    }

    /// nil: the answer is good.
    static func error(_ status: HTTPResponse.Status, _ headers: HTTPFields, _ origin: WebOrigin, _ standing: Standing, now: Timestamp) -> UpstreamError? {
        let said = "\(origin) answered \(status.code)"
        let delay = headers[.retryAfter].flatMap { Self.delay($0, now: now) }
        switch status.code {
        case 200, 206, 304, 416: return nil
        case 404, 410: return UpstreamError(.absent, said)
        case 401, 403:
            switch standing {
            case .issued: return UpstreamError(.absent, said)
            case .own: return UpstreamError(.trouble(status.code == 403 ? .denied : .unauthorized), said)
            case .elsewhere: return UpstreamError(.trouble(.failed), said)
            }
        case 429: return UpstreamError(.trouble(.throttled), said, retryAfter: delay)
        case 503: return UpstreamError(.trouble(delay == nil ? .failed : .throttled), said, retryAfter: delay)
        case 408, 504: return UpstreamError(.trouble(.timedOut), said, retryAfter: delay)
        case 400...: return UpstreamError(.trouble(.failed), said, retryAfter: delay)
        default: return UpstreamError(.trouble(.badAnswer), said)
        }
    }

    /// Seconds or a date. RFC 9110, 10.2.3.
    static func delay(_ text: String, now: Timestamp) -> Duration? {
        if !text.isEmpty, text.utf8.count < 10, text.utf8.allSatisfy({ (0x30...0x39).contains($0) }) { return Int64(text).map { .seconds($0) } }
        guard let date = HTTPDate.seconds(text) else { return nil }
        return max(.zero, Timestamp(milliseconds: date * 1000) - now)
    }
}

extension UpstreamError {
    init(_ error: OutboundError) {
        let code: Code =
            switch error.code {
            case .unreachable: .trouble(.unreachable)
            case .timedOut: .trouble(.timedOut)
            case .cut: .trouble(.cut)
            case .tls: .trouble(.tls)
            case .garbage: .trouble(.badAnswer)
            case .forbidden: .trouble(.forbidden)
            case .cancelled: .cancelled
            }
        self.init(code, error.message, cause: error)
    }
}
