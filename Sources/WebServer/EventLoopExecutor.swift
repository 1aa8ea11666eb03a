public import NIOCore

/// Runs a connection's task on the connection's own event loop: no hop between threads for a request.
///
/// Whatever runs there must not block; structured child tasks inherit it, `Task {}` does not.
final class EventLoopExecutor: TaskExecutor {
    private let loop: any EventLoop

    init(_ loop: any EventLoop) { self.loop = loop }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        self.loop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}

/// One executor for each loop of a group.
public struct EventLoopExecutors: Sendable {
    private let executors: [ObjectIdentifier: EventLoopExecutor]

    public init(_ group: any EventLoopGroup) {
        var executors: [ObjectIdentifier: EventLoopExecutor] = [:]
        for loop in group.makeIterator() { executors[ObjectIdentifier(loop)] = EventLoopExecutor(loop) }
        self.executors = executors
    }

    /// Each may run what never blocks.
    public var all: [any TaskExecutor] { Array(self.executors.values) }

    subscript(loop: any EventLoop) -> EventLoopExecutor? { self.executors[ObjectIdentifier(loop)] }
}
