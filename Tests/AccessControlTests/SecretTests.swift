import ArtifactModel
import TestDice
import Testing

@testable import AccessControl

@Suite("Tokens, hashes and the texts they are written as")
struct SecretTests {
    @Test("bytes are read from Base64 as they were written, and in no second way")
    func base64() {
        for alphabet in [Base64.Alphabet.standard, .url] {
            for count in 0...40 {
                let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 * 89 + count) }
                #expect(Base64.bytes(Base64.text(bytes, alphabet).utf8, alphabet) == bytes)
            }
        }
        #expect(Base64.text("foobar".utf8, .standard) == "Zm9vYmFy")
        #expect(Base64.text([0xFB, 0xFF], .url) == "-_8" && Base64.text([0xFB, 0xFF], .standard) == "+/8")
        for text in ["Zg==", "Zh", "Z", "Zm9vYmF", "Zg\n", "Zm 9", "-_9", "+/8"] { #expect(Base64.bytes(text.utf8, .url) == nil, "\(text)") }
    }

    @Test("a token has its prefix, 36 characters and their checksum; a mistyped one is none, whichever character it is")
    func tokens() throws {
        #expect(Checksum.crc32("123456789".utf8) == 0xCBF4_3926)
        let token = TokenText(random: SystemRandomNumberGenerator.bytes)
        #expect(token.text.wholeMatch(of: /entrepot_[0-9A-Za-z]{42}/) != nil)
        #expect(TokenText(token.text) == token)
        #expect("\(token)" == "entrepot_***")
        #expect(token.hash.count == 32)
        for index in token.text.indices {
            var text = token.text
            text.replaceSubrange(index...index, with: token.text[index] == "x" ? "y" : "x")
            #expect(TokenText(text) == nil)
        }
        #expect(TokenText(token.text + "a") == nil && TokenText(String(token.text.dropLast())) == nil && TokenText("") == nil)
    }

    @Test("the checksum is what a scanner computes that knows only its description")
    func knownToken() {
        #expect(TokenText(random: { Array(repeating: 0, count: $0) }).text == "entrepot_000000000000000000000000000000000000" + Self.zerosChecksum)
    }
    /// CRC-32 of `entrepot_` and 36 zeros, by another program.
    private static let zerosChecksum = "3be7uF"

    @Test("characters are as likely as each other: bytes that would favour some are passed over")
    func uniform() {
        // 248 is the first byte beyond four times 62.
        #expect(RandomText.make(3, of: RandomText.all, { _ in [255, 248, 247, 0, 61, 62] }) == "z0z")
    }

    @Test(
        "a hash is read as it was written",
        arguments: [
            "ln=14,r=8,p=5", "ln=14,r=8,p=16", "ln=15,r=8,p=3", "ln=16,r=8,p=2", "ln=17,r=8,p=1", "ln=17,r=8,p=2",
        ])
    func hashes(cost: String) throws {
        let text = "$scrypt$\(cost)$\(Self.salt)$\(Self.hash)"
        #expect(try PasswordHash(text).text == text)
        #expect(try "\(PasswordHash(text))" == "$scrypt$***")
    }
    private static let salt = Base64.text([UInt8](repeating: 7, count: 16), .standard)
    private static let hash = Base64.text([UInt8](repeating: 9, count: 32), .standard)

    @Test(
        "what is no hash, and one that protects too little or costs too much, is refused for what it is",
        arguments: [
            ("", PasswordHash.Unfit.unreadable), ("secret", .unreadable), ("$2b$12$abcdefghijklmnopqrstuv", .unreadable),
            ("$scrypt$ln=14,r=8,p=5$\(salt)", .unreadable), ("$scrypt$ln=14,r=8,p=5$\(salt)$\(hash)$", .unreadable),
            ("$scrypt$ln=14,p=5,r=8$\(salt)$\(hash)", .unreadable), ("$scrypt$ln=014,r=8,p=5$\(salt)$\(hash)", .unreadable),
            ("$scrypt$ln=14,r=8,p=05$\(salt)$\(hash)", .unreadable), ("$scrypt$ln=14,r=8,p=+5$\(salt)$\(hash)", .unreadable),
            ("$scrypt$ln=14,r=16,p=5$\(salt)$\(hash)", .unreadable), ("$scrypt$ln=14,r=8,p=0$\(salt)$\(hash)", .unreadable),
            ("$scrypt$ln=14,r=8,p=5,x=1$\(salt)$\(hash)", .unreadable), ("$scrypt$ln=14,r=8,p=5$AAAA$\(hash)", .unreadable),
            ("$scrypt$ln=14,r=8,p=5$\(salt)$AAAA", .unreadable), ("$scrypt$ln=14,r=8,p=5$\(salt)$\(hash)=", .unreadable),
            ("x$scrypt$ln=14,r=8,p=5$\(salt)$\(hash)", .unreadable), ("$SCRYPT$ln=14,r=8,p=5$\(salt)$\(hash)", .unreadable),
            ("$scrypt$ln=14,r=8,p=4$\(salt)$\(hash)", .tooLow), ("$scrypt$ln=13,r=8,p=10$\(salt)$\(hash)", .tooLow),
            ("$scrypt$ln=1,r=8,p=1$\(salt)$\(hash)", .tooLow), ("$scrypt$ln=18,r=8,p=1$\(salt)$\(hash)", .tooHigh),
            ("$scrypt$ln=99,r=8,p=99$\(salt)$\(hash)", .tooHigh), ("$scrypt$ln=17,r=8,p=3$\(salt)$\(hash)", .tooHigh),
        ] as [(String, PasswordHash.Unfit)])
    func unfit(text: String, reason: PasswordHash.Unfit) {
        let error = #expect(throws: PasswordHash.Unfit.self) { try PasswordHash(text) }
        #expect(error == reason)
    }

    @Test("a password matches its own hash and no other; the same one has another hash the next time")
    func passwords() throws {
        let hash = try PasswordHash.make("pässword", random: SystemRandomNumberGenerator.bytes)
        #expect(hash.cost == .standard)
        #expect(try PasswordHash(hash.text).matches("pässword"))
        #expect(try !hash.matches("password"))
        #expect(try PasswordHash.make("pässword", random: SystemRandomNumberGenerator.bytes) != hash)
    }

    @Test("scrypt is that of RFC 7914, 12")
    func vector() throws {
        let hex = "7023bdcb3afd7348461c06cd81fd38ebfda8fbba904f8e3ea9b543f6545da1f2d5432955613f0fcf62d49705242a9af9e61e85dc0d651e40dfcf017b45575887"
        let bytes = stride(from: 0, to: hex.utf8.count, by: 2).compactMap { UInt8(hex.dropFirst($0).prefix(2), radix: 16) }
        #expect(
            try PasswordHash(cost: .init(logarithm: 14, parallelism: 1), salt: Array("SodiumChloride".utf8), hash: bytes).matches("pleaseletmein"))
    }

    @Test(
        "a new password is neither short nor endless, has no control characters, and is no token",
        arguments: [
            ("12345678", true), ("correct horse battery", true), ("pässwörd", true), (String(repeating: "a", count: 256), true), ("1234567", false),
            (String(repeating: "a", count: 257), false), ("1234567\n", false), ("12345678\u{7F}", false), ("12345678\u{85}", false), ("", false),
            ("entrepot_12345678", false),
        ])
    func rule(password: String, isAllowed: Bool) { #expect(PasswordRule.allows(password) == isAllowed) }

    @Test("a random password is allowed, has no characters that look like others, and is another one the next time")
    func random() {
        let passwords = (0..<50).map { _ in PasswordRule.random(SystemRandomNumberGenerator.bytes) }
        #expect(passwords.allSatisfy { PasswordRule.allows($0) && $0.wholeMatch(of: /[2-9A-HJ-NP-Za-km-z]{24}/) != nil })
        #expect(Set(passwords).count == 50)
    }

    @Test("a name has no blanks, colons or control characters, and is another one in another spelling of é")
    func names() throws {
        for text in ["ann", "ann@example.com", "A_b-1", "é", String(repeating: "a", count: 128)] { #expect(try AccountName(text).text == text) }
        for text in ["", "a b", "a:b", "a\tb", "a\u{7F}", String(repeating: "a", count: 129)] { #expect(throws: InvalidName.self) { try AccountName(text) } }
        #expect(try AccountName("caf\u{E9}") != AccountName("cafe\u{301}"))
    }
}
