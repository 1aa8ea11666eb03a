import CSQLite
import SQLMetadata
import StorageAPI

/// A compiled statement. Belongs to one connection and, with it, to one thread at a time.
final class SQLitePreparedStatement: SQLColumns {
    private let handle: OpaquePointer

    init(_ handle: OpaquePointer) { self.handle = handle }

    deinit { sqlite3_finalize(self.handle) }

    var database: OpaquePointer? { sqlite3_db_handle(self.handle) }

    /// That `values` fits the placeholders, and that these are named by their place: SQLite numbers `$n` by first use, PostgreSQL by n.
    func placesMatch(_ values: [SQLValue]) -> Bool {
        guard sqlite3_bind_parameter_count(self.handle) == values.count else { return false }
        return values.indices.allSatisfy { index in
            sqlite3_bind_parameter_name(self.handle, CInt(index + 1)).map { String(cString: $0) } == "$\(index + 1)"
        }
    }

    func bind(_ values: [SQLValue]) -> CInt {
        var place: CInt = 1
        for value in values {
            let result = self.bind(value, at: place)
            guard result == SQLITE_OK else { return result }
            place += 1
        }
        return SQLITE_OK
    }

    private func bind(_ value: SQLValue, at place: CInt) -> CInt {
        switch value {
        case .null: return sqlite3_bind_null(self.handle, place)
        case .integer(let number): return sqlite3_bind_int64(self.handle, place, number)
        case .text(var text):
            return text.withUTF8 { bytes in
                guard let start = bytes.baseAddress else { return csqlite_bind_text(self.handle, place, "", 0) }
                return start.withMemoryRebound(to: CChar.self, capacity: bytes.count) { csqlite_bind_text(self.handle, place, $0, CInt(bytes.count)) }
            }
        case .bytes(let bytes):
            return bytes.withUnsafeBytes { csqlite_bind_blob(self.handle, place, $0.baseAddress, CInt($0.count)) }
        }
    }

    func step() -> CInt { sqlite3_step(self.handle) }

    /// Ready to be bound anew. Repeats the result of a failed `step`, which was looked at then.
    func reset() { sqlite3_reset(self.handle) }

    func integer(_ column: Int) -> Int64 { sqlite3_column_int64(self.handle, CInt(column)) }

    func text(_ column: Int) -> String { String(decoding: self.raw(sqlite3_column_text(self.handle, CInt(column)), column), as: UTF8.self) }

    func bytes(_ column: Int) -> [UInt8] { Array(self.raw(sqlite3_column_blob(self.handle, CInt(column)), column)) }

    func isNull(_ column: Int) -> Bool { sqlite3_column_type(self.handle, CInt(column)) == SQLITE_NULL }

    func value(_ column: Int) -> SQLValue {
        switch sqlite3_column_type(self.handle, CInt(column)) {
        case SQLITE_NULL: .null
        case SQLITE_INTEGER: .integer(self.integer(column))
        case SQLITE_TEXT: .text(self.text(column))
        default: .bytes(self.bytes(column))
        }
    }

    /// What `start` points at, valid until the next step: asked for its length after its kind, as SQLite demands.
    private func raw(_ start: UnsafeRawPointer?, _ column: Int) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : Int(sqlite3_column_bytes(self.handle, CInt(column))))
    }

    private func raw(_ start: UnsafePointer<UInt8>?, _ column: Int) -> UnsafeRawBufferPointer { self.raw(start.map(UnsafeRawPointer.init), column) }
}
