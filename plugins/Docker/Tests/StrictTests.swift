import ArtifactModel
import FormatAPI
import NIOCore
import Testing

@testable import DockerFormat

@Suite("Manifests that readers could understand differently")
struct StrictTests {
    @Test(
        "an ambiguous or malformed text is MANIFEST_INVALID, however deep the fault lies",
        arguments: [
            #"{"schemaVersion":2,"schemaVersion":2,"manifests":[]}"#, #"{"schemaVersion":2,"manifests":[],"a":{"b":[{"c":1,"c":2}]}}"#,
            #"{"schemaVersion":2,"manifests":[],"annotations":{"k":"1","\u006b":"2"}}"#, #"{"schemaVersion":2,"manifests":[],"Layers":[]}"#,
            #"{"schemaVersion":2,"manifests":[],"manife\u017ft\u017f":[]}"#, #"{"schemaVersion":2,"manifests":[{"Digest":"x"}]}"#,
            #"{"schemaVersion":2,"manifests":[],"x":"\ud800"}"#, #"{"schemaVersion":2,"manifests":[],"x":"\q"}"#, #"{"schemaVersion":2,"manifests":[],"x":01}"#,
            #"{"schemaVersion":2,"manifests":[],"x":1.}"#, #"{"schemaVersion":2,"manifests":[],}"#, #"{"schemaVersion":2,"manifests":[]} x"#,
            #"{"schemaVersion":2,"manifests":[],"x":nul}"#, "{\"schemaVersion\":2,\"manifests\":[],\"x\":\"\u{1}\"}",
            "\u{FEFF}{\"schemaVersion\":2,\"manifests\":[]}",
            #"{"schemaVersion":2,"manifests":[],"x":+1}"#, #"{"schemaVersion":2,"manifests":[],"x":[1,]}"#,
            #"{"schemaVersion":2,"manifests":[],"x":"#, #"{"schemaVersion":2,"manifests":[],"x":"\u12"#,
        ])
    func refused(_ text: String) {
        let error = #expect(throws: FormatError.self) { try Manifest(ByteBuffer(string: text), declared: indexType) }
        #expect(error?.code == .invalidRequest && error?.detail == "MANIFEST_INVALID")
    }

    @Test(
        "what JSON allows is taken",
        arguments: [
            #" {"schemaVersion":2,"manifests":[],"x":[true,false,null,-0.5e+3,0,"\ud83d\ude00\n\/"],"y":{}} "#,
            #"{"schemaVersion":2,"manifests":[],"annotations":{"Author":"a","author":"b","Layers":"c"}}"#,
            #"{"schemaVersion":2,"manifests":[],"extension":{"Digest":1,"digest":2}}"#,
        ])
    func taken(_ text: String) throws { _ = try Manifest(ByteBuffer(string: text), declared: indexType) }

    private static func filling(_ head: String, _ piece: String, _ tail: String) -> ByteBuffer {
        let count = (Manifest.largest - head.utf8.count - tail.utf8.count) / piece.utf8.count
        return ByteBuffer(string: head + String(repeating: piece, count: count) + tail)
    }

    @Test("8 MiB of nesting, of numbers, of small objects or of descriptors are refused before they are decoded")
    func bounded() throws {
        let entry = #"{"digest":"sha256:\#(String(repeating: "a", count: 64))","size":1},"#
        let head = #"{"schemaVersion":2,"manifests":["#
        for bytes in [
            Self.filling(#"{"x":"#, "[", ""), Self.filling(#"{"x":"#, #"{"a":"#, ""), Self.filling(#"{"schemaVersion":2,"manifests":[],"x":["#, "1,", "1]}"),
            Self.filling(head, "{},", "{}]}"), ByteBuffer(string: head + String(repeating: entry, count: 70_000) + "{}]}"),
            Self.filling("", " ", ""),
        ] {
            let error = #expect(throws: FormatError.self) { try Manifest(bytes, declared: indexType) }
            #expect(error?.detail == "MANIFEST_INVALID")
        }
    }

    @Test("a manifest may name 10,000 others, and not one more", arguments: [(10_000, true), (10_001, false)])
    func parts(count: Int, isTaken: Bool) throws {
        let entries = (0..<count).map { number in
            let hex = String(number, radix: 16)
            return #"{"mediaType":"\#(imageType)","digest":"sha256:\#(String(repeating: "0", count: 64 - hex.count))\#(hex)","size":1}"#
        }
        let bytes = ByteBuffer(string: #"{"schemaVersion":2,"manifests":[\#(entries.joined(separator: ","))]}"#)
        #expect(((try? Manifest(bytes, declared: indexType)) != nil) == isTaken)
    }
}
