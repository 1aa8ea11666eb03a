import Glibc
import NIOPosix
import Synchronization

/// Writes lines to a descriptor on a thread of its own, so that a slow pipe never holds up an event loop. Lines that come together
/// are written together.
public final class LineWriter: Sendable {
    /// Lines beyond this many waiting bytes are dropped, and counted in the next line that is written.
    static let mostWaiting = 8 << 20
    /// How long a line may wait for others, in microseconds.
    static let gathering: UInt32 = 20_000

    private struct State {
        var waiting: [UInt8] = []
        var writing = false
        var dropped = 0
    }

    private let descriptor: CInt
    private let thread: NIOThreadPool
    private let state = Mutex(State())
    /// Held while bytes go out, so that an urgent line does not land within another.
    private let output = Mutex(())

    /// - Parameter descriptor: stays open, and the caller's; 1 is standard output.
    public init(descriptor: CInt) {
        self.descriptor = descriptor
        self.thread = NIOThreadPool(numberOfThreads: 1)
        self.thread.start()
    }

    /// - Parameter urgent: returns when the line is written; the process may be about to end.
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
        if urgent { return self.flush() }
        guard start else { return }
        // A moment's wait gathers the lines of many requests into one write and one wake-up; it is this thread's only work.
        self.thread.submit { _ in
            usleep(Self.gathering)
            self.flush()
        }
    }

    /// Writes what waits, and returns when it is written.
    public func flush() {
        self.output.withLock { _ in
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
    }

    /// Writes what waits, and ends the thread; nothing may be written after it.
    public func close() {
        self.flush()
        // The thread has nothing to do any more; there is nothing to be told about its end.
        self.thread.shutdownGracefully { _ in }
    }

    private func put(_ bytes: [UInt8]) {
        var done = 0
        while done < bytes.count {
            let count = bytes.withUnsafeBytes { Glibc.write(self.descriptor, $0.baseAddress.map { $0 + done }, bytes.count - done) }
            // Nobody is left to tell where the log's own descriptor is gone.
            if count < 0, errno != EINTR { return }
            done += max(0, count)
        }
    }
}
