import ArtifactModel
import StorageAPI
import TestDice
import Testing

@testable import AccessControl

@Suite("Texts that nobody meant")
struct FuzzTests {
    private static let pieces = [
        ":", "*", "**", "/", "$", ",", "=", ".", "entrepot_", "ln=99", "é", "\u{0}", "\"", "{", "}", "[", "\\u0000", "\\ud800", "null", "1e9", "-1", "AAAA",
        "9223372036854775807", "read", "system",
    ]

    @Test("damaged grants are none, or are written as they were read and cover nothing that the original's action does not", arguments: [1, 2, 3])
    func grants(seed: UInt64) throws {
        var dice = Dice(state: seed)
        let seeds = ["read:*", "write:docker-local:acme/**", "delete:files:a:b", "admin:maven-*", "system:users", "explain:hub:**/x*y"]
        let files = try RepositoryName("files")
        for _ in 0..<4000 {
            let text = dice.damagedText(dice.pick(seeds), Self.pieces)
            guard let grant = try? Grant(text) else { continue }  // refused is fine
            #expect(grant.description == text)
            for action in Action.allCases where !text.hasPrefix(action.rawValue) { #expect(!grant.covers(Access(action, path: "a/b"), of: files)) }
            let exact = grant.covers(Access(.read, path: "acme/app"), of: files)
            if exact { #expect(grant.covers(.some(.read, below: "acme/"), of: files), "\(text)") }
        }
    }

    @Test("damaged Authorization headers are read without a crash, and no name has a colon", arguments: [1, 2, 3])
    func credentials(seed: UInt64) {
        var dice = Dice(state: seed)
        let basic = ["ann:secret", ":", "a:", ":b", "a:b:c", "é:ü"].map { "Basic \(Base64.text($0.utf8, .standard))" }
        let seeds = basic + ["Bearer entrepot_abc", "bearer a.b.c", "BASIC  YTpi", "Basic YTpi=", "Negotiate x", "Basic", "Bearer ", ""]
        for _ in 0..<6000 {
            let text = dice.damagedText(dice.pick(seeds), Self.pieces + [" ", "=", "==", "Basic ", "\t"])
            switch Credentials(authorization: [text]) {
            case .basic(let name, let secret): #expect(!name.contains(":") && !(name.isEmpty && secret.isEmpty))
            case .bearer(let token): #expect(!token.isEmpty && token.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F })
            case .none, .unreadable: break
            }
            #expect(Credentials(authorization: [text, text]) == .unreadable)
        }
        #expect(Credentials(authorization: []) == .none)
        #expect(Credentials(authorization: ["Basic " + String(repeating: "A", count: Credentials.longest)]) == .unreadable)
    }

    @Test("damaged token texts are none", arguments: [1, 2, 3])
    func tokens(seed: UInt64) {
        var dice = Dice(state: seed)
        let token = TokenText(random: { count in (0..<count).map { UInt8(truncatingIfNeeded: $0 * 7) } })
        for _ in 0..<4000 {
            let text = dice.damagedText(token.text, Self.pieces)
            #expect((TokenText(text) != nil) == (text == token.text))
        }
    }

    @Test("damaged hashes are none, or are written as they were read and cost no more than is allowed", arguments: [1, 2, 3])
    func hashes(seed: UInt64) {
        var dice = Dice(state: seed)
        let seeds = [CountingScheme.hash("x").text, CountingScheme.hash("y").text.replacing("ln=14,r=8,p=5", with: "ln=17,r=8,p=2")]
        for _ in 0..<4000 {
            let text = dice.damagedText(dice.pick(seeds), Self.pieces)
            guard let hash = try? PasswordHash(text) else { continue }  // refused is fine
            #expect(hash.text == text)
            #expect(hash.cost.logarithm <= 17 && !hash.cost.isTooHigh && !hash.cost.isTooLow)
        }
    }

    @Test("damaged tickets are none, and damaged claims that are signed are none or say what they say", arguments: [1, 2, 3])
    func tickets(seed: UInt64) throws {
        var dice = Dice(state: seed)
        let now = Timestamp(milliseconds: 1_000_000)
        let good = Forgery(name: "", claims: Forgery.claims(access: #"[{"repository":"r","path":"p","actions":["read"]}]"#))
        for round in 0..<3000 {
            var forgery = good
            if round % 2 == 0 {
                forgery.claims = dice.damagedText(good.claims, Self.pieces)
            } else {
                forgery.header = dice.damagedText(good.header, Self.pieces)
            }
            let text = dice.next() % 4 == 0 ? dice.damagedText(forgery.text, Self.pieces) : forgery.text
            guard let claims = try? TicketText.open(text, signedWith: [TicketTests.key], audience: TicketTests.audience, now: now) else { continue }  // refused
            #expect(claims.expires - claims.issued <= 300 && ByteText.equal(claims.audience, TicketTests.audience))
            // What was read is written to the same again.
            let again = try #require(TicketText.sign(claims, with: TicketTests.key))
            #expect(try TicketText.open(again, signedWith: [TicketTests.key], audience: TicketTests.audience, now: now) == claims)
        }
    }

    @Test("damaged JSON is refused, or read without a crash", arguments: [1, 2, 3])
    func json(seed: UInt64) {
        var dice = Dice(state: seed)
        let seeds = [Forgery.good, #"{"a":[1,-2,true,false,null,"\ud83d\ude00\n\\"],"b":{"c":{}}}"#, #"["\u0041",[],[[]]]"#]
        for _ in 0..<6000 { _ = StrictJSON(dice.damaged(dice.pick(seeds), Self.pieces)) }
        #expect(StrictJSON(Array(#"["😀"]"#.utf8)) == StrictJSON(Array(#"["\ud83d\ude00"]"#.utf8)))
        #expect(StrictJSON([0x22, 0xFF, 0x22]) == nil && StrictJSON([]) == nil)
    }
}

extension Dice {
    fileprivate mutating func damagedText(_ text: String, _ pieces: [String]) -> String { String(decoding: self.damaged(text, pieces), as: UTF8.self) }
}
