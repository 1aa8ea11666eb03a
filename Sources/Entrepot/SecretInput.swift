import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Where a command's secret comes from: a pipe, where it is asked for that; a person at a terminal; nobody.
enum SecretInput {
    private static let longest = 4096

    /// - Parameter fromPipe: `--password-stdin`.
    /// - Returns: nil: none was given, and one is to be made.
    /// - Throws: `CommandFailure` where two inputs differ, or the person gave up.
    static func password(for name: String, fromPipe: Bool) throws -> String? {
        if fromPipe { return try self.piped() }
        guard isatty(STDIN_FILENO) == 1, isatty(STDERR_FILENO) == 1 else { return nil }
        let first = try self.typed("Password for \(name) (empty: one is made): ")
        if first.isEmpty { return nil }
        guard try self.typed("The same again: ") == first else { throw CommandFailure("the two are not the same; nothing was changed") }
        return first
    }

    /// All of it but the line's end.
    private static func piped() throws -> String {
        var bytes: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: Self.longest)
        while true {
            let count = read(STDIN_FILENO, &chunk, chunk.count)
            guard count > 0 else { break }
            bytes += chunk[0..<count]
            guard bytes.count <= Self.longest else { throw CommandFailure("what came on standard input is too long for a password") }
        }
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        if bytes.last == UInt8(ascii: "\r") { bytes.removeLast() }
        guard let text = String(validating: bytes, as: UTF8.self) else { throw CommandFailure("what came on standard input is not UTF-8") }
        guard !text.isEmpty else { throw CommandFailure("nothing came on standard input, where --password-stdin wants the password") }
        return text
    }

    /// Without echo. The terminal sends control characters as they are, so that nothing ends the command and leaves it without echo.
    private static func typed(_ prompt: String) throws -> String {
        var before = termios()
        guard tcgetattr(STDIN_FILENO, &before) == 0 else { throw CommandFailure("the terminal cannot be asked; use --password-stdin") }
        var silent = before
        silent.c_lflag &= ~tcflag_t(ECHO | ICANON | ISIG)
        guard tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent) == 0 else { throw CommandFailure("the terminal cannot be silenced; use --password-stdin") }
        defer {
            tcsetattr(STDIN_FILENO, TCSAFLUSH, &before)
            StandardError.write("")
        }
        StandardError.prompt(prompt)
        return try self.line()
    }

    private static func line() throws -> String {
        var bytes: [UInt8] = []
        while bytes.count <= Self.longest {
            var byte: UInt8 = 0
            guard read(STDIN_FILENO, &byte, 1) == 1 else { throw CommandFailure("the terminal was closed; nothing was changed") }
            switch byte {
            case UInt8(ascii: "\n"), UInt8(ascii: "\r"):
                guard let text = String(validating: bytes, as: UTF8.self) else { throw CommandFailure("what was typed is not UTF-8; nothing was changed") }
                return text
            // ^C, ^D
            case 0x03, 0x04: throw CommandFailure("given up; nothing was changed")
            // A character goes with all its bytes.
            case 0x08, 0x7F: while let last = bytes.popLast(), last & 0xC0 == 0x80 {}
            // ^U
            case 0x15: bytes = []
            default: bytes.append(byte)
            }
        }
        throw CommandFailure("that is too long for a password; nothing was changed")
    }
}

extension StandardError {
    /// Without the end of the line.
    fileprivate static func prompt(_ text: String) {
        let bytes = Array(text.utf8)
        _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, bytes.count) }
    }
}
