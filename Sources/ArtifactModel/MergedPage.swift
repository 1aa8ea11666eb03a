/// One list's part of a merged page.
public struct MergedPart: Sendable {
    /// In byte order of their names.
    public var rows: [ContentRow]
    /// The list goes on, and nothing of it up to this name is missing from `rows`; nil: `rows` is the rest of it.
    public var covered: String?
    public init(_ rows: [ContentRow], covered: String?) {
        self.rows = rows
        self.covered = covered
    }
}

extension ContentPage {
    /// A page of several lists as if they were one: in byte order, each name once, as the first list that has it says. A file and a folder of
    /// one name are two rows, and both on one page.
    /// - Parameter parts: of each list what follows the same name, in the order in which they count.
    public static func merged(_ parts: [MergedPart], limit: Int) -> ContentPage {
        // What lies beyond the end of a list that goes on may have names of that list before it.
        let end = parts.compactMap(\.covered).min(by: ByteText.precedes)
        var places = [Int](repeating: 0, count: parts.count)
        var rows: [ContentRow] = []
        var names = 0
        while names < limit {
            let heads = parts.indices.compactMap { parts[$0].rows.dropFirst(places[$0]).first?.name }
            guard let name = heads.min(by: ByteText.precedes), end.map({ !ByteText.precedes($0, name) }) ?? true else { break }
            var kinds: Set<Bool> = []
            for part in parts.indices {
                while let row = parts[part].rows.dropFirst(places[part]).first, ByteText.equal(row.name, name) {
                    if kinds.insert(row.digest == nil).inserted { rows.append(row) }
                    places[part] += 1
                }
            }
            names += 1
        }
        let isLeft = parts.indices.contains { places[$0] < parts[$0].rows.count }
        return ContentPage(rows: rows.count == names ? rows : Self.filesFirst(rows), more: isLeft || end != nil)
    }

    /// As one list has them.
    private static func filesFirst(_ rows: [ContentRow]) -> [ContentRow] {
        var sorted = rows
        for index in sorted.indices.dropLast() where ByteText.equal(sorted[index].name, sorted[index + 1].name) && sorted[index].digest == nil {
            sorted.swapAt(index, index + 1)
        }
        return sorted
    }
}
