import ArtifactModel
import FormatAPI
import NIOCore

@testable import NpmFormat

/// A part of a document, as the engine has it.
struct TestSource {
    var outline = Outline()
    var bytes: [UInt8] = []

    /// An upstream's.
    /// - Parameter cuts: places between pieces.
    init(upstream text: String, of package: String = "hello", cuts: [Int] = []) throws {
        self.bytes = Array(text.utf8)
        self = try TestSource(upstream: self.bytes, of: package, cuts: cuts)
    }

    init(upstream bytes: [UInt8], of package: String = "hello", cuts: [Int] = []) throws {
        self.bytes = bytes
        var scanner = PackumentScanner(try NpmName(package))
        var at = 0
        for end in cuts + [bytes.count] where end > at {
            try scanner.feed(ByteBuffer(bytes: bytes[at..<end]), at: Int64(at), into: &self.outline)
            at = end
        }
        try scanner.finish(into: &self.outline)
        self.outline.seal()
    }

    /// A hosted repository's.
    init(_ fragments: [Fragment], of form: Packument.Key.Form, tags: [String: String], attributes: String?) {
        for fragment in fragments where fragment.document.kind == "npm.\(form.rawValue)" {
            let start = Int64(self.bytes.count)
            self.bytes += fragment.bytes
            let slots = fragment.slots.map { DocumentSlot($0.bytes.lowerBound + start..<$0.bytes.upperBound + start, path: $0.path) }
            self.outline.add(
                Outline.Entry(
                    section: fragment.section, name: fragment.name, sortKey: fragment.sortKey, bytes: start..<Int64(self.bytes.count), slots: slots))
        }
        let end = Int64(self.bytes.count)
        for (tag, version) in tags.sorted(by: { $0.key < $1.key }) {
            self.outline.add(Outline.Entry(section: Outline.pointers, name: tag, sortKey: Array(version.utf8), bytes: end..<end))
        }
        if let attributes { self.outline.add(Outline.Entry(section: Outline.package, name: "", sortKey: Array(attributes.utf8), bytes: end..<end)) }
        self.outline.seal()
    }

    func slice(_ entry: Outline.Entry) -> String { self.slice(entry.bytes) }
    func slice(_ range: Range<Int64>) -> String { String(decoding: self.bytes[Int(range.lowerBound)..<Int(range.upperBound)], as: UTF8.self) }
}

/// The document that a client gets, on `http://us/npm`.
func composed(_ sources: [TestSource], _ form: Packument.Key.Form = .full, of package: String = "hello") throws -> String {
    var plan = DocumentPlan()
    try Packument.compose(sources.map(\.outline), Packument.Key(package: try NpmName(package), form: form), into: &plan)
    var out: [UInt8] = []
    for piece in plan.pieces {
        switch piece {
        case .text(let range): out += plan.text[range]
        case .slice(let source, let range): out += sources[source].bytes[Int(range.lowerBound)..<Int(range.upperBound)]
        case .publicBase: out += Array("http://us/npm".utf8)
        case .publicPath: break
        }
    }
    return String(decoding: out, as: UTF8.self)
}
