public import ArtifactModel
public import NIOCore

/// Places bytes. It does not hash: the engine's one sink hashes and writes side by side.
///
/// Keeps two sets: uploads, by `UploadID`, that grow; and blobs, by SHA-256, that never change. Every call is safe beside every other.
public protocol BlobStore: Sendable {
    /// A new, empty upload.
    func create() async throws(BlobStoreError) -> any BlobWriter
    /// An upload that an earlier request, or an earlier process, began; nil where there is none.
    func resume(_ id: UploadID) async throws(BlobStoreError) -> (any BlobWriter)?
    /// Makes the upload's bytes the blob `digest`, replacing equal ones; the upload is gone after it. The caller has hashed them.
    /// `.durable` returns when bytes and name are on disk.
    /// - Throws: `.notFound` without such an upload; `.io` where it is not `length` bytes long.
    func seal(_ id: UploadID, as digest: ContentDigest, length: Int64, _ durability: Durability) async throws(BlobStoreError)
    /// No such upload: nothing happens.
    func discard(_ id: UploadID) async throws(BlobStoreError)
    /// Open means kept: a delete meanwhile does not cut the reader.
    func open(_ digest: ContentDigest) async throws(BlobStoreError) -> (any ContentSource)?
    /// No such blob: nothing happens.
    func delete(_ digest: ContentDigest) async throws(BlobStoreError)
    /// Blobs in the order of their digests.
    func list(after digest: ContentDigest?, limit: Int) async throws(BlobStoreError) -> [(digest: ContentDigest, size: Int64)]
    /// Takes a blob out of the way of readers, and keeps its bytes for an operator to look at; one of the same name that was set aside
    /// before is replaced. No such blob: nothing happens.
    func setAside(_ digest: ContentDigest) async throws(BlobStoreError)
    /// What was set aside, in the order of digests, at most `limit`.
    func asides(limit: Int) async throws(BlobStoreError) -> [(digest: ContentDigest, size: Int64)]
    /// Uploads that nobody wrote to since `moment`.
    func uploads(untouchedSince moment: Timestamp) async throws(BlobStoreError) -> [UploadID]
    /// In bytes; nil where the store has no such bound.
    func freeSpace() async throws(BlobStoreError) -> Int64?
    /// What is free, and how large the whole is; nil where the store has no such bound.
    func space() async throws(BlobStoreError) -> StoreSpace?
}

extension BlobStore {
    public func space() async throws(BlobStoreError) -> StoreSpace? { try await self.freeSpace().map { StoreSpace(free: $0, total: .max) } }
}

/// In bytes.
public struct StoreSpace: Hashable, Sendable {
    /// What an unprivileged process may still write.
    public var free: Int64
    public var total: Int64
    public init(free: Int64, total: Int64) {
        self.free = free
        self.total = total
    }

    /// What is left alone below, so that the metadata can still be written: 64 MiB, or a twentieth of a small file system.
    public var floor: Int64 { min(64 << 20, self.total / 20) }
}

/// Names an upload within its store: 32 hex digits.
public struct UploadID: Hashable, Sendable {
    public let text: String
    /// nil where it is not 32 lower-case hex digits: it becomes a file's name.
    public init?(_ text: String) {
        guard text.utf8.count == 32, text.utf8.allSatisfy({ (48...57).contains($0) || (97...102).contains($0) }) else { return nil }
        self.text = text
    }
    /// 128 random bits.
    public static func random(using random: inout some RandomNumberGenerator) -> UploadID {
        let bytes = (0..<16).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        return UploadID(checked: ContentDigest.hex(bytes))
    }
    private init(checked text: String) { self.text = text }
}

public enum Durability: Hashable, Sendable { case durable, lazily }

/// One upload, open. Not for two writers at a time; readers may follow.
public protocol BlobWriter: Sendable {
    var id: UploadID { get }
    /// What is there, in bytes.
    func length() async throws(BlobStoreError) -> Int64
    /// Writes the buffers one after the other, from `offset` on; any order, holes allowed.
    func write(_ batch: [ByteBuffer], at offset: Int64) async throws(BlobStoreError)
    /// Cuts what is behind `length`.
    func truncate(to length: Int64) async throws(BlobStoreError)
    /// What is there so far; local on every store.
    func reading() async throws(BlobStoreError) -> any ContentSource
    /// The bytes as they are whenever it is read, also after the upload was sealed: only what has been written may be asked for.
    func arriving() -> any ContentSource
}

public struct BlobStoreError: Error, Sendable {
    public enum Code: Hashable, Sendable, CaseIterable { case notFound, noSpace, unavailable, io, cancelled }
    public var code: Code
    /// For the log and for operators; may name files.
    public var message: String
    public var cause: (any Error)?
    public init(_ code: Code, _ message: String, cause: (any Error)? = nil) {
        self.code = code
        self.message = message
        self.cause = cause
    }
}
