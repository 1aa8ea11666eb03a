public import ArtifactModel
import NIOCore
public import StorageAPI
import Synchronization

/// Blobs in memory, gone with the process: for tests, and for trying the server out.
public final class MemoryBlobStore: BlobStore {
    struct Upload {
        let bytes = MemoryBytes()
        var touched: Timestamp
    }
    struct State {
        var uploads: [UploadID: Upload] = [:]
        var blobs: [ContentDigest: ByteBuffer] = [:]
        var asides: [ContentDigest: ByteBuffer] = [:]
    }

    let state = Mutex(State())
    let clock: WallClock

    /// - Parameter clock: when an upload was touched.
    public init(clock: @escaping WallClock) { self.clock = clock }

    public func create() async throws(BlobStoreError) -> any BlobWriter {
        let id = FileBlobStore.randomID()
        self.state.withLock { $0.uploads[id] = Upload(touched: self.clock()) }
        return try self.writer(of: id)
    }

    private func writer(of id: UploadID) throws(BlobStoreError) -> MemoryBlobWriter {
        guard let upload = self.state.withLock({ $0.uploads[id] }) else { throw BlobStoreError(.notFound, "there is no upload \(id.text)") }
        return MemoryBlobWriter(id: id, store: self, bytes: upload.bytes)
    }

    public func resume(_ id: UploadID) async throws(BlobStoreError) -> (any BlobWriter)? {
        self.state.withLock { $0.uploads[id] != nil } ? try self.writer(of: id) : nil
    }

    public func seal(_ id: UploadID, as digest: ContentDigest, length: Int64, _ durability: Durability) async throws(BlobStoreError) {
        guard digest.algorithm == .sha256 else { throw BlobStoreError(.io, "a blob is kept by its SHA-256, not as \(digest)") }
        try self.state.withLock { state throws(BlobStoreError) in
            guard let upload = state.uploads[id] else { throw BlobStoreError(.notFound, "there is no upload \(id.text)") }
            let bytes = upload.bytes.now
            guard bytes.readableBytes == length else {
                throw BlobStoreError(.io, "upload \(id.text) is \(bytes.readableBytes) bytes long, not \(length)")
            }
            state.uploads[id] = nil
            state.blobs[digest] = bytes
        }
    }

    public func discard(_ id: UploadID) async throws(BlobStoreError) { self.state.withLock { $0.uploads[id] = nil } }

    public func open(_ digest: ContentDigest) async throws(BlobStoreError) -> (any ContentSource)? {
        self.state.withLock { $0.blobs[digest] }.map { MemoryContent($0) }
    }

    public func delete(_ digest: ContentDigest) async throws(BlobStoreError) { self.state.withLock { $0.blobs[digest] = nil } }

    public func list(after digest: ContentDigest?, limit: Int) async throws(BlobStoreError) -> [(digest: ContentDigest, size: Int64)] {
        Self.list(self.state.withLock { $0.blobs }, after: digest, limit: limit)
    }

    public func setAside(_ digest: ContentDigest) async throws(BlobStoreError) {
        self.state.withLock { state in
            if let bytes = state.blobs.removeValue(forKey: digest) { state.asides[digest] = bytes }
        }
    }

    public func asides(limit: Int) async throws(BlobStoreError) -> [(digest: ContentDigest, size: Int64)] {
        Self.list(self.state.withLock { $0.asides }, after: nil, limit: limit)
    }

    private static func list(
        _ blobs: [ContentDigest: ByteBuffer], after digest: ContentDigest?, limit: Int
    ) -> [(digest: ContentDigest, size: Int64)] {
        let after = digest?.bytes ?? []
        return blobs.filter { after.isEmpty || after.lexicographicallyPrecedes($0.key.bytes) }
            .sorted { $0.key.bytes.lexicographicallyPrecedes($1.key.bytes) }
            .prefix(limit).map { ($0.key, Int64($0.value.readableBytes)) }
    }

    public func uploads(untouchedSince moment: Timestamp) async throws(BlobStoreError) -> [UploadID] {
        self.state.withLock { $0.uploads }.filter { $0.value.touched < moment }.map(\.key)
    }

    public func freeSpace() async throws(BlobStoreError) -> Int64? { nil }
}

private struct MemoryBlobWriter: BlobWriter {
    let id: UploadID
    let store: MemoryBlobStore
    let bytes: MemoryBytes

    func length() async throws(BlobStoreError) -> Int64 { try self.change { Int64($0.readableBytes) } }

    func write(_ batch: [ByteBuffer], at offset: Int64) async throws(BlobStoreError) {
        try self.change { bytes in
            var offset = Int(offset)
            if bytes.writerIndex < offset { bytes.writeRepeatingByte(0, count: offset - bytes.writerIndex) }
            for buffer in batch {
                offset += bytes.setBuffer(buffer, at: offset)
                if bytes.writerIndex < offset { bytes.moveWriterIndex(to: offset) }
            }
        }
    }

    func truncate(to length: Int64) async throws(BlobStoreError) {
        try self.change { bytes in
            if bytes.writerIndex > Int(length) { bytes.moveWriterIndex(to: Int(length)) }
            if bytes.writerIndex < Int(length) { bytes.writeRepeatingByte(0, count: Int(length) - bytes.writerIndex) }
        }
    }

    func reading() async throws(BlobStoreError) -> any ContentSource { MemoryContent(try self.change { $0 }) }
    func arriving() -> any ContentSource { self.bytes }

    private func change<T: Sendable>(_ body: (inout ByteBuffer) -> T) throws(BlobStoreError) -> T {
        try self.store.state.withLock { state throws(BlobStoreError) in
            guard var upload = state.uploads.removeValue(forKey: self.id) else { throw BlobStoreError(.notFound, "there is no upload \(self.id.text)") }
            let result = upload.bytes.change(body)
            upload.touched = self.store.clock()
            state.uploads[self.id] = upload
            return result
        }
    }
}

/// An upload's bytes, shared with those who read while they arrive.
final class MemoryBytes: ContentSource {
    private let bytes = Mutex(ByteBuffer())

    var now: ByteBuffer { self.bytes.withLock { $0 } }
    var length: Int64? { nil }

    func change<T: Sendable>(_ body: (inout ByteBuffer) -> T) -> T {
        self.bytes.withLock { bytes in body(&bytes) }
    }

    func next(at offset: Int64, limit: Int64) async throws -> ContentPiece? { try await MemoryContent(self.now).next(at: offset, limit: limit) }
}
