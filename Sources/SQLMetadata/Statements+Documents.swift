import ArtifactModel
import StorageAPI

extension SQLStatement {
    /// The clocks of all documents that the component is in: each was set going as its first fragment was put.
    static func bumpDocuments(of coordinates: Coordinates, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            UPDATE generations SET generation = generation + 1 WHERE repository_id = $1 AND document IN (
              SELECT f.document FROM packages p JOIN components c ON c.package_id = p.id JOIN fragments f ON f.component_id = c.id
              WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND c.version = $4)
            """, repository.values(coordinates))
    }

    static func bump(_ document: DocumentID, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            INSERT INTO generations (repository_id, document, generation) VALUES ($1, $2, 1)
            ON CONFLICT (repository_id, document) DO UPDATE SET generation = generations.generation + 1
            """, [.integer(repository.number), .text(document.text)])
    }

    static func removeFragments(of coordinates: Coordinates, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            DELETE FROM fragments WHERE component_id = (
              SELECT c.id FROM packages p JOIN components c ON c.package_id = p.id
              WHERE p.repository_id = $1 AND p.namespace = $2 AND p.name = $3 AND c.version = $4)
            """, repository.values(coordinates))
    }

    /// Another component's of the same name: a number stands for the same bytes for ever, so that the row goes.
    static func removeFragment(_ document: DocumentID, _ section: String, _ name: String, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            "DELETE FROM fragments WHERE repository_id = $1 AND document = $2 AND section = $3 AND name = $4",
            [.integer(repository.number), .text(document.text), .text(section), .text(name)])
    }

    static func putFragment(_ fragment: Fragment, _ id: Int64, of coordinates: Coordinates, in repository: RepositoryID) -> SQLStatement {
        SQLStatement(
            """
            INSERT INTO fragments (id, document, section, name, sort_key, bytes, slots, repository_id, component_id)
            SELECT $1, $2, $3, $4, $5, $6, $7, p.repository_id, c.id FROM packages p JOIN components c ON c.package_id = p.id
            WHERE p.repository_id = $8 AND p.namespace = $9 AND p.name = $10 AND c.version = $11
            """,
            [
                .integer(id), .text(fragment.document.text), .text(fragment.section), .text(fragment.name), .bytes(fragment.sortKey),
                .bytes(fragment.bytes), .bytes(SlotList.bytes(fragment.slots)),
            ] + repository.values(coordinates))
    }

    static func generation(of place: DocumentPlace) -> SQLStatement {
        SQLStatement(
            "SELECT generation FROM generations WHERE repository_id = $1 AND document = $2", [.integer(place.repository.number), .text(place.document.text)])
    }

    /// By section and name, which is the order of the index.
    static func fragments(of place: DocumentPlace, after mark: StoredFragment?, _ limit: Int) -> SQLStatement {
        SQLStatement(
            """
            SELECT id, section, name, sort_key, length(bytes), slots FROM fragments
            WHERE repository_id = $1 AND document = $2 AND (section, name) > ($3, $4) ORDER BY section, name LIMIT $5
            """,
            [
                .integer(place.repository.number), .text(place.document.text), .text(mark?.section ?? ""), .text(mark?.name ?? ""), .integer(Int64(limit)),
            ])
    }

    /// What one statement is asked for: each by itself would be a transaction of its own.
    static let fragmentsAtOnce = 64

    /// - Parameter numbers: 1 to `fragmentsAtOnce`.
    static func bytes(ofFragments numbers: ArraySlice<Int64>) -> SQLStatement {
        SQLStatement(
            """
            SELECT id, bytes FROM fragments WHERE id IN (
              $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16,
              $17, $18, $19, $20, $21, $22, $23, $24, $25, $26, $27, $28, $29, $30, $31, $32,
              $33, $34, $35, $36, $37, $38, $39, $40, $41, $42, $43, $44, $45, $46, $47, $48,
              $49, $50, $51, $52, $53, $54, $55, $56, $57, $58, $59, $60, $61, $62, $63, $64)
            """, (0..<self.fragmentsAtOnce).map { .integer($0 < numbers.count ? numbers[numbers.startIndex + $0] : numbers[numbers.startIndex]) })
    }
}
