import NIOSSL
import Synchronization

/// A listener's certificate and key, exchanged while connections run: each keeps what it began with.
final class TLSIdentity: Sendable {
    /// What a look at the files came to.
    enum Look: Sendable {
        case unchanged, reloaded
        /// They do not fit, for the second time: the old ones stay.
        case refused(TLSFilesError)
    }

    private struct State {
        var context: NIOSSLContext
        var watch: CertificateWatch
        /// Of the certificate, in seconds since 1970.
        var expires: Int64
    }

    let files: TLSFiles
    private let state: Mutex<State>

    /// Reads the files: blocks.
    init(_ files: TLSFiles) throws(TLSFilesError) {
        // Seen before it is read: what is written in between is another sight at the next look.
        let sight = CertificateWatch.Sight(of: files)
        let pair = try TLSPair(files)
        self.files = files
        self.state = Mutex(State(context: pair.context, watch: CertificateWatch(loaded: sight), expires: pair.expires))
    }

    var current: NIOSSLContext { self.state.withLock { $0.context } }
    var expires: Int64 { self.state.withLock { $0.expires } }

    /// Reads the files again, changed or not: blocks. What cannot be read leaves all as it was.
    func reload() throws(TLSFilesError) {
        let sight = CertificateWatch.Sight(of: self.files)
        self.take(try TLSPair(self.files), sight)
    }

    /// Reads the files again where they have changed: blocks.
    func look() -> Look {
        let sight = CertificateWatch.Sight(of: self.files)
        guard self.state.withLock({ $0.watch.mustRead(sight) }) else { return .unchanged }
        do {
            self.take(try TLSPair(self.files), sight)
            return .reloaded
        } catch {
            return self.state.withLock { $0.watch.refuse(sight) } ? .refused(error) : .unchanged
        }
    }

    private func take(_ pair: TLSPair, _ sight: CertificateWatch.Sight) {
        self.state.withLock { state in
            state.context = pair.context
            state.expires = pair.expires
            state.watch.took(sight)
        }
    }
}
