import Glibc
import HummingbirdCore
import Logging
import NIOPosix
import ServiceLifecycle
import Synchronization

/// One address to bind, and what must be done around it.
struct ListeningPlace: Sendable {
    let listener: Listener
    private(set) var entrance: ListenerEntrance

    init(_ listener: Listener, isControl: Bool) {
        self.listener = listener
        let name =
            switch listener.address {
            case .internet(let host, let port): "\(host):\(port)"
            case .unix: "localhost"
            }
        self.entrance = ListenerEntrance(name: name, ownRoot: listener.ownRoot, secure: listener.tls != nil, isControl: isControl)
        self.entrance.redirectPort = listener.redirectPort
    }

    var bindAddress: BindAddress {
        switch self.listener.address {
        case .internet(let host, let port): .hostname(host, port: port)
        case .unix(let path): .unixDomainSocket(path: Self.fresh(path))
        }
    }

    /// A socket appears under its name only when no one else can open it: it is bound beside it, and renamed.
    private static func fresh(_ path: String) -> String { path + "~" }

    func settle() -> Bool {
        guard case .unix(let path) = self.listener.address else { return true }
        let mode: mode_t = self.entrance.isControl ? 0o600 : 0o660
        return chmod(Self.fresh(path), mode) == 0 && rename(Self.fresh(path), path) == 0
    }

    /// - Throws: `ListeningFailure`.
    func running(_ server: any Service) async throws -> WebServer.Part {
        do {
            try await server.run()
        } catch {
            throw ListeningFailure(address: self.listener.address, cause: error)
        }
        if case .unix(let path) = self.listener.address { unlink(path) }
        return .server
    }
}

/// An address that cannot be listened on.
struct ListeningFailure: Error, CustomStringConvertible {
    var address: Listener.Address
    var cause: any Error

    var description: String {
        switch self.address {
        case .internet(let host, let port): "cannot listen on \(host):\(port): \(self.cause)"
        case .unix(let path): "cannot listen on \(path): \(self.cause)"
        }
    }
}

/// Waits until every address is bound, then says so once.
final class Binding: Sendable {
    private let bound: Mutex<[WebServer.Bound?]>
    private let done: @Sendable ([WebServer.Bound]) async -> Void

    init(_ count: Int, _ done: @escaping @Sendable ([WebServer.Bound]) async -> Void) {
        self.bound = Mutex(Array(repeating: nil, count: count))
        self.done = done
    }

    func bound(_ index: Int, _ place: ListeningPlace, _ port: Int?) async {
        let all: [WebServer.Bound]? = self.bound.withLock { bound in
            bound[index] = WebServer.Bound(listener: place.listener, port: port)
            return bound.allSatisfy { $0 != nil } ? bound.compactMap { $0 } : nil
        }
        if let all { await self.done(all) }
    }
}
