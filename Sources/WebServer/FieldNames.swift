import HTTPTypes

extension HTTPField.Name {
    static let xCache = named("X-Cache")
    static let xRequestID = named("X-Request-ID")
    static let forwarded = named("Forwarded")
    static let explain = named("X-Entrepot-Explain")
    static let referrerPolicy = named("Referrer-Policy")
    static let xFrameOptions = named("X-Frame-Options")
    static let xRealIP = named("X-Real-IP")
    static let xForwardedFor = named("X-Forwarded-For")
    static let xForwardedHost = named("X-Forwarded-Host")
    static let xForwardedProto = named("X-Forwarded-Proto")

    /// The names above are tokens; another would be a slip that the first test shows.
    private static func named(_ text: StaticString) -> HTTPField.Name {
        guard let name = HTTPField.Name("\(text)") else { preconditionFailure("«\(text)» is not a field's name") }
        return name
    }
}
