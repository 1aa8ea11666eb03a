import FormatAPI
import NIOCore
import Testing

@testable import MavenFormat

@Suite("XML that is read")
struct XMLTests {
    private static func events(_ text: String, by step: Int = .max) throws -> [XMLTokenizer.Event] {
        var (tokenizer, events) = (XMLTokenizer(), [XMLTokenizer.Event]())
        var rest = Array(text.utf8)[...]
        while !rest.isEmpty {
            try tokenizer.feed(rest.prefix(step)) { (event) throws(FormatError) in events.append(event) }
            rest = rest.dropFirst(step)
        }
        try tokenizer.finish()
        return events
    }

    private static let whole = """
        \u{FEFF}<?xml version="1.0" encoding="UTF-8"?>
        <!-- <a> -- > is no element -->
        <a x="1>2" y='"'><b/> <c z = "/">  one &amp; <![CDATA[<two>]]> &#x41;&#66; </c
        ><d>\u{e9}</d></a>

        """

    @Test("elements and texts, in pieces of any size", arguments: [1, 2, 3, 7, 1000])
    func pieces(step: Int) throws {
        let wanted: [XMLTokenizer.Event] = [
            .start("a"), .start("b"), .end("b", text: ""), .start("c"), .end("c", text: "one & <two> AB"), .start("d"), .end("d", text: "\u{e9}"),
            .end("a", text: ""),
        ]
        #expect(try Self.events(Self.whole, by: step) == wanted)
    }

    @Test(
        "what is refused",
        arguments: [
            "", "text", "<a>", "<a></b>", "</a>", "<a/><b/>", "<a>&unknown;</a>", "<a>&#xD800;</a>", "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
            "<!DOCTYPE a SYSTEM \"file:///etc/passwd\"><a/>", "<a b=\"<\"/>", "<a><", "<a/>x", "<a>\u{1}</a>", "<a / b>", "< a/>",
            "<a>&verylongentityname;</a>",
            "<![CDATA[x]]>", "<a><!-- ", "<a <b/>",
        ])
    func refused(text: String) {
        #expect(throws: FormatError.self) { try Self.events(text) }
    }

    @Test("bounds: depth, names and texts")
    func bounds() throws {
        #expect(throws: FormatError.self) { try Self.events(String(repeating: "<a>", count: 101)) }
        #expect(throws: FormatError.self) { try Self.events("<\(String(repeating: "a", count: 300))/>") }
        #expect(throws: FormatError.self) { try Self.events("<a>\(String(repeating: "x", count: 70_000))</a>") }
        _ = try Self.events(String(repeating: "<a>", count: 100) + String(repeating: "</a>", count: 100))
    }

    @Test("a POM's own words, and nothing of what is none")
    func models() {
        let pom = """
            <project><parent><name>not this</name></parent><packaging>maven-plugin</packaging><name>Acme &amp; Sons</name><licenses><license><name>MIT</name></license></licenses>
            <dependencies><dependency><groupId>g</groupId><artifactId>a</artifactId><scope>test</scope></dependency></dependencies></project>
            """
        let json = ProjectModel.read(pom.utf8).map { JSON.text($0) }
        #expect(
            json == #"{"dependencies":[{"artifactId":"a","groupId":"g","scope":"test"}],"licenses":["MIT"],"name":"Acme & Sons","packaging":"maven-plugin"}"#)
        #expect(ProjectModel.read("<project><a></project>".utf8) == nil)
    }
}
