import ArtifactModel
import FormatAPI
import NIOCore

/// What came with `PUT /<package>`.
struct PublishBody<Stored: Sendable>: Sendable {
    struct Attachment: Sendable {
        var name: String
        var contentType: String?
        /// In bytes, as the client has it.
        var declaredLength: Int64?
        var stored: Stored
    }
    /// Without `_attachments`.
    var document: JSONValue
    /// In the order in which they came.
    var attachments: [Attachment]
}

/// Reads the body of a publish: a JSON document in which the tarball stands as base64. Of that no more than a batch is in memory, however large it is and
/// however it is cut; all else is kept, up to a limit. Parsing and decoding is done on the pool.
struct PublishReader: Sendable {
    let pool: any BlockingPool
    var limits = JSONTree.Limits()

    /// - Parameter store: called for each attachment that has data, in turn, with its name and its decoded bytes. What it does not read is passed over.
    /// - Throws: `.invalidRequest`, `.tooLarge`; what `body` and `store` throw.
    func read<Stored: Sendable>(
        _ body: ByteStream, storing store: (_ name: String, _ bytes: ByteStream) async throws -> Stored
    ) async throws -> PublishBody<Stored> {
        let feed = PublishFeed(body, self.limits, self.pool)
        var stored: [(name: String, value: Stored)] = []
        while let name = try await feed.attachment() {
            stored.append((name, try await store(name, ByteStream(length: nil) { try await feed.bytes() })))
            while try await feed.bytes() != nil {}
        }
        var document = try await feed.document()
        let described = document["_attachments"]
        document["_attachments"] = nil
        let attachments = stored.map { name, value in
            PublishBody<Stored>.Attachment(
                name: name, contentType: described?[name]?["content_type"]?.string, declaredLength: described?[name]?["length"]?.integer, stored: value)
        }
        return PublishBody(document: document, attachments: attachments)
    }
}

/// A body that two read in turn: the reader, and whoever stores the attachment that it has come to.
private actor PublishFeed {
    private let body: ByteStream
    private let pool: any BlockingPool
    private var parser: PublishParser
    private var input = ByteBuffer()
    private var isAtEnd = false
    private var isInAttachment = false
    private var event: PublishParser.Event?
    /// Decoded, and asked for by nobody yet.
    private var decoded: ByteBuffer?

    init(_ body: ByteStream, _ limits: JSONTree.Limits, _ pool: any BlockingPool) {
        self.body = body
        self.pool = pool
        self.parser = PublishParser(limits)
    }

    /// The name of the next attachment; nil: there is no further one.
    func attachment() async throws -> String? {
        while true {
            switch self.event.take() {
            case .attachment(let name):
                self.isInAttachment = true
                return name
            case .document(let document):
                self.event = .document(document)
                return nil
            case .attachmentEnded, nil: try await self.advance()
            }
        }
    }

    /// The next bytes of the attachment that was named last; nil at its end.
    func bytes() async throws -> ByteBuffer? {
        while self.isInAttachment {
            if let bytes = self.decoded.take(), bytes.readableBytes > 0 { return bytes }
            if case .attachmentEnded? = self.event {
                self.event = nil
                self.isInAttachment = false
            } else {
                try await self.advance()
            }
        }
        return nil
    }

    /// When there is no further attachment.
    func document() throws -> JSONValue {
        guard case .document(let document)? = self.event else { throw FormatError(.internalFailure, "the publish was not read to its end") }
        return document
    }

    /// One batch.
    private func advance() async throws {
        if self.input.readableBytes == 0 { try await self.gather() }
        let (parser, input, isLast) = (self.parser, self.input, self.isAtEnd)
        let step = try await self.pool.run {
            var (parser, input) = (parser, input)
            guard !isLast || input.readableBytes > 0 else {
                let document = try parser.finish()
                return (parser, input, ByteBuffer(), PublishParser.Event.document(document) as PublishParser.Event?)
            }
            let (bytes, event) = try parser.read(&input)
            return (parser, input, bytes, event)
        }
        (self.parser, self.input, self.decoded, self.event) = step
    }

    /// Clients that send a byte at a time are no reason to go to the pool for each.
    private func gather() async throws {
        self.input.clear()
        while self.input.readableBytes < PublishParser.batch / 2 {
            guard var chunk = try await self.body.next() else {
                self.isAtEnd = true
                return
            }
            if self.input.readableBytes == 0 { self.input = chunk } else { self.input.writeBuffer(&chunk) }
        }
    }
}
