import ServerConfiguration
import Testing

@Suite("TLS and limits")
struct TransportTests {
    private static func server(_ text: String) -> Loaded { Fixture.load("server: { \(text) }\nsecurity: { openAccess: true }\n") }

    @Test("clients are told for half a year to stay with TLS, unless the configuration says another time or none")
    func strictTransport() throws {
        for (text, expected) in [("", Duration.seconds(15_552_000)), (", hsts: 1d", .seconds(86_400)), (", hsts: 0s", nil), (", hsts: 500ms", nil)] {
            let loaded = Self.server("tls: { certificate: c, key: k\(text) }")
            #expect(try #require(loaded.configuration).server.tls?.strictTransport == expected)
        }
    }

    @Test("a redirect port needs somewhere to send its clients, and no word for plain HTTP")
    func redirect() {
        let tls = "tls: { certificate: c, key: k, redirectFrom: 8080 }"
        #expect(Self.server("listen: \"0.0.0.0:8443\", \(tls)").errors == [])
        #expect(Self.server("listen: \"0.0.0.0:0\", baseURL: \"https://a.example\", \(tls)").errors == [])
        for (text, words) in [
            ("listen: \"0.0.0.0:8080\", \(tls)", "port 8080 is taken"), ("listen: \"127.0.0.1:0\", \(tls)", "a port that the system chooses"),
            ("baseURL: \"http://a.example\", \(tls)", "is not https"),
        ] {
            let errors = Self.server(text).errors
            #expect(errors.map(\.key) == ["server.tls.redirectFrom"] && errors.first?.message.contains(words) == true, "\(text): \(errors)")
        }
    }

    @Test("nobody is limited where nothing is said, and a limit is a whole number above 0")
    func limits() throws {
        let none = try #require(Self.server("").configuration).server.limits
        #expect(none.address == .init(requests: nil, concurrent: nil) && none.principal == none.address)
        let all = "requestsPerAddress: 5, concurrentPerAddress: 6, requestsPerPrincipal: 7, concurrentPerPrincipal: 8"
        let some = try #require(Self.server("limits: { \(all) }").configuration).server.limits
        #expect(some.address == .init(requests: 5, concurrent: 6) && some.principal == .init(requests: 7, concurrent: 8))
        for text in ["0", "-1", "1.5", "many", "1000001"] {
            #expect(Self.server("limits: { requestsPerAddress: \(text) }").errors.map(\.key) == ["server.limits.requestsPerAddress"])
        }
    }
}
