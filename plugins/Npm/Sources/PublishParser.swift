import FormatAPI
import NIOCore

/// What a publish says, as it comes: the document as a value, and the bytes of its attachments one behind the other, which are not kept.
struct PublishParser: Sendable {
    enum Event: Sendable {
        /// The bytes of the attachment come next.
        case attachment(String)
        case attachmentEnded
        case document(JSONValue)
    }

    /// Of an input, at most, in bytes: what is decoded of it is three quarters as long.
    static let batch = 256 << 10

    private var tokenizer: JSONTokenizer
    private var visitor: PublishVisitor
    private var offset: Int64 = 0

    init(_ limits: JSONTree.Limits) {
        self.tokenizer = JSONTokenizer(deepest: limits.depth)
        self.visitor = PublishVisitor(limits)
    }

    /// Reads on, to the next event or to the end of a batch. Work for the pool.
    /// - Returns: what was decoded of the attachment that is being read, and the event that came after it.
    /// - Throws: `.invalidRequest`, `.tooLarge`.
    mutating func read(_ input: inout ByteBuffer) throws(FormatError) -> (bytes: ByteBuffer, event: Event?) {
        let batch = input.getSlice(at: input.readerIndex, length: min(input.readableBytes, Self.batch)) ?? input
        do {
            let taken = try batch.withUnsafeReadableBytes { bytes in try self.tokenizer.feed(bytes, at: self.offset, &self.visitor) }
            input.moveReaderIndex(forwardBy: taken)
            self.offset += Int64(taken)
        } catch {
            throw self.refused(error)
        }
        return self.visitor.take()
    }

    /// - Throws: `.invalidRequest` where the document has not ended.
    mutating func finish() throws(FormatError) -> JSONValue {
        do {
            try self.tokenizer.finish(at: self.offset, &self.visitor)
        } catch {
            throw self.refused(error)
        }
        guard let document = self.visitor.document, document.members != nil else {
            throw FormatError(.invalidRequest, "a package is published as a JSON object")
        }
        return document
    }

    private func refused(_ error: any Error) -> FormatError {
        if self.visitor.isTooLarge {
            return FormatError(.tooLarge, "this has more metadata than a package may have: shorten the README, or publish fewer versions at once")
        }
        return FormatError(.invalidRequest, (error as? JSONFlaw)?.message ?? "this is not JSON", cause: error)
    }
}

/// Tells the attachments' bytes from the rest of the document.
private struct PublishVisitor: JSONVisitor, Sendable {
    static var pauses: Bool { true }
    /// A version has a tarball and, where it was built in public, what proves that.
    private static let mostAttachments = 16

    private(set) var isPaused = false
    private var tree: JSONTree
    private var decoder: Base64Decoder?
    private var isInAttachment = false
    private var names: [String] = []
    private var bytes = ByteBuffer()
    private var event: PublishParser.Event?

    init(_ limits: JSONTree.Limits) { self.tree = JSONTree(limits) }

    var document: JSONValue? { self.tree.value }
    var isTooLarge: Bool { self.tree.isTooLarge }

    mutating func take() -> (bytes: ByteBuffer, event: PublishParser.Event?) {
        defer {
            self.bytes = ByteBuffer()
            self.event = nil
            self.isPaused = false
        }
        return (self.bytes, self.event)
    }

    mutating func key(_ text: UnsafeRawBufferPointer) throws(JSONFlaw) { try self.tree.key(text) }

    mutating func begin(_ kind: JSONKind, at offset: Int64) throws(JSONFlaw) -> JSONInterest {
        let path = self.tree.path
        guard kind == .string, path.count == 3, path[0] == "_attachments", path[2] == "data" else { return try self.tree.begin(kind, at: offset) }
        guard !self.names.contains(path[1]), self.names.count < Self.mostAttachments else {
            throw JSONFlaw(message: "there are too many attachments, or «\(path[1].prefix(200))» has its data twice", offset: offset)
        }
        // What is kept of the data is that it was there.
        _ = try self.tree.begin(.null, at: offset)
        self.names.append(path[1])
        // npm 9 and later send the proof of provenance as its text, and nothing else so.
        self.decoder = path[1].hasSuffix(".sigstore") ? nil : Base64Decoder()
        self.isInAttachment = true
        self.pause(.attachment(path[1]))
        return .pieces
    }

    mutating func piece(_ bytes: UnsafeRawBufferPointer) throws(JSONFlaw) {
        guard self.decoder != nil else {
            self.bytes.writeBytes(bytes)
            return
        }
        do {
            try self.decoder?.decode(bytes, into: &self.bytes)
        } catch {
            throw self.notBase64
        }
    }

    mutating func end(at offset: Int64, text: UnsafeRawBufferPointer?) throws(JSONFlaw) {
        if self.isInAttachment {
            self.isInAttachment = false
            do { try self.decoder?.finish() } catch { throw self.notBase64 }
            self.pause(.attachmentEnded)
        }
        try self.tree.end(at: offset, text: text)
    }

    private mutating func pause(_ event: PublishParser.Event) {
        self.event = event
        self.isPaused = true
    }

    private var notBase64: JSONFlaw { JSONFlaw(message: "the data of «\(self.names.last?.prefix(200) ?? "")» is not base64", offset: 0) }
}
