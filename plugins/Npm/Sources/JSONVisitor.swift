import FormatAPI

/// What is not JSON, or more of it than is taken.
struct JSONFlaw: Error, Sendable {
    let message: String
    /// Where, in bytes from the document's first.
    let offset: Int64
}

extension FormatError {
    init(_ flaw: JSONFlaw) { self.init(.invalidRequest, flaw.message, cause: flaw) }
}

enum JSONKind: Sendable { case object, array, string, number, yes, no, null }

/// What is wanted of a value that begins.
enum JSONInterest: Sendable {
    /// When it ends. It is checked like any other.
    case nothing
    /// Of an object or array: to hear of what is in it.
    case members
    /// Of a string, its escapes resolved, or of a number: all of it, if it has at most `limit` bytes.
    case text(limit: Int)
    /// Of a string, its escapes resolved: as it comes.
    case pieces
}

/// Hears what is in a document, as far as it has asked to.
protocol JSONVisitor {
    /// Whether it ever stops the tokenizer.
    static var pauses: Bool { get }
    /// Asked after each of the calls below. Bytes that were not taken are to be fed again.
    var isPaused: Bool { get }
    /// A member of an object that is heard of; its value begins next. Keys that nobody hears of may be of any length, others have
    /// `JSONTokenizer.longestKey`.
    mutating func key(_ text: UnsafeRawBufferPointer) throws(JSONFlaw)
    /// The first byte of a value.
    mutating func begin(_ kind: JSONKind, at offset: Int64) throws(JSONFlaw) -> JSONInterest
    mutating func piece(_ bytes: UnsafeRawBufferPointer) throws(JSONFlaw)
    /// The end of a value that began: the offset behind its last byte.
    /// - Parameter text: what was asked for; nil where it is longer.
    mutating func end(at offset: Int64, text: UnsafeRawBufferPointer?) throws(JSONFlaw)
}

extension JSONVisitor {
    static var pauses: Bool { false }
    var isPaused: Bool { false }
    mutating func piece(_ bytes: UnsafeRawBufferPointer) throws(JSONFlaw) {}
}
