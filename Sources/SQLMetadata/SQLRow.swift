/// The row a query stands at. Columns count from 0; it cannot be kept.
public struct SQLRow: ~Copyable {
    private let columns: any SQLColumns

    public init(_ columns: any SQLColumns) { self.columns = columns }

    /// 0 where the column is NULL.
    public borrowing func integer(_ column: Int) -> Int64 { self.columns.integer(column) }
    /// Empty where the column is NULL.
    public borrowing func text(_ column: Int) -> String { self.columns.text(column) }
    /// Empty where the column is NULL.
    public borrowing func bytes(_ column: Int) -> [UInt8] { self.columns.bytes(column) }
    public borrowing func isNull(_ column: Int) -> Bool { self.columns.isNull(column) }
    public borrowing func value(_ column: Int) -> SQLValue { self.columns.value(column) }
}

/// A driver's access to the columns of the row it stands at.
public protocol SQLColumns: AnyObject {
    func integer(_ column: Int) -> Int64
    func text(_ column: Int) -> String
    func bytes(_ column: Int) -> [UInt8]
    func isNull(_ column: Int) -> Bool
    func value(_ column: Int) -> SQLValue
}
