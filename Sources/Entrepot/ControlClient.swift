import Foundation

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Asks a running server by its socket. Blocks: it is a command's only work.
struct ControlClient {
    struct Answer {
        var status: Int
        var body: Data
    }

    private let path: String

    /// nil: no server listens there, so the command may open the data folder itself.
    init?(dataFolder: String) {
        self.path = DataFolder.socket(in: dataFolder)
        guard let probe = Self.connected(to: self.path) else { return nil }
        close(probe)
    }

    /// - Parameter body: where secrets go: a server's log may have targets. At most 1 MiB.
    /// - Throws: `CommandFailure` where the server goes away or refuses.
    func send(_ method: String, _ target: String, body: Data = Data()) throws -> Data {
        guard let socket = Self.connected(to: self.path) else { throw CommandFailure("the server stopped listening at \(self.path)") }
        defer { close(socket) }
        let head = "\(method) \(target) HTTP/1.1\r\nHost: entrepot\r\nContent-Length: \(body.count)\r\nConnection: close\r\n\r\n"
        try Self.write(Array(head.utf8) + body, to: socket)
        let answer = try Self.parse(try Self.readAll(socket))
        guard (200..<300).contains(answer.status) else {
            throw CommandFailure("the server refused: \(String(decoding: answer.body, as: UTF8.self))")
        }
        return answer.body
    }

    /// Reads lines as they come. HTTP/1.0, so that the end of the connection is the end of the answer and there are no chunks to undo.
    /// - Throws: what `each` throws; `CommandFailure` where the server goes away or refuses.
    func send(_ method: String, _ target: String, each: (Data) throws -> Void) throws {
        guard let socket = Self.connected(to: self.path) else { throw CommandFailure("the server stopped listening at \(self.path)") }
        defer { close(socket) }
        try Self.write(Array("\(method) \(target) HTTP/1.0\r\nHost: entrepot\r\nContent-Length: 0\r\n\r\n".utf8), to: socket)
        var isBody = false
        var bytes = Data()
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(socket, &chunk, chunk.count)
            guard count >= 0 else { throw CommandFailure("the server hung up") }
            guard count > 0 else { break }
            bytes.append(contentsOf: chunk[0..<count])
            if !isBody, let end = bytes.range(of: Data("\r\n\r\n".utf8)) {
                guard try (200..<300).contains(Self.parse(bytes).status) else { continue }
                bytes = Data(bytes[end.upperBound...])
                isBody = true
            }
            while isBody, let end = bytes.firstIndex(of: UInt8(ascii: "\n")) {
                try each(Data(bytes[..<end]))
                bytes = Data(bytes[(end + 1)...])
            }
        }
        if !isBody { throw CommandFailure("the server refused: \(String(decoding: try Self.parse(bytes).body, as: UTF8.self))") }
    }

    private static func connected(to path: String) -> CInt? {
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: address.sun_path) else { return nil }
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
        let socket = Glibc.socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        guard socket >= 0 else { return nil }
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(socket, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard connected == 0 else {
            close(socket)
            return nil
        }
        return socket
    }

    private static func write(_ bytes: [UInt8], to socket: CInt) throws {
        var at = 0
        while at < bytes.count {
            let sent = bytes[at...].withUnsafeBytes { Glibc.send(socket, $0.baseAddress, $0.count, CInt(MSG_NOSIGNAL)) }
            guard sent > 0 else { throw CommandFailure("the server hung up") }
            at += sent
        }
    }

    private static func readAll(_ socket: CInt) throws -> Data {
        var whole = Data()
        var chunk = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = read(socket, &chunk, chunk.count)
            guard count >= 0 else { throw CommandFailure("the server hung up") }
            guard count > 0 else { return whole }
            whole.append(contentsOf: chunk[0..<count])
        }
    }

    private static func parse(_ bytes: Data) throws -> Answer {
        guard let end = bytes.range(of: Data("\r\n\r\n".utf8)) else { throw CommandFailure("the server's answer broke off") }
        let head = String(decoding: bytes[bytes.startIndex..<end.lowerBound], as: UTF8.self)
        guard let status = head.split(separator: " ").dropFirst().first.flatMap({ Int($0) }) else {
            throw CommandFailure("the server's answer is not HTTP")
        }
        return Answer(status: status, body: Data(bytes[end.upperBound...]))
    }
}
