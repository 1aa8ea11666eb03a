import ArtifactModel
import Foundation
import Testing

@testable import Audit

@Suite("A line of the trail") struct LineTests {
    private func made(_ body: (inout LineMaker, inout [UInt8]) -> Void) -> String {
        var (maker, bytes) = (LineMaker(after: .start), [UInt8]())
        body(&maker, &bytes)
        return String(decoding: bytes, as: UTF8.self)
    }

    private static var full: AuditEvent {
        var event = AuditEvent(time: Timestamp(milliseconds: 1_795_780_800_123), kind: .pull)
        event.request = "r-1"
        event.principal = "ann"
        event.means = "token ci"
        event.client = "10.0.0.1"
        event.repository = "docker-local"
        event.operation = "manifest.read"
        event.subject = "team/app:1.0"
        event.digest = "sha256:00ff"
        event.status = 200
        event.bytes = 1234
        event.rule = "grant"
        event.cut = true
        event.detail = "why"
        return event
    }

    @Test("has its members in a fixed order, the chain last, and begins a segment with what was before it")
    func golden() {
        let text = self.made { maker, bytes in
            maker.addHeader(after: "2026-11-26.jsonl", at: Timestamp(milliseconds: 1_795_780_800_000), to: &bytes)
            maker.add(Self.full, to: &bytes)
            maker.add(AuditEvent(time: Timestamp(milliseconds: 1_795_780_801_007), kind: .login), to: &bytes)
        }
        // What sha256sum says of the first two.
        #expect(
            text == """
                {"time":"2026-11-27T12:00:00.000Z","kind":"segment","version":1,"after":"2026-11-26.jsonl","seq":1,"prev":"\(String(repeating: "0", count: 64))"}
                {"time":"2026-11-27T12:00:00.123Z","kind":"pull","request":"r-1","principal":"ann","means":"token ci","client":"10.0.0.1",\
                "repository":"docker-local","operation":"manifest.read","subject":"team/app:1.0","digest":"sha256:00ff","status":200,"bytes":1234,\
                "rule":"grant","cut":true,"detail":"why","seq":2,"prev":"c62168f759ebc62a3589925761b0c80c0b83dbda4df442e9f6432eb0b0742582"}
                {"time":"2026-11-27T12:00:01.007Z","kind":"login","seq":3,"prev":"176290ba8273ca0b852b96a5f6bb339d2b396445181160f049a807a10470a5db"}

                """)
    }

    @Test(
        "is valid JSON that says the text, whatever the text is",
        arguments: [
            "\"", "\\", "\n\r\t\u{0}\u{1}\u{1F}\u{7F}", "a\u{2028}b", "é", "e\u{301}", "👩‍👩‍👧", "\u{FFFD}\u{FFFE}", "\",\"seq\":9,\"prev\":\"", "}\n{", " ",
            String(decoding: [0xFF, 0xC0, 0x41] as [UInt8], as: UTF8.self),
        ])
    func hostile(_ text: String) throws {
        let line = self.made { maker, bytes in maker.add(.pull(text), to: &bytes) }
        #expect(line.utf8.filter { $0 == UInt8(ascii: "\n") }.count == 1)
        let members = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(members["subject"] as? String == text && members["seq"] as? Int == 1)
        #expect(Array(line.utf8.dropLast()).withUnsafeBytes { ChainLine($0) }?.seq == 1)
    }

    @Test("escapes what JSON wants escaped, wherever it stands, and nothing else", arguments: UInt8(0)..<128)
    func everyByte(_ byte: UInt8) throws {
        for at in 0..<17 {
            let text = String(decoding: (0..<17).map { $0 == at ? byte : UInt8(ascii: "a") }, as: UTF8.self)
            let line = self.made { maker, bytes in maker.add(.pull(text), to: &bytes) }
            let members = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
            #expect(members["subject"] as? String == text)
            #expect(line.contains("\\") == (byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\")))
        }
    }

    @Test("has a bound, however long the texts are, and cuts them between characters")
    func bounds() throws {
        var event = Self.full
        for path in [\AuditEvent.request, \.principal, \.means, \.client, \.repository, \.operation, \.digest, \.rule, \.detail] {
            event[keyPath: path] = String(repeating: "\u{1}", count: 1 << 20)
        }
        event.subject = String(repeating: "é", count: 1 << 19) + "x"
        let line = self.made { maker, bytes in maker.add(event, to: &bytes) }
        #expect(line.utf8.count <= LineMaker.mostBytes)
        let members = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
        #expect(members["subject"] as? String == String(repeating: "é", count: 2048) + "…")
        #expect((members["principal"] as? String)?.count == 1025)
        event.subject = "x" + event.subject
        let other = self.made { maker, bytes in maker.add(event, to: &bytes) }
        #expect(other.contains("xé") && other.contains("é…") && !other.contains("\u{FFFD}"))
    }

    @Test(
        "has its moment in UTC, with milliseconds",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_780_799_999, "2026-11-27T11:59:59.999Z"), (.max, "9999"),
        ] as [(Int64, String)])
    func moments(_ milliseconds: Int64, _ text: String) { #expect(UTCText.text(Timestamp(milliseconds: milliseconds)).hasPrefix(text)) }

    @Test("is read back from its end", arguments: [1, 9, 10, 12345, 999_999_999_999_999])
    func readBack(_ seq: Int64) throws {
        var (maker, bytes) = (LineMaker(after: ChainEnd(seq: seq - 1, hash: .none)), [UInt8]())
        maker.add(.pull("x"), to: &bytes)
        let line = try #require(bytes.dropLast().withUnsafeBytes { ChainLine($0) })
        #expect(line.end == maker.end && line.prev == .none && ChainEnd(maker.end.text) == maker.end)
    }

    @Test(
        "is none where it does not end as one",
        arguments: [
            "", "{}", "\"}",
            #"{"time":"","seq":0,"prev":"\#(zeros)"}"#, #"{"time":"","seq":01,"prev":"\#(zeros)"}"#, #"{"time":"","seq":,"prev":"\#(zeros)"}"#,
            #"{"time":"","seq":1,"prev":"\#(zeros.uppercased().dropLast() + "A")"}"#, #"{"seq":1,"prev":"\#(zeros)"}"#,
            #"{"time":"","seq":1,"prev":"\#(zeros)"} "#,
            #"{"time":"","seq":99999999999999999999,"prev":"\#(zeros)"}"#,
        ])
    func noLine(_ text: String) { #expect(Array(text.utf8).withUnsafeBytes { ChainLine($0) } == nil) }
}

private let zeros = String(repeating: "0", count: 64)
