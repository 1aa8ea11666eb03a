import Synchronization

/// One verification for all who show the same at the same moment: a build begins with dozens of requests at once.
final class SharedChecks: Sendable {
    typealias Answer = Result<Principal, AccessFailure>
    private let waiting = Mutex<[CredentialCache.Key: [CheckedContinuation<Answer, Never>]]>([:])

    /// The first caller does the work, in its own task, which does not end where the caller is cancelled; the others wait for it.
    func run(_ key: CredentialCache.Key, _ work: () async -> Answer) async -> Answer {
        let isFirst = self.waiting.withLock { waiting in
            guard waiting[key] == nil else { return false }
            waiting[key] = []
            return true
        }
        if !isFirst, let answer = await self.wait(key) { return answer }
        let answer = await work()
        if isFirst {
            for waiter in self.waiting.withLock({ $0.removeValue(forKey: key) ?? [] }) { waiter.resume(returning: answer) }
        }
        return answer
    }

    /// nil: the work was done between two looks.
    private func wait(_ key: CredentialCache.Key) async -> Answer? {
        enum Turn { case waits, over }
        let over = AccessFailure(.cancelled, "")
        let answer = await withCheckedContinuation { (continuation: CheckedContinuation<Answer, Never>) in
            let turn: Turn = self.waiting.withLock { waiting in
                guard waiting[key] != nil else { return .over }
                waiting[key]?.append(continuation)
                return .waits
            }
            if turn == .over { continuation.resume(returning: .failure(over)) }
        }
        if case .failure(let failure) = answer, failure.code == .cancelled { return nil }
        return answer
    }
}
