import ArtifactModel
import NIOCore
import StorageAPI

/// An upload's file, open for reading and writing.
struct FileBlobWriter: BlobWriter {
    let id: UploadID
    let file: OpenFile
    let pool: any BlockingPool
    let writeBack: WriteBack

    func length() async throws(BlobStoreError) -> Int64 {
        try await self.pool.perform { () throws(BlobStoreError) in try FileSystem.size(self.file.descriptor) }
    }

    func write(_ batch: [ByteBuffer], at offset: Int64) async throws(BlobStoreError) {
        try await self.pool.perform { () throws(BlobStoreError) in
            try VectorWrite.write(batch, to: self.file.descriptor, at: offset)
            self.writeBack.wrote(offset..<offset + batch.reduce(0) { $0 + Int64($1.readableBytes) }, to: self.file.descriptor)
        }
    }

    func truncate(to length: Int64) async throws(BlobStoreError) {
        try await self.pool.perform { () throws(BlobStoreError) in try FileSystem.truncate(self.file.descriptor, to: length) }
    }

    func reading() async throws(BlobStoreError) -> any ContentSource { FileContent(self.file, size: try await self.length()) }

    func arriving() -> any ContentSource { FileContent(self.file, size: .max) }
}
