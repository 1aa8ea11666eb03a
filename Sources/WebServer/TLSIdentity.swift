import NIOSSL
import Synchronization

/// A listener's certificate and key, exchanged while connections run: each keeps what it began with.
final class TLSIdentity: Sendable {
    private let files: TLSFiles
    private let context: Mutex<NIOSSLContext>

    /// Reads the files: blocks.
    /// - Throws: what NIOSSL says of a file that is missing, no PEM, or does not fit the other.
    init(_ files: TLSFiles) throws {
        self.files = files
        self.context = Mutex(try Self.load(files))
    }

    var current: NIOSSLContext { self.context.withLock { $0 } }

    /// Reads the files again: blocks. What cannot be read leaves all as it was.
    func reload() throws {
        let fresh = try Self.load(self.files)
        self.context.withLock { $0 = fresh }
    }

    private static func load(_ files: TLSFiles) throws -> NIOSSLContext {
        let chain = try NIOSSLCertificate.fromPEMFile(files.certificate).map(NIOSSLCertificateSource.certificate)
        let key = try NIOSSLPrivateKey(file: files.key, format: .pem)
        var configuration = TLSConfiguration.makeServerConfiguration(certificateChain: chain, privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv12
        configuration.applicationProtocols = ["http/1.1"]
        return try NIOSSLContext(configuration: configuration)
    }
}
