import ArtifactModel
import FormatAPI
import NIOCore
import StorageAPI

/// A hosted repository's fragments of one document, read as if they stood one behind the other.
struct FragmentContent: ContentSource {
    /// What the engine remembers of them.
    struct Rows: Sendable {
        var outline: Outline
        /// The fragments' numbers, and where each ends.
        var numbers: [Int64] = []
        var ends: [Int64] = []
    }

    let rows: Rows
    let ledger: any DocumentLedger

    var length: Int64? { self.rows.ends.last ?? 0 }

    /// - Throws: `DocumentChanged` where one was replaced meanwhile.
    func next(at offset: Int64, limit: Int64) async throws -> ContentPiece? {
        guard let first = self.rows.ends.firstIndex(after: offset) else { return nil }
        var last = first
        while last + 1 < self.rows.ends.count, self.rows.ends[last] - offset < limit { last += 1 }
        var buffer = ByteBuffer()
        for bytes in try await self.ledger.bytes(ofFragments: Array(self.rows.numbers[first...last])) {
            guard let bytes else { throw DocumentChanged() }
            buffer.writeBytes(bytes)
        }
        let start = first == 0 ? 0 : self.rows.ends[first - 1]
        guard Int64(buffer.readableBytes) == self.rows.ends[last] - start else { throw DocumentChanged() }
        buffer.moveReaderIndex(forwardBy: Int(offset - start))
        return .bytes(buffer.readSlice(length: Int(min(limit, Int64(buffer.readableBytes)))) ?? buffer)
    }

    /// All rows of the document, a page at a time, of one generation where that can be had.
    static func rows(
        of place: DocumentPlace, _ generation: Int64, _ pointers: (package: PackageName, kind: String)?, _ package: PackageName?, _ metadata: any MetadataStore
    ) async throws -> Rows {
        var rows = Rows(outline: Outline())
        var mark: StoredFragment?
        repeat {
            let page = try await metadata.fragments(of: place, after: mark, limit: 1000)
            for fragment in page { rows.add(fragment) }
            mark = page.count == 1000 ? page.last : nil
        } while mark != nil
        // What has no component is not there, whatever is remembered of it.
        guard !rows.numbers.isEmpty else { return rows }
        if let pointers { try await rows.add(pointers, of: place.repository, metadata) }
        if let package, let row = try await metadata.rows(ContentQuery(.package(package), limit: 1), in: place.repository).rows.first {
            let end = rows.ends.last ?? 0
            rows.outline.add(Outline.Entry(section: Outline.package, name: "", sortKey: Array(row.attributes.utf8), bytes: end..<end))
            rows.outline.add(Outline.Entry(section: Outline.generation, name: "", sortKey: Array("\(generation)".utf8), bytes: end..<end))
        }
        rows.outline.seal()
        return rows
    }
}

extension FragmentContent.Rows {
    fileprivate mutating func add(_ fragment: StoredFragment) {
        let start = self.ends.last ?? 0
        self.numbers.append(fragment.number)
        self.ends.append(start + fragment.length)
        let slots = fragment.slots.map { DocumentSlot(start + $0.bytes.lowerBound..<start + $0.bytes.upperBound, path: $0.path) }
        self.outline.add(
            Outline.Entry(section: fragment.section, name: fragment.name, sortKey: fragment.sortKey, bytes: start..<start + fragment.length, slots: slots))
    }

    fileprivate mutating func add(_ pointers: (package: PackageName, kind: String), of repository: RepositoryID, _ metadata: any MetadataStore) async throws {
        let end = self.ends.last ?? 0
        var query = ContentQuery(.pointers(pointers.package, kind: pointers.kind), limit: 1000)
        while true {
            let page = try await metadata.rows(query, in: repository)
            for row in page.rows {
                self.outline.add(Outline.Entry(section: Outline.pointers, name: row.name, sortKey: Array(row.target.utf8), bytes: end..<end))
            }
            guard page.more, let last = page.rows.last else { return }
            query.after = last.name
        }
    }
}

extension [Int64] {
    /// Of ascending ends, the first that is beyond `offset`.
    fileprivate func firstIndex(after offset: Int64) -> Int? {
        var range = 0..<self.count
        while !range.isEmpty {
            let middle = (range.lowerBound + range.upperBound) / 2
            if self[middle] <= offset { range = (middle + 1)..<range.upperBound } else { range = range.lowerBound..<middle }
        }
        return range.lowerBound < self.count ? range.lowerBound : nil
    }
}
