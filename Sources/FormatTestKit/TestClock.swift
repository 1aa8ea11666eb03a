public import ArtifactModel
import NIOCore
import Synchronization

/// Time that stands still until a test moves it.
public final class TestClock: Sendable {
    private let time = Mutex(Timestamp(milliseconds: 1_763_930_000_000))
    public init() {}

    public var now: Timestamp { self.time.withLock { $0 } }
    public func advance(by duration: Duration) { self.time.withLock { $0 = $0 + duration } }
}

/// The chunks of a body that are still to come.
final class Chunks: Sendable {
    private let rest: Mutex<[ByteBuffer]>
    init(_ chunks: [ByteBuffer]) { self.rest = Mutex(chunks.reversed()) }
    func next() -> ByteBuffer? { self.rest.withLock { $0.popLast() } }
}
