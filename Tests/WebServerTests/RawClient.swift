import Glibc
import Synchronization
import Testing

/// A client that writes bytes as they are told and reads what comes, on a blocking socket: for a pool's thread.
final class RawClient {
    struct Response {
        var status: Int
        var headers: [(name: String, value: String)]
        var body: [UInt8]
        var text: String { String(decoding: self.body, as: UTF8.self) }
        /// Values of one name, joined.
        subscript(_ name: String) -> String? {
            let values = self.headers.filter { $0.name.lowercased() == name.lowercased() }.map(\.value)
            return values.isEmpty ? nil : values.joined(separator: ", ")
        }
    }

    enum Failure: Error { case connect(CInt), ended, malformed(String) }

    private let descriptor: CInt
    private var buffer: [UInt8] = []
    private var isOpen = true

    init(port: Int, receiveBuffer: CInt? = nil) throws {
        self.descriptor = socket(AF_INET, CInt(SOCK_STREAM.rawValue), 0)
        if var size = receiveBuffer { setsockopt(self.descriptor, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<CInt>.size)) }
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(self.descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = in_port_t(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        guard result == 0 else { throw Failure.connect(errno) }
    }

    init(path: String) throws {
        self.descriptor = socket(AF_UNIX, CInt(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_un()
        address.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: path.utf8) }
        let result = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_un>.size)) }
        }
        guard result == 0 else { throw Failure.connect(errno) }
    }

    deinit { self.close() }

    func close() {
        if self.isOpen { Glibc.close(self.descriptor) }
        self.isOpen = false
    }

    /// Closes by a reset, as a client does that dies with bytes unread.
    func reset() {
        var option = linger(l_onoff: 1, l_linger: 0)
        setsockopt(self.descriptor, SOL_SOCKET, SO_LINGER, &option, socklen_t(MemoryLayout<linger>.size))
        self.close()
    }

    /// Ends our side: the server sees the end of its input.
    func endInput() { shutdown(self.descriptor, CInt(SHUT_WR)) }

    func send(_ text: String) { self.send(Array(text.utf8)) }

    func send(_ bytes: [UInt8]) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.send(self.descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done, CInt(MSG_NOSIGNAL)) }
            if count <= 0 { return }
            done += count
        }
    }

    /// Reads one response; of a HEAD, its head alone.
    func response(toHead: Bool = false) throws -> Response {
        var response = try self.head()
        if toHead || response.status == 204 || response.status == 304 || response.status < 200 { return response }
        if let length = response["Content-Length"].flatMap(Int.init) {
            response.body = try self.take(length)
        } else if response["Transfer-Encoding"] == "chunked" {
            while true {
                guard let size = Int(try self.line(), radix: 16) else { throw Failure.malformed("chunk") }
                response.body += try self.take(size)
                _ = try self.line()
                if size == 0 { break }
            }
        } else {
            response.body = self.rest()
        }
        return response
    }

    func head() throws -> Response {
        let words = try self.line().split(separator: " ", maxSplits: 2)
        guard words.count >= 2, words[0] == "HTTP/1.1", let status = Int(words[1]) else { throw Failure.malformed("\(words)") }
        var headers: [(name: String, value: String)] = []
        while true {
            let line = try self.line()
            if line.isEmpty { return Response(status: status, headers: headers, body: []) }
            let sides = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            guard sides.count == 2 else { throw Failure.malformed(line) }
            headers.append((String(sides[0]), String(sides[1].drop { $0 == " " })))
        }
    }

    /// What comes until the connection ends, however it does.
    func rest() -> [UInt8] {
        while self.fill() {}
        defer { self.buffer = [] }
        return self.buffer
    }

    /// Whether the server has closed, or closes before it sends another byte.
    func isEnded() -> Bool { self.buffer.isEmpty && !self.fill() }

    func take(_ count: Int) throws -> [UInt8] {
        while self.buffer.count < count { guard self.fill() else { throw Failure.ended } }
        defer { self.buffer.removeFirst(count) }
        return Array(self.buffer[..<count])
    }

    private func line() throws -> String {
        while true {
            if let end = self.buffer.firstIndex(of: UInt8(ascii: "\n")) {
                let line = self.buffer[..<end].filter { $0 != UInt8(ascii: "\r") }
                self.buffer.removeFirst(end + 1)
                return String(decoding: line, as: UTF8.self)
            }
            guard self.fill() else { throw Failure.ended }
        }
    }

    private func fill() -> Bool {
        var chunk = [UInt8](repeating: 0, count: 256 << 10)
        let count = recv(self.descriptor, &chunk, chunk.count, 0)
        guard count > 0 else { return false }
        self.buffer += chunk[..<count]
        return true
    }
}

/// A client that is kept while the test waits for the server. Only ever used under its lock.
final class Kept: Sendable {
    let value: Mutex<RawClient>
    init(_ client: sending RawClient) { self.value = Mutex(client) }
}
