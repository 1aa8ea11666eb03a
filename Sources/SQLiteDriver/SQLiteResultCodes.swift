import CSQLite
import StorageAPI

/// sqlite.org/rescode.html
enum SQLiteResultCodes {
    /// - Parameter result: primary or extended; the low byte is the primary code.
    static func code(_ result: CInt) -> MetadataError.Code {
        // The log's index could not grow: nothing but a full disk is a cause.
        if result == SQLITE_IOERR | (19 << 8) { return .noSpace }
        return switch result & 0xFF {
        case SQLITE_FULL: .noSpace
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_FORMAT, SQLITE_MISMATCH: .corrupt
        case SQLITE_BUSY, SQLITE_LOCKED: .busy
        case SQLITE_INTERRUPT: .cancelled
        default: .io
        }
    }
}
