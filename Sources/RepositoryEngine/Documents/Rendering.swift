import ArtifactModel
import FormatAPI
import NIOCore

/// A document as it is served.
struct Rendering: Sendable {
    /// SHA-256 first.
    var digests: [ContentDigest]
    var size: Int64
    var bytes: any ContentSource
    /// Whether the bytes are in memory, as those of small documents are.
    var isInMemory: Bool { self.bytes is MemoryContent }

    /// In bytes: what is larger goes to a file.
    static let largestInMemory = 2 << 20
}

/// Carries a plan out: with one buffer for what is written and one for each source, however long the document is.
struct DocumentRenderer: Sendable {
    private static let bufferSize = 256 << 10
    /// A slice that begins this close behind the last one is taken for a part of a run.
    private static let run: Int64 = 64 << 10
    private static let shortRead: Int64 = 8 << 10

    let compute: any BlockingPool
    let scratch: ScratchFolder
    let sources: [any ContentSource]
    private var windows: [(start: Int64, bytes: ByteBuffer)]
    private var hasher: MultiHasher
    private var buffer = ByteBuffer()
    private var file: OpenFile?

    private init(_ sources: [any ContentSource], _ computing: Set<ContentDigest.Algorithm>, compute: any BlockingPool, scratch: ScratchFolder) {
        self.hasher = MultiHasher(computing)
        self.sources = sources
        self.compute = compute
        self.scratch = scratch
        self.windows = sources.map { _ in (0, ByteBuffer()) }
    }

    /// - Parameter base: what stands for the repository's public address.
    /// - Throws: `DocumentChanged` where a source ends before its outline says so.
    static func render(
        _ plan: DocumentPlan, of sources: [any ContentSource], base: String, computing: Set<ContentDigest.Algorithm> = [], compute: any BlockingPool,
        scratch: ScratchFolder
    ) async throws -> Rendering {
        let near = try await NearbySources(compute: compute, scratch: scratch).of(sources, plan)
        var renderer = DocumentRenderer(near, computing, compute: compute, scratch: scratch)
        for piece in plan.pieces {
            switch piece {
            case .text(let range): try await renderer.write(plan.text[range])
            case .publicBase: try await renderer.write(Array(base.utf8)[...])
            case .publicPath: try await renderer.write(Self.path(of: base))
            case .slice(let source, let range): try await renderer.copy(range, from: source)
            }
        }
        return try await renderer.end()
    }

    /// What follows the authority.
    private static func path(of base: String) -> ArraySlice<UInt8> {
        let bytes = Array(base.utf8)
        guard let scheme = bytes.firstIndex(of: UInt8(ascii: ":")), bytes.count > scheme + 3 else { return [] }
        return bytes[(scheme + 3)...].drop { $0 != UInt8(ascii: "/") }
    }

    private mutating func write(_ bytes: ArraySlice<UInt8>) async throws {
        self.buffer.writeBytes(bytes)
        try await self.flushIfFull()
    }

    private mutating func copy(_ range: Range<Int64>, from source: Int) async throws {
        var at = range.lowerBound
        while at < range.upperBound {
            let window = self.windows[source]
            let inside = Int(at - window.start)
            guard at >= window.start, inside < window.bytes.readableBytes else {
                try await self.load(source, at: at, atLeast: range.upperBound - at)
                continue
            }
            let count = min(window.bytes.readableBytes - inside, Int(range.upperBound - at), Self.bufferSize)
            if var slice = window.bytes.getSlice(at: window.bytes.readerIndex + inside, length: count) { self.buffer.writeBuffer(&slice) }
            at += Int64(count)
            try await self.flushIfFull()
        }
    }

    /// Of what is read one part after the other, more than is asked for.
    private mutating func load(_ source: Int, at offset: Int64, atLeast wanted: Int64) async throws {
        let end = self.windows[source].start + Int64(self.windows[source].bytes.readableBytes)
        let isRun = offset >= end && offset - end <= Self.run
        let limit = isRun ? Int64(Self.bufferSize) : min(Int64(Self.bufferSize), max(wanted, Self.shortRead))
        // Let go of before the next is there.
        self.windows[source] = (offset, ByteBuffer())
        guard let bytes = try await self.sources[source].read(at: offset, limit: limit, on: self.compute), bytes.readableBytes > 0 else {
            throw DocumentChanged()
        }
        self.windows[source] = (offset, bytes)
    }

    /// What has begun to go to a file goes there in pieces.
    private mutating func flushIfFull() async throws {
        if self.buffer.readableBytes >= (self.file == nil ? Rendering.largestInMemory : Self.bufferSize) { try await self.flush() }
    }

    private mutating func flush() async throws {
        let (bytes, scratch, file) = (self.buffer, self.scratch, self.file)
        let hasher = self.hasher
        (self.hasher, self.file) = try await self.compute.run {
            var hasher = hasher
            hasher.update([bytes])
            let file = try file ?? scratch.create()
            try file.append(bytes)
            return (hasher, file)
        }
        self.buffer.clear()
    }

    private mutating func end() async throws -> Rendering {
        if self.file == nil, self.buffer.readableBytes < Rendering.largestInMemory {
            let (bytes, hasher) = (self.buffer, self.hasher)
            let digests = try await self.compute.run {
                var hasher = hasher
                hasher.update([bytes])
                return hasher.digests()
            }
            return Rendering(digests: digests, size: Int64(bytes.readableBytes), bytes: MemoryContent(bytes))
        }
        if self.buffer.readableBytes > 0 { try await self.flush() }
        guard let file = self.file else { throw DocumentChanged() }
        return Rendering(digests: self.hasher.digests(), size: self.hasher.length, bytes: FileContent(file, size: self.hasher.length))
    }
}
