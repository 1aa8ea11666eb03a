import Outbound
import Synchronization

/// Ways in at hosts that an upstream's documents name: without credentials, by tokens that anybody is given.
final class Strangers: Sendable {
    /// Hosts that are remembered: a document may name any number.
    private static let most = 64

    private let known = Mutex<[WebOrigin: SignIn]>([:])

    /// - Parameter own: the remote's own way in.
    func signIn(at origin: WebOrigin, by own: SignIn) -> SignIn {
        self.known.withLock { known in
            if let signIn = known[origin] { return signIn }
            if known.count >= Self.most { known.removeAll() }
            let signIn = own.anonymous(at: origin)
            known[origin] = signIn
            return signIn
        }
    }
}
