import ArtifactModel
import Crypto
import StorageAPI
import TestDice
import Testing

@testable import AccessControl

/// A ticket's parts, to be put together wrongly.
struct Forgery: Sendable, CustomTestStringConvertible {
    var name: String
    var header = #"{"alg":"HS256","kid":"k1","typ":"JWT"}"#
    var claims = Forgery.good
    var key = TicketTests.key
    var audience = TicketTests.audience
    var change: @Sendable (String) -> String = { $0 }
    var fault: TicketText.Fault = .foreign
    var testDescription: String { self.name }

    static let good = claims()
    static func claims(
        iss: String = "entrepot", sub: String = "ann", aud: String = TicketTests.audience, iat: String = "1000", nbf: String = "1000", exp: String = "1300",
        access: String = "[]", via: String = "password:AQEBAQEBAQEBAQEBAQEBAQ", more: String = ""
    ) -> String {
        #"{"iss":"\#(iss)","sub":"\#(sub)","aud":"\#(aud)","iat":\#(iat),"nbf":\#(nbf),"exp":\#(exp),"jti":"j","access":\#(access),"catalog":false,"via":"\#(via)"\#(more)}"#
    }

    var text: String {
        let head = Base64.text(self.header.utf8, .url) + "." + Base64.text(self.claims.utf8, .url)
        return self.change(head + "." + Base64.text(self.key.signature(of: Array(head.utf8)), .url))
    }
}

@Suite("Tickets and signed subjects")
struct TicketTests {
    static let audience = "https://artifacts.example.com"
    static let key = SigningKey(KeyRecord(id: "k1", purpose: "ticket", secret: Array(repeating: 1, count: 32), created: Timestamp(milliseconds: 0)))
    static let other = SigningKey(KeyRecord(id: "k2", purpose: "ticket", secret: Array(repeating: 2, count: 32), created: Timestamp(milliseconds: 0)))
    private static let now = Timestamp(milliseconds: 1_000_000)

    private static func claims(_ basis: Principal.Basis, subject: String? = "ann") throws -> TicketClaims {
        let permit = Permit(repository: try RepositoryName("local"), path: "team/\"é\\\n", actions: [.read, .write])
        return TicketClaims(
            subject: try subject.map { try AccountName($0) }, basis: basis, audience: Self.audience, issued: 1000, expires: 1300, id: "j", permits: [permit],
            catalog: true)
    }

    @Test("a ticket is read as it was signed, with either of two keys, until it ends")
    func roundTrip() throws {
        let all: [TicketClaims] = [
            try Self.claims(.password(epoch: Array(0..<16))), try Self.claims(.token(id: 77)), try Self.claims(.nothing, subject: nil),
        ]
        for claims in all {
            for key in [Self.key, Self.other] {
                let text = try #require(TicketText.sign(claims, with: key))
                for seconds in [995, 1000, 1299, 1304] {
                    let read = try TicketText.open(
                        text, signedWith: [Self.other, Self.key], audience: Self.audience, now: Timestamp(milliseconds: Int64(seconds) * 1000))
                    #expect(read == claims)
                }
            }
        }
    }

    static let forgeries: [Forgery] = [
        Forgery(name: "no algorithm", header: #"{"alg":"none","kid":"k1","typ":"JWT"}"#),
        Forgery(name: "no algorithm and no signature", header: #"{"alg":"none","typ":"JWT"}"#, change: { String($0.prefix { $0 != "." }) + ".e30." }),
        Forgery(name: "another algorithm", header: #"{"alg":"HS512","kid":"k1","typ":"JWT"}"#),
        Forgery(name: "the algorithm in another case", header: #"{"alg":"hs256","kid":"k1","typ":"JWT"}"#),
        Forgery(name: "the algorithm twice", header: #"{"alg":"HS256","alg":"HS256","kid":"k1","typ":"JWT"}"#),
        Forgery(name: "another key's name", header: #"{"alg":"HS256","kid":"k2","typ":"JWT"}"#),
        Forgery(name: "no key's name", header: #"{"alg":"HS256","typ":"JWT"}"#),
        Forgery(name: "a key in the header", header: #"{"alg":"HS256","kid":"k1","typ":"JWT","jwk":{"kty":"oct","k":"AAAA"}}"#),
        Forgery(name: "a key's address in the header", header: #"{"alg":"HS256","kid":"k1","typ":"JWT","jku":"http://x/"}"#),
        Forgery(name: "critical extensions", header: #"{"alg":"HS256","kid":"k1","typ":"JWT","crit":["exp"]}"#),
        Forgery(name: "a header that is no JSON", header: "HS256"), Forgery(name: "an empty header", header: ""),
        Forgery(name: "an unknown key", key: SigningKey(KeyRecord(id: "k1", purpose: "ticket", secret: [3], created: Timestamp(milliseconds: 0)))),
        Forgery(name: "cut", change: { String($0.dropLast()) }),
        Forgery(name: "without its signature", change: { $0.split(separator: ".").prefix(2).joined(separator: ".") }),
        Forgery(name: "longer", change: { $0 + "A" }), Forgery(name: "with padding", change: { $0 + "=" }),
        Forgery(name: "a fourth part", change: { $0 + ".AA" }),
        Forgery(name: "with a blank", change: { " " + $0 }), Forgery(name: "other claims", change: { $0.replacing("eyJpc3M", with: "eyJpc3N") }),
        Forgery(name: "huge", claims: Forgery.claims(sub: String(repeating: "a", count: 17 << 10))), Forgery(name: "empty", change: { _ in "" }),
        Forgery(name: "dots alone", change: { _ in ".." }),
        Forgery(name: "another root", claims: Forgery.claims(aud: "https://other.example.com"), fault: .audience),
        Forgery(name: "no root", claims: Forgery.claims(aud: ""), fault: .audience),
        Forgery(name: "over", claims: Forgery.claims(iat: "690", nbf: "690", exp: "990"), fault: .expired),
        Forgery(name: "over by the leeway", claims: Forgery.claims(iat: "900", nbf: "900", exp: "995"), fault: .expired),
        Forgery(name: "of tomorrow", claims: Forgery.claims(iat: "1006", nbf: "1006", exp: "1300"), fault: .early),
        Forgery(name: "for longer than five minutes", claims: Forgery.claims(exp: "1301")),
        Forgery(name: "for all time", claims: Forgery.claims(iat: "\(Int64.min)", nbf: "\(Int64.min)", exp: "\(Int64.max)")),
        Forgery(name: "ends before it begins", claims: Forgery.claims(exp: "999")), Forgery(name: "holds later", claims: Forgery.claims(nbf: "1001")),
        Forgery(name: "a fraction of a second", claims: Forgery.claims(exp: "1300.5")), Forgery(name: "an exponent", claims: Forgery.claims(exp: "13e2")),
        Forgery(name: "a time in quotes", claims: Forgery.claims(exp: #""1300""#)),
        Forgery(name: "too great a number", claims: Forgery.claims(exp: "9223372036854775808")),
        Forgery(name: "a claim twice", claims: Forgery.claims(more: #","sub":"admin""#)),
        Forgery(name: "a claim twice, escaped", claims: Forgery.claims(more: #","s\u0075b":"admin""#)),
        Forgery(name: "one claim more", claims: Forgery.claims(more: #","x":1"#)), Forgery(name: "one claim less", claims: #"{"iss":"entrepot"}"#),
        Forgery(name: "another issuer", claims: Forgery.claims(iss: "other")), Forgery(name: "no name", claims: Forgery.claims(sub: "")),
        Forgery(name: "a name that is none", claims: Forgery.claims(sub: "a b")), Forgery(name: "hangs on nothing", claims: Forgery.claims(via: "")),
        Forgery(name: "hangs on something else", claims: Forgery.claims(via: "ldap:x")),
        Forgery(name: "a short epoch", claims: Forgery.claims(via: "password:AQ")),
        Forgery(name: "an unknown action", claims: Forgery.claims(access: #"[{"repository":"r","path":"p","actions":["pull"]}]"#)),
        Forgery(name: "a repository that is none", claims: Forgery.claims(access: #"[{"repository":"a/b","path":"p","actions":["read"]}]"#)),
        Forgery(name: "access of another kind", claims: Forgery.claims(access: #"[{"type":"r","name":"p","actions":["read"]}]"#)),
        Forgery(name: "too deep", claims: Forgery.claims(access: String(repeating: "[", count: 2000) + String(repeating: "]", count: 2000))),
        Forgery(name: "two values", claims: Forgery.good + "{}"), Forgery(name: "claims that are a list", claims: "[]"),
    ]

    @Test("what is not exactly a ticket of this server is none", arguments: Self.forgeries)
    func refused(_ forgery: Forgery) {
        let error = #expect(throws: TicketText.Fault.self) {
            try TicketText.open(forgery.text, signedWith: [Self.key, Self.other], audience: forgery.audience, now: Self.now)
        }
        #expect(error == forgery.fault)
    }

    @Test("the parts that forgeries are made of make a ticket where nothing is wrong with them")
    func control() throws {
        let claims = try TicketText.open(Forgery(name: "").text, signedWith: [Self.key], audience: Self.audience, now: Self.now)
        #expect(claims.subject?.text == "ann" && claims.basis == .password(epoch: Array(repeating: 1, count: 16)))
    }

    @Test("a ticket that would be too long is not made")
    func tooLong() throws {
        var claims = try Self.claims(.token(id: 1))
        claims.permits = Array(repeating: claims.permits[0], count: 300)
        #expect(TicketText.sign(claims, with: Self.key) == nil)
    }

    @Test("a signed subject is read as it was signed, with its prefix and by its key alone", arguments: [nil, 77] as [Int64?])
    func subjects(expires: Int64?) throws {
        for basis in [Principal.Basis.password(epoch: Array(0..<16)), .token(id: .max), .token(id: 1)] {
            for name in ["a", "é", String(repeating: "a", count: 128)] {
                let subject = SignedSubject(name: try AccountName(name), basis: basis, expires: expires.map { Timestamp(milliseconds: $0) })
                let text = try #require(subject.text(prefix: "entrepotr_", signedWith: Self.key))
                #expect(SignedSubject(text, prefix: "entrepotr_", signedWith: [Self.other, Self.key]) == subject)
                #expect(SignedSubject(text, prefix: "entrepotr_", signedWith: [Self.other]) == nil)
                #expect(SignedSubject(text, prefix: "entrepots_", signedWith: [Self.key]) == nil)
                #expect(SignedSubject(String(text.dropLast()), prefix: "entrepotr_", signedWith: [Self.key]) == nil)
            }
        }
        #expect(SignedSubject(name: try AccountName("a"), basis: .nothing).text(prefix: "", signedWith: Self.key) == nil)
    }

    @Test("every changed character of a signed subject makes it none")
    func changedSubjects() throws {
        let text = try #require(SignedSubject(name: try AccountName("ann"), basis: .token(id: 5)).text(prefix: "p_", signedWith: Self.key))
        for index in text.indices {
            var changed = text
            changed.replaceSubrange(index...index, with: text[index] == "A" ? "B" : "A")
            #expect(SignedSubject(changed, prefix: "p_", signedWith: [Self.key]) == nil)
        }
    }
}
