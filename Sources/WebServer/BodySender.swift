import ArtifactModel
import FormatAPI
import NIOCore

/// Why a response did not reach its end.
enum DeliveryFailure: Error {
    /// The client went, or stopped taking bytes.
    case client(any Error)
    /// The bytes could not be had.
    case source(any Error)
}

/// Sends one response and counts what was really sent. Files go by sendfile on plain connections: no byte of them is copied here.
struct BodySender {
    /// Back-pressure, cancellation and the look at the page cache happen between regions.
    static let region: Int64 = 4 << 20
    /// What is read at a time where the bytes must be encrypted.
    static let securePiece: Int64 = 512 << 10
    /// A file's piece up to this size is sent with the head, in one write, instead of by sendfile.
    static let small = 64 << 10

    let connection: Connection
    let pool: any BlockingPool
    let cache: PageCache
    let secure: Bool
    let chunked: Bool
    /// What goes ahead of the next bytes: the head, the header of a part.
    private var prefix: ByteBuffer
    /// Of the body, in bytes.
    private(set) var sent: Int64 = 0
    /// When the first write was through.
    private(set) var began: NIODeadline?

    init(_ connection: Connection, head: ByteBuffer, pool: any BlockingPool, cache: PageCache, secure: Bool, chunked: Bool) {
        self.connection = connection
        self.prefix = head
        self.pool = pool
        self.cache = cache
        self.secure = secure
        self.chunked = chunked
    }

    mutating func send(_ body: ResponsePlan.Body) async throws(DeliveryFailure) {
        switch body {
        case .none: break
        case .bytes(let bytes): try await self.write(bytes)
        case .content(let source, let segments):
            for segment in segments { try await self.send(segment, of: source) }
        }
        if self.chunked { self.prefix.writeStaticString("0\r\n\r\n") }
        if self.prefix.readableBytes > 0 { try await self.flush([], 0) }
    }

    private mutating func send(_ segment: ResponsePlan.Segment, of source: any ContentSource) async throws(DeliveryFailure) {
        switch segment {
        case .text(let text):
            self.prefix.writeImmutableBuffer(text)
            self.sent += Int64(text.readableBytes)
        case .range(let range):
            var at = range.lowerBound
            while at < range.upperBound {
                let count = try await self.piece(of: source, at: at, limit: range.upperBound - at)
                guard count > 0 else { throw .source(ShortFile()) }
                at += count
            }
        case .all:
            var at: Int64 = 0
            while true {
                let count = try await self.piece(of: source, at: at, limit: .max)
                if count == 0 { return }
                at += count
            }
        }
    }

    /// - Returns: how many bytes the piece had; 0 at the end.
    private mutating func piece(of source: any ContentSource, at offset: Int64, limit: Int64) async throws(DeliveryFailure) -> Int64 {
        let piece: ContentPiece?
        do {
            piece = try await source.next(at: offset, limit: min(limit, self.secure ? Self.securePiece : Self.region))
        } catch {
            throw .source(error)
        }
        switch piece {
        case nil: return 0
        case .bytes(let bytes):
            guard Int64(bytes.readableBytes) <= limit else { throw .source(ShortFile()) }
            try await self.write(bytes)
            return Int64(bytes.readableBytes)
        case .file(let file, let range):
            guard !range.isEmpty, Int64(range.count) <= limit else { throw .source(ShortFile()) }
            try await self.write(file, range)
            return Int64(range.count)
        }
    }

    private mutating func write(_ file: OpenFile, _ range: Range<Int64>) async throws(DeliveryFailure) {
        if range.count <= Self.small || self.secure {
            // A copy of at most 512 KiB out of the page cache is no burden to the loop; what is on the disk is the pool's to wait for.
            if range.count <= Self.small, let bytes = self.cache.bytes(file.descriptor, range) { return try await self.write(bytes) }
            let bytes = try await self.blocking { try BlockingRead.bytes(file.descriptor, range) }
            return try await self.write(bytes)
        }
        if self.cache.holds(file.descriptor, range) != true {
            try await self.blocking { try BlockingRead.populate(file.descriptor, range) }
        }
        let handle = NIOFileHandle(_deprecatedTakingOwnershipOfDescriptor: file.descriptor)
        let region = FileRegion(fileHandle: handle, readerIndex: Int(range.lowerBound), endIndex: Int(range.upperBound))
        // The write is over either way: the descriptor goes back to `file`, which outlives it. It was open, so that this cannot fail.
        defer { _ = try? handle.takeDescriptorOwnership() }
        try await self.flush([.fileRegion(region)], Int64(range.count))
        withExtendedLifetime(file) {}
    }

    private mutating func write(_ bytes: ByteBuffer) async throws(DeliveryFailure) {
        guard bytes.readableBytes > 0 else { return }
        try await self.flush([.byteBuffer(bytes)], Int64(bytes.readableBytes))
    }

    private func blocking<T: Sendable>(_ work: @escaping @Sendable () throws -> T) async throws(DeliveryFailure) -> T {
        do {
            return try await self.pool.run(work)
        } catch {
            throw .source(error)
        }
    }

    /// - Parameter count: how many bytes of the body the pieces are.
    private mutating func flush(_ pieces: [IOData], _ count: Int64) async throws(DeliveryFailure) {
        var all = pieces
        if self.chunked, count > 0 {
            self.prefix.writeString(String(count, radix: 16) + "\r\n")
            all.append(.byteBuffer(ByteBuffer(string: "\r\n")))
        }
        let ahead = Int64(self.prefix.readableBytes)
        if ahead > 0 { all.insert(.byteBuffer(self.prefix), at: 0) }
        self.prefix = ByteBuffer()
        do {
            try await self.connection.send(all)
        } catch {
            if let failure = error as? SendFailure { self.sent += max(0, min(count, failure.taken - ahead)) }
            throw .client(error)
        }
        if self.began == nil { self.began = .now() }
        self.sent += count
    }

    /// Whether not a byte of the response has been sent: another may still be.
    var hasNotBegun: Bool { self.began == nil }
}
