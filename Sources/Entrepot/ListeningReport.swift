import ArtifactModel
import Foundation
import Synchronization
import WebServer

/// Which addresses the server listens on, once it does.
final class ListeningReport: Sendable {
    private let urls = Mutex<[String]>([])
    let began = Assembly.clock()
    private let lines: LineWriter

    init(_ lines: LineWriter) { self.lines = lines }

    var addresses: [String] { self.urls.withLock { $0 } }

    /// Prints what a person and a script look for: one line for each address.
    func tell(_ bound: [WebServer.Bound]) {
        let urls = bound.compactMap { place -> String? in
            guard case .internet(let host, let port) = place.listener.address, place.listener.redirectPort == nil else { return nil }
            let scheme = place.listener.tls == nil ? "http" : "https"
            return "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(place.port ?? port)"
        }
        self.urls.withLock { $0 = urls }
        self.lines.flush()
        for url in urls { print("listening on \(url)") }
        fflush(nil)
    }
}
