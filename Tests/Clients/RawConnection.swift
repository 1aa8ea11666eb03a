import Foundation
import Testing

/// An answer as it stood on the wire.
struct Answer: Sendable {
    var status: Int
    /// Names in lower case; of several with one name the last.
    var headers: [String: String]
    var body: [UInt8]
    /// Status codes of the interim answers before it.
    var interim: [Int]

    var text: String { String(decoding: self.body, as: UTF8.self) }
}

/// One HTTP/1.1 connection, byte by byte: what no client would send is sent here. Blocking, so it is used through `offPool`.
final class RawConnection: Sendable {
    private let descriptor: Int32

    init(port: Int) throws {
        self.descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var limit = timeval(tv_sec: 30, tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] { setsockopt(self.descriptor, SOL_SOCKET, option, &limit, socklen_t(MemoryLayout<timeval>.size)) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(port).bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { connect(self.descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) }
        }
        // Thrown, and not recorded: some who try only want to know whether anybody is there yet.
        guard connected == 0 else { throw Unconnected(description: "connect: \(String(cString: strerror(errno)))") }
    }

    struct Unconnected: Error, CustomStringConvertible { let description: String }

    deinit { close(self.descriptor) }

    /// Stops at a connection that the server closed: its answer is then there to read.
    func send(_ bytes: some Collection<UInt8>) {
        let data = Array(bytes)
        var sent = 0
        while sent < data.count {
            let count = data[sent...].withUnsafeBytes { Glibc.send(self.descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL)) }
            if count <= 0 { return }
            sent += count
        }
    }

    /// No more bytes from here; the answer can still be read.
    func endSending() { shutdown(self.descriptor, Int32(SHUT_WR)) }

    /// At most `limit` bytes; empty at the end, at an error and after 30 s of silence.
    func receive(_ limit: Int = 65536) -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: limit) { buffer, count in count = max(0, recv(self.descriptor, buffer.baseAddress, limit, 0)) }
    }

    /// - Parameter method: an answer to HEAD has no body, whatever its length says.
    /// - Returns: nil where the server closed the connection without an answer.
    func answer(to method: String = "GET") -> Answer? {
        var bytes: [UInt8] = []
        var interim: [Int] = []
        while true {
            guard let head = self.head(&bytes) else { return nil }
            if (100..<200).contains(head.status) {
                interim.append(head.status)
                continue
            }
            let body = method == "HEAD" || head.status == 204 || head.status == 304 ? [] : self.body(head.headers, begun: bytes)
            return Answer(status: head.status, headers: head.headers, body: body, interim: interim)
        }
    }

    private func head(_ bytes: inout [UInt8]) -> (status: Int, headers: [String: String])? {
        let end = Array("\r\n\r\n".utf8)
        var found = bytes.firstRange(of: end)
        while found == nil {
            let more = self.receive()
            if more.isEmpty { return nil }
            bytes += more
            found = bytes.firstRange(of: end)
        }
        guard let found else { return nil }
        let lines = String(decoding: bytes[..<found.lowerBound], as: UTF8.self).components(separatedBy: "\r\n")
        bytes.removeSubrange(..<found.upperBound)
        guard let words = lines.first?.split(separator: " "), words.count > 1, let status = Int(words[1]) else { return nil }
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let sides = line.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
            if sides.count == 2 { headers[sides[0].lowercased()] = sides[1].trimmingCharacters(in: .whitespaces) }
        }
        return (status, headers)
    }

    private func body(_ headers: [String: String], begun: [UInt8]) -> [UInt8] {
        var bytes = begun
        let length = headers["content-length"].flatMap { Int($0) }
        let isChunked = headers["transfer-encoding"]?.contains("chunked") == true
        while length.map({ bytes.count < $0 }) ?? !(isChunked && bytes.suffix(5).elementsEqual("0\r\n\r\n".utf8)) {
            let more = self.receive()
            if more.isEmpty { break }
            bytes += more
        }
        return isChunked ? Self.unchunked(bytes) : bytes
    }

    private static func unchunked(_ bytes: [UInt8]) -> [UInt8] {
        var out: [UInt8] = []
        var rest = bytes[...]
        while let line = rest.firstRange(of: Array("\r\n".utf8)) {
            let size = Int(String(decoding: rest[..<line.lowerBound], as: UTF8.self), radix: 16) ?? 0
            let end = line.upperBound + size
            guard size > 0, end <= rest.endIndex else { break }
            out += rest[line.upperBound..<end]
            rest = rest[min(end + 2, rest.endIndex)...]
        }
        return out
    }
}

/// Runs what blocks on a thread of its own, not on one that the tests share.
func offPool<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
    }
}

extension ServerProcess {
    /// One request on a connection of its own. The target goes out as it stands.
    func send(_ method: String, _ target: String, headers: [String] = [], body: [UInt8]? = nil) async throws -> Answer {
        var lines = ["\(method) \(target) HTTP/1.1", "Host: \(self.host)", "Connection: close"] + headers
        if let body, !headers.contains(where: { $0.lowercased().hasPrefix("content-length:") }) { lines.append("Content-Length: \(body.count)") }
        let bytes = Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8) + (body ?? [])
        let port = self.port
        let answer = try await offPool {
            let connection = try RawConnection(port: port)
            connection.send(bytes)
            return connection.answer(to: method)
        }
        return try #require(answer, "no answer to \(method) \(target.prefix(200))")
    }
}

/// `sha256:<hex>`, by coreutils.
func digest(of bytes: [UInt8], in folder: URL) async throws -> String {
    let file = folder.appending(path: "digest-\(UInt32.random(in: 0...UInt32.max))")
    try Data(bytes).write(to: file)
    return "sha256:" + (try await succeed(["sha256sum", file.path], in: folder)).prefix(64)
}
