import StorageAPI

/// How far the trail goes and where it begins, as the metadata remembers it: what a chain cannot say of itself.
///
///     audit.head    17 9f86…              the number and the hash of a line that was durable; lines after it are younger than ten seconds
///     audit.closed  17 9f86…              the same, and it was the last line when the trail was closed; `open` since it was opened
///     audit.first   5 2026-11-27.jsonl    the first line that retention left, and its segment; not there: nothing was removed yet
enum AuditMarks {
    static let headName = "audit.head"
    static let closedName = "audit.closed"
    static let open = "open"
    static let firstName = "audit.first"

    static func first(seq: Int64, _ segment: AuditSegment) -> String { "\(seq) \(segment.name)" }

    static let unreadable = "the mark of the audit trail's end in the metadata is not one"

    /// - Returns: nil: nothing was written yet.
    static func head(_ ledger: any KeyLedger) async throws(AuditError) -> ChainEnd? {
        guard let text = try await Self.headText(ledger) else { return nil }
        guard let mark = ChainEnd(text) else { throw AuditError(.metadata, Self.unreadable, cause: text) }
        return mark
    }

    /// As it is there, be it a mark or not.
    static func headText(_ ledger: any KeyLedger) async throws(AuditError) -> String? { try await Self.read(Self.headName, ledger) }

    /// Whether the trail was closed with this as its last line, and nobody has opened it since: then none comes after it.
    static func isClosed(at head: ChainEnd?, _ ledger: any KeyLedger) async throws(AuditError) -> Bool {
        guard let head, let text = try await Self.read(Self.closedName, ledger) else { return false }
        return ChainEnd(text) == head
    }

    /// - Returns: false: it failed, and is to be tried again, and said, with the other marks.
    static func noteOpen(_ ledger: any KeyLedger) async -> Bool {
        do {
            try await ledger.setMarker(Self.closedName, Self.open)
            return true
        } catch {
            return false
        }
    }

    /// - Returns: 1: nothing was removed yet.
    static func firstSeq(_ ledger: any KeyLedger) async throws(AuditError) -> Int64 {
        guard let text = try await Self.read(Self.firstName, ledger) else { return 1 }
        guard let seq = text.split(separator: " ").first.flatMap({ ChainEnd.seq(of: $0) }) else {
            throw AuditError(.metadata, "the mark of the audit trail's beginning cannot be read", cause: text)
        }
        return seq
    }

    private static func read(_ name: String, _ ledger: any KeyLedger) async throws(AuditError) -> String? {
        do {
            return try await ledger.marker(name)
        } catch {
            throw AuditError(.metadata, "the metadata does not say how far the audit trail goes", cause: "\(error)")
        }
    }
}
