public import ArtifactModel
import HTTPTypes
import NIOCore

/// The parts of a form with files, `multipart/form-data`, as they come: RFC 7578, and RFC 2046, 5.1. Each part is read to its end before the next; what of it was
/// not read is passed over.
public actor MultipartForm {
    public struct Part: Sendable {
        /// Of the field.
        public var name: String
        /// nil: a value and no file.
        public var fileName: String?
        /// Of unknown length.
        public var body: ByteStream
    }

    /// In bytes: of a part's header.
    private static let longestHeader = 16 << 10

    private let body: ByteStream
    /// `\r\n--boundary`
    private let delimiter: [UInt8]
    private var buffer = ByteBuffer(string: "\r\n")
    private var isAtEnd = false
    private var isOver = false
    /// Parts that have begun: a body that outlives its own must not take the next one's bytes.
    private var count = 0
    private var isInPart = false

    /// nil: the body is no such form.
    public init?(_ head: RequestHead, _ body: ByteStream) {
        guard let type = head.headers[.contentType], type.lowercased().hasPrefix("multipart/form-data"), let boundary = Self.parameter("boundary", of: type),
            (1...200).contains(boundary.utf8.count)
        else { return nil }
        self.body = body
        self.delimiter = Array("\r\n--\(boundary)".utf8)
    }

    /// nil: that was the last one.
    /// - Throws: `.invalidRequest` where the form is malformed.
    public func next() async throws -> Part? {
        while self.isInPart { _ = try await self.chunk(of: self.count) }
        guard !self.isOver else { return nil }
        if self.count == 0 { try await self.skipPreamble() }
        guard let ending = try await self.line() else { throw Self.flaw("it breaks off") }
        if ending.hasPrefix("--") {
            self.isOver = true
            while try await self.fill() { self.buffer.clear() }
            return nil
        }
        guard ending.allSatisfy({ $0 == " " || $0 == "\t" }) else { throw Self.flaw("there is something behind a boundary") }
        let disposition = try await self.header()
        guard let name = Self.parameter("name", of: disposition) else { throw Self.flaw("a part has no name") }
        self.count += 1
        self.isInPart = true
        let number = self.count
        return Part(name: name, fileName: Self.parameter("filename", of: disposition), body: ByteStream(length: nil) { try await self.chunk(of: number) })
    }

    // MARK: Bytes

    private func chunk(of part: Int) async throws -> ByteBuffer? {
        guard part == self.count, self.isInPart else { return nil }
        while true {
            if let place = self.place(of: self.delimiter) {
                if place > 0 { return self.buffer.readSlice(length: place) }
                self.buffer.moveReaderIndex(forwardBy: self.delimiter.count)
                self.isInPart = false
                return nil
            }
            // What may be the beginning of a boundary stays.
            let free = self.buffer.readableBytes - self.delimiter.count + 1
            if free > 0 { return self.buffer.readSlice(length: free) }
            guard try await self.fill() else { throw Self.flaw("it breaks off in the middle of a part") }
        }
    }

    private func skipPreamble() async throws {
        self.isInPart = true
        while try await self.chunk(of: 0) != nil {}
    }

    private func fill() async throws -> Bool {
        guard !self.isAtEnd, let chunk = try await self.body.next() else {
            self.isAtEnd = true
            return false
        }
        self.buffer.writeImmutableBuffer(chunk)
        self.buffer.discardReadBytes()
        return true
    }

    private func place(of mark: [UInt8]) -> Int? {
        let view = self.buffer.readableBytesView
        var at = view.startIndex
        while let first = view[at...].firstIndex(of: mark[0]), view.endIndex - first >= mark.count {
            if view[first..<(first + mark.count)].elementsEqual(mark) { return first - view.startIndex }
            at = first + 1
        }
        return nil
    }

    private func line() async throws -> String? {
        let end = Array("\r\n".utf8)
        while true {
            if let place = self.place(of: end) {
                let line = self.buffer.readString(length: place) ?? ""
                self.buffer.moveReaderIndex(forwardBy: 2)
                return line
            }
            // The last boundary may have nothing behind it.
            if self.buffer.readableBytes >= 2, self.buffer.getString(at: self.buffer.readerIndex, length: 2) == "--" { return "--" }
            guard self.buffer.readableBytes <= Self.longestHeader else { throw Self.flaw("a header of it is too long") }
            guard try await self.fill() else { return nil }
        }
    }

    /// - Returns: the value of `Content-Disposition`.
    private func header() async throws -> String {
        var (disposition, length) = ("", 0)
        while let line = try await self.line() {
            if line.isEmpty { return disposition }
            length += line.utf8.count
            guard length <= Self.longestHeader else { throw Self.flaw("a header of it is too long") }
            let sides = line.split(separator: ":", maxSplits: 1)
            if sides.count == 2, sides[0].lowercased() == "content-disposition" { disposition = String(sides[1]) }
        }
        throw Self.flaw("it breaks off in a header")
    }

    private static func flaw(_ what: String) -> FormatError { FormatError(.invalidRequest, "the form cannot be read: \(what)") }

    /// `name="value"` or `name=value`, behind a semicolon.
    private static func parameter(_ name: String, of text: String) -> String? {
        var rest = text.utf8.drop { $0 != UInt8(ascii: ";") }
        while !rest.isEmpty {
            rest = rest.dropFirst().drop { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\t") }
            let key = rest.prefix { $0 != UInt8(ascii: "=") && $0 != UInt8(ascii: ";") }
            rest = rest.dropFirst(key.count)
            guard rest.first == UInt8(ascii: "=") else { continue }
            let (value, left) = Self.value(rest.dropFirst())
            rest = left
            if String(Substring(key)).lowercased() == name { return value }
        }
        return nil
    }

    private static func value(_ text: Substring.UTF8View) -> (String, Substring.UTF8View) {
        guard text.first == UInt8(ascii: "\"") else {
            let word = text.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }
            return (String(Substring(word)), text.dropFirst(word.count).drop { $0 != UInt8(ascii: ";") })
        }
        var (bytes, rest, isEscaped) = ([UInt8](), text.dropFirst(), false)
        while let byte = rest.first {
            rest = rest.dropFirst()
            if isEscaped {
                bytes.append(byte)
                isEscaped = false
            } else if byte == UInt8(ascii: "\\") {
                isEscaped = true
            } else if byte == UInt8(ascii: "\"") {
                break
            } else {
                bytes.append(byte)
            }
        }
        return (String(decoding: bytes, as: UTF8.self), rest.drop { $0 != UInt8(ascii: ";") })
    }
}
