import FormatAPI
import RepositoryEngine
import Synchronization

/// One request's place: taken by address before anyone is asked, by principal when that is known, and given back once, by its exchange.
final class RequestPlace: RequestAdmission {
    private struct State {
        var address: ClientKey?
        var principal: String?
        var isOver = false
    }

    private let limits: RequestLimits
    private let client: ClientKey
    private let state = Mutex(State())

    init(_ limits: RequestLimits, _ client: String) {
        self.limits = limits
        self.client = ClientKey(client)
    }

    /// - Parameter counts: false for who will ask again, and be told then.
    /// - Throws: `.throttled`.
    func enter(counts: Bool = true) throws(FormatError) {
        try self.limits.enter(self.client, counts: counts)
        self.state.withLock { $0.address = self.client }
    }

    func admit(principal: String) throws(FormatError) {
        guard !principal.isEmpty else { return }
        try self.state.withLock { state throws(FormatError) in
            // What is taken after the end would never be given back.
            guard !state.isOver, state.principal == nil else { return }
            try self.limits.enter(principal: principal)
            state.principal = principal
        }
    }

    func release() {
        self.state.withLock { state in
            if let client = state.address { self.limits.leave(client) }
            if let principal = state.principal { self.limits.leave(principal: principal) }
            state = State(isOver: true)
        }
    }
}

extension Site {
    /// nil where nothing is limited, and for those who are exempt: the operator, and who asks whether the server is well.
    func place(for client: String, at entrance: ListenerEntrance, _ target: RequestTarget) -> RequestPlace? {
        guard let limits, !entrance.isControl, !target.isHealth else { return nil }
        return limits.place(for: client)
    }
}
