import Foundation
import Synchronization
import Testing

@testable import WebServer

@Suite("log lines on their way out")
struct LineWriterTests {
    @Test("a pipe that nobody reads holds up neither a line nor the end, and tells how many lines it lost once it is read")
    func unread() throws {
        var ends: [CInt] = [-1, -1]
        pipe(&ends)
        let (reading, writing) = (ends[0], ends[1])
        let lines = LineWriter(descriptor: writing)
        let line = Array(String(repeating: "x", count: 999).utf8) + [UInt8(ascii: "\n")]
        // More than what may wait, what may be on its way and what the pipe holds.
        let all = 3 * LineWriter.mostWaiting / line.count
        for _ in 0..<all { lines.write(line) }
        #expect(!lines.flush(within: .milliseconds(50)))
        let seen = Mutex([UInt8]())
        let end = DispatchSemaphore(value: 0)
        Thread.detachNewThread {
            var bytes = [UInt8](repeating: 0, count: 1 << 16)
            while case let count = read(reading, &bytes, bytes.count), count > 0 { seen.withLock { $0 += bytes[..<count] } }
            end.signal()
        }
        #expect(lines.flush(within: .seconds(60)))
        lines.close()
        close(writing)
        end.wait()
        close(reading)
        let text = seen.withLock { String(decoding: $0, as: UTF8.self) }.split(separator: "\n")
        let written = text.count { $0.utf8.count == 999 && $0.utf8.allSatisfy { $0 == UInt8(ascii: "x") } }
        let notices = text.compactMap { $0.firstMatch(of: #/"log lines were dropped","lines":(\d+)}/#).flatMap { Int($0.output.1) } }
        #expect(written + notices.reduce(0, +) == all)
        #expect(written + notices.count == text.count && !notices.isEmpty)
    }
}
