import Dispatch
import Glibc
import NIOPosix
import Synchronization

/// Writes lines to a descriptor on a thread of its own, so that nothing else ever waits for it: a pipe that nobody reads holds up
/// neither a request nor the end of the process. Lines that come together are written together.
public final class LineWriter: Sendable {
    /// Lines beyond this many waiting bytes are dropped, and counted in the next line that is written.
    static let mostWaiting = 8 << 20
    /// How long a line may wait for others, in microseconds.
    static let gathering: UInt32 = 20_000
    /// How long one who must know that the lines are written waits for it.
    public static let patience: Duration = .seconds(2)

    private struct State {
        var waiting: [UInt8] = []
        var writing = false
        var dropped = 0
    }

    private let descriptor: CInt
    /// The only one that writes, so that no line lands within another.
    private let thread: NIOThreadPool
    private let state = Mutex(State())

    /// - Parameter descriptor: stays open, and the caller's; 1 is standard output.
    public init(descriptor: CInt) {
        self.descriptor = descriptor
        self.thread = NIOThreadPool(numberOfThreads: 1)
        self.thread.start()
    }

    /// - Parameter urgent: returns when the line is written, or after `patience`; the process may be about to end.
    func write(_ line: [UInt8], urgent: Bool = false) {
        let start = self.state.withLock { state in
            guard state.waiting.count < Self.mostWaiting else {
                state.dropped += 1
                return false
            }
            state.waiting += line
            defer { state.writing = true }
            return !state.writing
        }
        if start {
            // A moment's wait gathers the lines of many requests into one write and one wake-up; it is this thread's only work.
            self.thread.submit { _ in
                usleep(Self.gathering)
                self.drain()
            }
        }
        if urgent { self.flush() }
    }

    /// Returns when what waits is written, or after `limit`: bytes that a descriptor does not take by then are not waited for.
    /// - Returns: whether it is written.
    @discardableResult public func flush(within limit: Duration = LineWriter.patience) -> Bool {
        let done = DispatchSemaphore(value: 0)
        self.thread.submit { _ in
            self.drain()
            done.signal()
        }
        let (seconds, attoseconds) = limit.components
        return done.wait(timeout: .now() + .seconds(Int(seconds)) + .nanoseconds(Int(attoseconds / 1_000_000_000))) == .success
    }

    /// Writes what waits, within `patience`, and ends the thread; nothing may be written after it.
    public func close() {
        self.flush()
        // The thread has nothing to do any more; there is nothing to be told about its end.
        self.thread.shutdownGracefully { _ in }
    }

    /// On the thread alone.
    private func drain() {
        while true {
            let (bytes, dropped) = self.state.withLock { state in
                defer {
                    state.writing = !state.waiting.isEmpty
                    state.waiting = []
                    state.dropped = 0
                }
                return (state.waiting, state.dropped)
            }
            if bytes.isEmpty { return }
            self.put(bytes)
            if dropped > 0 { self.put(Array("{\"level\":\"warning\",\"message\":\"log lines were dropped\",\"lines\":\(dropped)}\n".utf8)) }
        }
    }

    private func put(_ bytes: [UInt8]) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(self.descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done) }
            if count < 0, errno == EAGAIN {
                self.awaitRoom()
            } else if count < 0, errno != EINTR {
                // Nobody is left to tell where the log's own descriptor is gone.
                return
            }
            done += max(0, count)
        }
    }

    /// For a descriptor that whoever started the process has set not to block.
    private func awaitRoom() {
        var entry = pollfd(fd: self.descriptor, events: Int16(POLLOUT), revents: 0)
        poll(&entry, 1, -1)
    }
}
