public import StorageAPI

/// A statement and its values. `StaticString`: no value can get into the text, and its address is the key of the prepared statement.
public struct SQLStatement: Sendable {
    public let text: StaticString
    /// For `$1`, `$2`, …
    public let values: [SQLValue]

    public init(_ text: StaticString, _ values: [SQLValue] = []) {
        self.text = text
        self.values = values
    }
}

/// Equal where the bytes are: unlike `String`, two spellings of «é» are two texts, as in the database.
public enum SQLValue: Hashable, Sendable {
    case null
    case integer(Int64)
    case text(String)
    case bytes([UInt8])

    public static func == (a: Self, b: Self) -> Bool {
        switch (a, b) {
        case (.null, .null): true
        case (.integer(let a), .integer(let b)): a == b
        case (.text(let a), .text(let b)): a.utf8.elementsEqual(b.utf8)
        case (.bytes(let a), .bytes(let b)): a == b
        case (.null, _), (.integer, _), (.text, _), (.bytes, _): false
        }
    }

    public func hash(into hasher: inout Hasher) {
        switch self {
        case .null: hasher.combine(0)
        case .integer(let number): hasher.combine(number)
        case .text(let text): for byte in text.utf8 { hasher.combine(byte) }
        case .bytes(let bytes): hasher.combine(bytes)
        }
    }
}

/// One step of a batch.
public enum SQLStep: Sendable {
    case run(SQLStatement)
    /// The batch fails with this code where what the query gives is not what is expected.
    case require(SQLStatement, SQLExpectation, orElse: MetadataError.Code)
    /// The definitions of a migration, several statements, in the dialect's words.
    case define(String)
}

/// What the first column of a query's rows must be.
public enum SQLExpectation: Sendable {
    case someRow
    case noRow
    /// Every row's is among these; no row at all is fine where `orNoRow`.
    case among(Set<SQLValue>, orNoRow: Bool)
}

extension SQLExpectation {
    /// Looked at row by row by a driver.
    public struct Check {
        private let expectation: SQLExpectation
        private var sawRow = false
        private var sawOther = false

        public init(_ expectation: SQLExpectation) { self.expectation = expectation }

        public mutating func see(_ value: SQLValue) {
            self.sawRow = true
            if case .among(let allowed, _) = self.expectation, !allowed.contains(value) { self.sawOther = true }
        }

        public var holds: Bool {
            switch self.expectation {
            case .someRow: self.sawRow
            case .noRow: !self.sawRow
            case .among(_, let orNoRow): self.sawRow ? !self.sawOther : orNoRow
            }
        }
    }
}
