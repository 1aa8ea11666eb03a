import ArtifactModel
import NIOCore
public import StorageAPI

/// What every `BlobStore` must do. Each case wants a store without blobs.
public enum BlobStoreConformance {
    public typealias Case = ConformanceCase<any BlobStore>
    public static let cases: [Case] = uploads + sealing + listing + quarantine

    private static let uploads: [Case] = [
        Case("a batch is written buffer after buffer, also behind a hole") { store in
            let writer = try await store.create()
            try await writer.write([ByteBuffer(string: "cd"), ByteBuffer(), ByteBuffer(string: "ef")], at: 2)
            try demandEqual(try await writer.length(), 6)
            try await writer.write([ByteBuffer(string: "ab")], at: 0)
            try demandEqual(try await Bytes.read(try await writer.reading()), "abcdef")
        },
        Case("three thousand buffers are one batch") { store in
            let writer = try await store.create()
            try await writer.write((0..<3000).map { ByteBuffer(string: "\($0 % 10)") }, at: 0)
            try demandEqual(try await Bytes.read(try await writer.reading()), String(repeating: "0123456789", count: 300))
        },
        Case("an upload is resumed with what was written, and cut") { store in
            let writer = try await store.create()
            try await writer.write([ByteBuffer(string: "abcdef")], at: 0)
            let again = try demandValue(try await store.resume(writer.id))
            try demandEqual(try await again.length(), 6)
            try await again.truncate(to: 3)
            try await again.write([ByteBuffer(string: "X")], at: 3)
            try demandEqual(try await Bytes.read(try await again.reading()), "abcX")
        },
        Case("a discarded upload is gone, and discarding it again is fine") { store in
            let writer = try await store.create()
            try await store.discard(writer.id)
            try await store.discard(writer.id)
            try demand(try await store.resume(writer.id) == nil, "it was resumed")
        },
        Case("uploads are listed when they were not touched since a moment") { store in
            let writer = try await store.create()
            try demandEqual(try await store.uploads(untouchedSince: Timestamp(milliseconds: 0)), [])
            try demandEqual(try await store.uploads(untouchedSince: Timestamp(milliseconds: .max)), [writer.id])
        },
    ]

    private static let sealing: [Case] = [
        Case("a sealed blob can be read, and its upload is gone") { store in
            let digest = try await keep("hello", in: store)
            try demandEqual(try await read(digest, in: store), "hello")
            try demandEqual(try await store.uploads(untouchedSince: Timestamp(milliseconds: .max)), [])
        },
        Case("sealing what is not there is «not found», and a wrong length is refused and keeps the upload") { store in
            let digest = try Bytes.digest(of: "abc")
            try await refused(.notFound) { () throws(BlobStoreError) in try await store.seal(unknown(), as: digest, length: 0, .durable) }
            let writer = try await store.create()
            try await writer.write([ByteBuffer(string: "abc")], at: 0)
            try await refused(.io) { () throws(BlobStoreError) in try await store.seal(writer.id, as: digest, length: 4, .durable) }
            try await store.seal(writer.id, as: digest, length: 3, .lazily)
            try demandEqual(try await read(digest, in: store), "abc")
        },
        Case("sixteen uploads of one digest are sealed at the same time") { store in
            let digest = try Bytes.digest(of: "same")
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<16 { group.addTask { _ = try await keep("same", in: store) } }
                try await group.waitForAll()
            }
            try demandEqual(try await read(digest, in: store), "same")
            try demandEqual(try await store.list(after: nil, limit: 10).map(\.digest), [digest])
        },
        Case("a blob that is open is read to its end after it was deleted") { store in
            let digest = try await keep("still here", in: store)
            let source = try demandValue(try await store.open(digest))
            try await store.delete(digest)
            try await store.delete(digest)
            try demand(try await store.open(digest) == nil, "it was opened after it was deleted")
            try demandEqual(try await Bytes.read(source), "still here")
        },
        Case("a blob is kept by its SHA-256 alone") { store in
            let writer = try await store.create()
            let md5 = try demandValue(ContentDigest(.md5, Array(repeating: 0, count: 16)))
            try await refused(.io) { () throws(BlobStoreError) in try await store.seal(writer.id, as: md5, length: 0, .durable) }
            try demand(try await store.open(md5) == nil, "a blob was opened by its MD5")
        },
    ]

    private static let listing: [Case] = [
        Case("blobs are listed in the order of their digests, page by page, after one that does not exist too") { store in
            var kept: [ContentDigest] = []
            for number in 0..<40 { kept.append(try await keep("blob \(number)", in: store)) }
            kept.sort { $0.bytes.lexicographicallyPrecedes($1.bytes) }
            var listed: [ContentDigest] = []
            while true {
                let page = try await store.list(after: listed.last, limit: 7)
                listed += page.map(\.digest)
                if page.count < 7 { break }
            }
            try demandEqual(listed, kept)
            try await store.delete(kept[10])
            try demandEqual(try await store.list(after: kept[10], limit: 1).map(\.digest), [kept[11]])
            try demandEqual(try await store.list(after: nil, limit: 50).filter { !(6...7).contains($0.size) }.count, 0)
        }
    ]

    private static let quarantine: [Case] = [
        Case("what is set aside is kept, and neither read nor listed; setting aside what is not there does nothing") { store in
            let digest = try await keep("suspect", in: store)
            let other = try await keep("good", in: store)
            let source = try demandValue(try await store.open(digest))
            for _ in 1...2 { try await store.setAside(digest) }
            try demand(try await store.open(digest) == nil, "it was opened")
            try demandEqual(try await store.list(after: nil, limit: 9).map(\.digest), [other])
            let asides = try await store.asides(limit: 9)
            try demandEqual(asides.map(\.digest), [digest])
            try demandEqual(asides.map(\.size), [7])
            try demandEqual(try await Bytes.read(source), "suspect")
        },
        Case("the bytes of one that was set aside come again beside it, and can be set aside again; asides are in order and limited") { store in
            let digests = try ["a", "b", "c"].map { try Bytes.digest(of: $0) }.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
            try demandEqual(try await store.asides(limit: 9).count, 0)
            for text in ["a", "b", "c"] { try await store.setAside(try await keep(text, in: store)) }
            try demandEqual(try await read(try await keep("a", in: store), in: store), "a")
            try demandEqual(try await store.asides(limit: 9).map(\.digest), digests)
            try demandEqual(try await store.asides(limit: 2).map(\.digest), Array(digests[..<2]))
            try await store.setAside(try Bytes.digest(of: "a"))
            try demandEqual(try await store.asides(limit: 9).map(\.digest), digests)
        },
    ]

    private static func unknown() -> UploadID {
        var random = SystemRandomNumberGenerator()
        return UploadID.random(using: &random)
    }

    private static func keep(_ text: String, in store: any BlobStore) async throws -> ContentDigest {
        let digest = try Bytes.digest(of: text)
        let writer = try await store.create()
        try await writer.write([ByteBuffer(string: text)], at: 0)
        try await store.seal(writer.id, as: digest, length: Int64(text.utf8.count), .durable)
        return digest
    }

    private static func read(_ digest: ContentDigest, in store: any BlobStore) async throws -> String {
        try await Bytes.read(try demandValue(try await store.open(digest)))
    }

    private static func refused(_ code: BlobStoreError.Code, _ work: () async throws(BlobStoreError) -> Void) async throws {
        do {
            try await work()
        } catch {
            return try demandEqual(error.code, code)
        }
        throw ConformanceFailure(description: "it was not refused with \(code)")
    }
}
