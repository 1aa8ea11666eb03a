import ArtifactModel
import FormatAPI
import NIOCore

/// Has sources that are copied from in another order than they lie in read from their beginning to their end, once: a row or a file that is asked for by itself costs
/// as much as a thousand in a row.
struct NearbySources: Sendable {
    /// In bytes: what is longer goes to a file.
    private static let largestInMemory: Int64 = 8 << 20
    private static let piece: Int64 = 256 << 10

    let compute: any BlockingPool
    let scratch: ScratchFolder

    func of(_ sources: [any ContentSource], _ plan: DocumentPlan) async throws -> [any ContentSource] {
        let far = Set(plan.unordered.filter { sources[$0].whole == nil })
        var near: [any ContentSource] = []
        for (place, source) in sources.enumerated() { near.append(far.contains(place) ? try await self.copy(source) : source) }
        return near
    }

    private func copy(_ source: any ContentSource) async throws -> any ContentSource {
        let isLong = (source.length ?? .max) > Self.largestInMemory
        let file = isLong ? try await self.compute.run { [scratch] in try scratch.create() } : nil
        var (bytes, at) = (ByteBuffer(), Int64(0))
        while let piece = try await source.read(at: at, limit: Self.piece, on: self.compute) {
            at += Int64(piece.readableBytes)
            if let file {
                try await self.compute.run { try file.append(piece) }
            } else {
                bytes.writeImmutableBuffer(piece)
            }
        }
        return file.map { FileContent($0, size: at) } ?? MemoryContent(bytes)
    }
}

extension DocumentPlan {
    /// Sources of which a slice comes before one that lies before it.
    fileprivate var unordered: Set<Int> {
        var (ends, found): ([Int: Int64], Set<Int>) = ([:], [])
        for case .slice(let source, let range) in self.pieces {
            if range.lowerBound < ends[source] ?? 0 { found.insert(source) }
            ends[source] = range.upperBound
        }
        return found
    }
}
