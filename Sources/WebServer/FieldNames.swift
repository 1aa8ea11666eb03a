import FormatAPI
import HTTPTypes

extension HTTPField.Name {
    static let xCache = Self.known("X-Cache")
    static let xRequestID = Self.known("X-Request-ID")
    static let forwarded = Self.known("Forwarded")
    static let explain = Self.known("X-Entrepot-Explain")
    static let referrerPolicy = Self.known("Referrer-Policy")
    static let xFrameOptions = Self.known("X-Frame-Options")
    static let xRealIP = Self.known("X-Real-IP")
    static let xForwardedFor = Self.known("X-Forwarded-For")
    static let xForwardedHost = Self.known("X-Forwarded-Host")
    static let xForwardedProto = Self.known("X-Forwarded-Proto")
}
