import FormatAPI
import RepositoryEngine
import Synchronization

/// The time since any fixed moment, which never goes back, in nanoseconds.
public typealias SteadyClock = @Sendable () -> Int64

/// The limits on who sends requests, and how many were refused by them.
final class RequestLimits: Sendable {
    private let addresses: AllowanceTable<ClientKey>?
    private let principals: AllowanceTable<String>?
    private let now: SteadyClock
    private let refusedAddresses = Atomic(0)
    private let refusedPrincipals = Atomic(0)

    /// - Returns: nil where nothing is limited.
    init?(_ limits: Limits, now: @escaping SteadyClock) {
        self.now = now
        let none = SenderLimits()
        guard limits.address != none || limits.principal != none else { return nil }
        self.addresses = limits.address == none ? nil : AllowanceTable(limits.address)
        self.principals = limits.principal == none ? nil : AllowanceTable(limits.principal)
    }

    /// A request's own place, not yet taken.
    func place(for client: String) -> RequestPlace { RequestPlace(self, client) }

    /// - Parameter counts: whether a refusal is told.
    func enter(_ client: ClientKey, counts: Bool) throws(FormatError) {
        guard let addresses else { return }
        if let error = Self.refusal(addresses.enter(client, now: self.now()), "your address") {
            if counts { self.refusedAddresses.wrappingAdd(1, ordering: .relaxed) }
            throw error
        }
    }

    func enter(principal: String) throws(FormatError) {
        guard let principals else { return }
        if let error = Self.refusal(principals.enter(principal, now: self.now()), "«\(principal)»") {
            self.refusedPrincipals.wrappingAdd(1, ordering: .relaxed)
            throw error
        }
    }

    func leave(_ client: ClientKey) { self.addresses?.leave(client) }
    func leave(principal: String) { self.principals?.leave(principal) }

    var samples: [MetricSample] {
        let counts = [("address", self.refusedAddresses.load(ordering: .relaxed)), ("principal", self.refusedPrincipals.load(ordering: .relaxed))]
        return counts.map { by, count in
            MetricSample(
                "entrepot_http_throttled_total", help: "Requests that were refused because their sender sends too many.", kind: .counter,
                labels: [(name: "by", value: by)], value: Double(count))
        }
    }

    private static func refusal(_ verdict: Allowance.Verdict, _ whose: String) -> FormatError? {
        switch verdict {
        case .admitted: nil
        case .tooFast(let wait):
            // Whole seconds, rounded up: who comes back a moment early would be refused again.
            FormatError(
                .throttled, "\(whose) sends more requests a second than this server allows", retryAfter: .seconds((wait + 999_999_999) / 1_000_000_000))
        // When another of them ends nobody knows; a second is soon enough to look again.
        case .tooManyAtOnce: FormatError(.throttled, "\(whose) has more requests under way than this server allows at a time", retryAfter: .seconds(1))
        }
    }
}
