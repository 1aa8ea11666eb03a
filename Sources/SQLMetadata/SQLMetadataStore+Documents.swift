import ArtifactModel
public import StorageAPI

extension SQLMetadataStore {
    public func generations(of documents: [DocumentPlace]) async throws(MetadataError) -> [Int64] {
        try await self.database.read { reader in
            try documents.map { place in try reader.first(.generation(of: place)) { $0.integer(0) } ?? 0 }
        }
    }

    public func fragments(of document: DocumentPlace, after mark: StoredFragment?, limit: Int) async throws(MetadataError) -> [StoredFragment] {
        let rows = try await self.database.read(.fragments(of: document, after: mark, limit), limit: limit) { row in
            StoredFragment(
                number: row.integer(0), section: row.text(1), name: row.text(2), sortKey: row.bytes(3), length: row.integer(4),
                slots: SlotList.read(row.bytes(5)) ?? [])
        }
        return rows
    }

    public func bytes(ofFragments numbers: [Int64]) async throws(MetadataError) -> [[UInt8]?] {
        try await self.database.read { reader in
            var found: [Int64: [UInt8]] = [:]
            for start in stride(from: 0, to: numbers.count, by: SQLStatement.fragmentsAtOnce) {
                let some = numbers[start..<min(numbers.count, start + SQLStatement.fragmentsAtOnce)]
                try reader.rows(.bytes(ofFragments: some), limit: some.count) { row in found[row.integer(0)] = row.bytes(1) }
            }
            return numbers.map { found[$0] }
        }
    }
}
