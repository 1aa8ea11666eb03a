import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// The body of a control socket's answer, a line at a time. Blocks: it is a command's only work. Owns the socket: when this goes, the
/// server sees its client hang up.
final class ControlLines {
    private static let newline = UInt8(ascii: "\n")
    private let socket: CInt
    private var rest = Data()

    init(_ socket: CInt) { self.socket = socket }

    deinit { close(self.socket) }

    /// - Throws: `CommandFailure` with what the server says, where it does not say 2xx.
    func readHead() throws {
        let words = try self.next().map { String(decoding: $0, as: UTF8.self).split(separator: " ") } ?? []
        guard words.count > 1, let status = Int(words[1]) else { throw CommandFailure("the server's answer is not HTTP") }
        // What ends the head is an empty line, with its CR.
        while let line = try self.next(), line.count > 1 {}
        if (200..<300).contains(status) { return }
        var reason = ""
        while let line = try self.next() { reason += String(decoding: line, as: UTF8.self) }
        throw CommandFailure("the server refused: \(reason)")
    }

    /// Without its end; nil at the end, where what has no end of line is not a line.
    func next() throws -> Data? {
        var searched = 0
        while true {
            if let end = self.rest[(self.rest.startIndex + searched)...].firstIndex(of: Self.newline) {
                defer { self.rest = Data(self.rest[(end + 1)...]) }
                return Data(self.rest[..<end])
            }
            searched = self.rest.count
            guard try self.fill() else { return nil }
        }
    }

    private func fill() throws -> Bool {
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(self.socket, &chunk, chunk.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else { throw CommandFailure("the server hung up") }
            self.rest.append(contentsOf: chunk[..<count])
            return count > 0
        }
    }
}
