/// Finds what was probably meant.
enum Spelling {
    /// The candidate that is at most a third of its letters away, the nearest first; nil: nothing looks alike.
    static func nearest(to word: String, among candidates: [String]) -> String? {
        let word = Array(word.lowercased())
        var best: (distance: Int, text: String)?
        for candidate in candidates.sorted() {
            let letters = Array(candidate.lowercased())
            let distance = Self.distance(word, letters)
            guard distance <= max(1, letters.count / 3), distance < best?.distance ?? .max else { continue }
            best = (distance, candidate)
        }
        return best?.text
    }

    /// ` (did you mean type?)`, or nothing.
    static func suggestion(for word: String, among candidates: [String]) -> String {
        self.nearest(to: word, among: candidates).map { " (did you mean \($0)?)" } ?? ""
    }

    /// Insertions, deletions, replacements and swaps of neighbours that lead from one word to the other.
    private static func distance(_ a: [Character], _ b: [Character]) -> Int {
        guard a.count <= 64, b.count <= 64 else { return .max }
        var rows = [[Int]](repeating: [Int](repeating: 0, count: b.count + 1), count: a.count + 1)
        for i in 0...a.count { rows[i][0] = i }
        for j in 0...b.count { rows[0][j] = j }
        for i in a.indices {
            for j in b.indices {
                var least = min(rows[i][j + 1] + 1, rows[i + 1][j] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { least = min(least, rows[i - 1][j - 1] + 1) }
                rows[i + 1][j + 1] = least
            }
        }
        return rows[a.count][b.count]
    }
}
