import Dispatch
public import ArtifactModel
public import StorageAPI
import Synchronization

#if canImport(Darwin)
    import Darwin
#else
    import Glibc
#endif

/// Blobs as files of one folder; `BlobFolders` draws it. All file work runs on the pool, but for closing, which has a thread of its own:
/// the last close of a deleted file of gigabytes takes long, and `deinit` cannot wait.
public struct FileBlobStore: BlobStore {
    let folders: BlobFolders
    private let writeBack = WriteBack()
    private let pool: any BlockingPool
    private let newID: @Sendable () -> UploadID
    private let closing = DispatchQueue(label: "entrepot.blobs.close")
    private let durable = DurableFolders()

    /// Makes the folders.
    /// - Parameters:
    ///   - root: a path whose parent exists.
    ///   - newID: where uploads get their names from.
    public init(
        root: String, pool: any BlockingPool, newID: @escaping @Sendable () -> UploadID = FileBlobStore.randomID
    ) async throws(BlobStoreError) {
        self.folders = BlobFolders(root: root)
        self.pool = pool
        self.newID = newID
        try await pool.perform { [folders] () throws(BlobStoreError) in
            for folder in [folders.root, folders.blobs, folders.uploads] { try FileSystem.makeFolder(folder) }
            try FileSystem.syncFolder(folders.root)
            // The root's own name: without it, a power cut could take all of it.
            try FileSystem.syncFolder(folders.parent)
        }
    }

    @Sendable public static func randomID() -> UploadID {
        var random = SystemRandomNumberGenerator()
        return UploadID.random(using: &random)
    }

    public func create() async throws(BlobStoreError) -> any BlobWriter {
        let id = self.newID()
        return try await self.pool.perform { () throws(BlobStoreError) in
            guard let file = try self.file(self.folders.upload(id), O_RDWR | O_CREAT | O_EXCL, mode: 0o600) else {
                throw BlobStoreError(.io, "the folder \(self.folders.uploads) is gone")
            }
            return FileBlobWriter(id: id, file: file, pool: self.pool, writeBack: self.writeBack)
        }
    }

    public func resume(_ id: UploadID) async throws(BlobStoreError) -> (any BlobWriter)? {
        try await self.pool.perform { () throws(BlobStoreError) in
            try self.file(self.folders.upload(id), O_RDWR).map { FileBlobWriter(id: id, file: $0, pool: self.pool, writeBack: self.writeBack) }
        }
    }

    public func seal(_ id: UploadID, as digest: ContentDigest, length: Int64, _ durability: Durability) async throws(BlobStoreError) {
        guard digest.algorithm == .sha256 else { throw BlobStoreError(.io, "a blob is kept by its SHA-256, not as \(digest)") }
        try await self.pool.perform { () throws(BlobStoreError) in
            let upload = self.folders.upload(id)
            guard let descriptor = try FileSystem.open(upload, O_RDWR) else { throw BlobStoreError(.notFound, "there is no upload \(id.text)") }
            defer { FileSystem.close(descriptor) }
            let size = try FileSystem.size(descriptor)
            guard size == length else { throw BlobStoreError(.io, "upload \(id.text) is \(size) bytes long, not \(length)") }
            try FileSystem.makeReadOnly(descriptor)
            if durability == .durable { try FileSystem.sync(descriptor) }
            let place = self.folders.place(of: digest)
            try self.rename(upload, to: place)
            if durability == .durable { try self.durable.sync(place, below: self.folders.blobs) }
        }
    }

    /// Makes the two folders above the blob only where the rename shows that they are not there.
    private func rename(_ upload: String, to place: BlobFolders.Place) throws(BlobStoreError) {
        if try FileSystem.rename(upload, to: place.file) { return }
        try FileSystem.makeFolder(place.outer)
        try FileSystem.makeFolder(place.inner)
        guard try FileSystem.rename(upload, to: place.file) else { throw BlobStoreError(.notFound, "an upload was sealed or discarded meanwhile") }
    }

    public func discard(_ id: UploadID) async throws(BlobStoreError) {
        try await self.pool.perform { () throws(BlobStoreError) in try FileSystem.remove(self.folders.upload(id)) }
    }

    public func open(_ digest: ContentDigest) async throws(BlobStoreError) -> (any ContentSource)? {
        guard digest.algorithm == .sha256 else { return nil }
        return try await self.pool.perform { () throws(BlobStoreError) in
            guard let file = try self.file(self.folders.place(of: digest).file, O_RDONLY) else { return nil }
            return FileContent(file, size: try FileSystem.size(file.descriptor))
        }
    }

    public func delete(_ digest: ContentDigest) async throws(BlobStoreError) {
        guard digest.algorithm == .sha256 else { return }
        try await self.pool.perform { () throws(BlobStoreError) in try FileSystem.remove(self.folders.place(of: digest).file) }
    }

    public func list(after digest: ContentDigest?, limit: Int) async throws(BlobStoreError) -> [(digest: ContentDigest, size: Int64)] {
        try await self.pool.perform { () throws(BlobStoreError) in
            var walk = BlobWalk(blobs: self.folders.blobs, after: digest?.hex ?? "", limit: limit)
            return try walk.run()
        }
    }

    public func setAside(_ digest: ContentDigest) async throws(BlobStoreError) {
        guard digest.algorithm == .sha256 else { return }
        try await self.pool.perform { () throws(BlobStoreError) in
            let place = self.folders.place(of: digest)
            try FileSystem.makeFolder(self.folders.quarantine)
            guard try FileSystem.rename(place.file, to: "\(self.folders.quarantine)/\(digest.hex)") else { return }
            for folder in [self.folders.quarantine, self.folders.root, place.inner] { try FileSystem.syncFolder(folder) }
        }
    }

    public func asides(limit: Int) async throws(BlobStoreError) -> [(digest: ContentDigest, size: Int64)] {
        try await self.pool.perform { () throws(BlobStoreError) in
            var found: [(digest: ContentDigest, size: Int64)] = []
            for name in try FileSystem.names(in: self.folders.quarantine) where found.count < limit {
                guard let digest = BlobWalk.digest(name), let entry = try FileSystem.entry("\(self.folders.quarantine)/\(name)") else { continue }
                found.append((digest, entry.size))
            }
            return found
        }
    }

    public func uploads(untouchedSince moment: Timestamp) async throws(BlobStoreError) -> [UploadID] {
        try await self.pool.perform { () throws(BlobStoreError) in
            var untouched: [UploadID] = []
            for name in try FileSystem.names(in: self.folders.uploads) {
                guard let id = UploadID(name), let entry = try FileSystem.entry(self.folders.upload(id)), entry.modified < moment else { continue }
                untouched.append(id)
            }
            return untouched
        }
    }

    public func freeSpace() async throws(BlobStoreError) -> Int64? {
        try await self.pool.perform { () throws(BlobStoreError) in try FileSystem.space(self.folders.root).free }
    }

    public func space() async throws(BlobStoreError) -> StoreSpace? {
        try await self.pool.perform { () throws(BlobStoreError) in try FileSystem.space(self.folders.root) }
    }

    private func file(_ path: String, _ flags: CInt, mode: mode_t = 0) throws(BlobStoreError) -> OpenFile? {
        try FileSystem.open(path, flags, mode: mode).map { descriptor in
            OpenFile(descriptor) { [closing] descriptor in closing.async { FileSystem.close(descriptor) } }
        }
    }
}
