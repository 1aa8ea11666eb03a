import Glibc
import NIOSSL

/// Why a certificate and its key cannot be used, for the operator of this machine: names the file and what to do.
public struct TLSFilesError: Error, CustomStringConvertible {
    public var description: String
    init(_ description: String) { self.description = description }
}

/// A certificate with its chain and the key that fits it, read and ready to serve.
struct TLSPair {
    /// PEM files are a few KiB; what is larger is no such file.
    private static let longest = 1 << 20

    let context: NIOSSLContext
    /// Seconds since 1970.
    let expires: Int64

    /// Blocks.
    init(_ files: TLSFiles) throws(TLSFilesError) {
        let chain = try Self.chain(files.certificate)
        let key = try Self.key(files.key)
        guard let own = chain.first else { throw TLSFilesError("the certificate \(files.certificate) holds no certificate in PEM") }
        do {
            var configuration = TLSConfiguration.makeServerConfiguration(
                certificateChain: chain.map(NIOSSLCertificateSource.certificate), privateKey: .privateKey(key))
            configuration.minimumTLSVersion = .tlsv12
            configuration.applicationProtocols = ["http/1.1"]
            self.context = try NIOSSLContext(configuration: configuration)
        } catch {
            throw TLSFilesError(
                "the key \(files.key) does not fit the first certificate of \(files.certificate), which must be the server's own (\(error))")
        }
        self.expires = Int64(own.notValidAfter)
    }

    private static func chain(_ path: String) throws(TLSFilesError) -> [NIOSSLCertificate] {
        let bytes = try Self.bytes(path, "certificate")
        do {
            return try NIOSSLCertificate.fromPEMBytes(bytes)
        } catch {
            throw TLSFilesError("the certificate \(path) holds no certificate in PEM (\(error))")
        }
    }

    private static func key(_ path: String) throws(TLSFilesError) -> NIOSSLPrivateKey {
        let bytes = try Self.bytes(path, "key")
        // PKCS #8 says so in its first line, what is older in a header.
        guard !String(decoding: bytes, as: UTF8.self).contains("ENCRYPTED") else {
            throw TLSFilesError(
                "the key \(path) is encrypted, and nobody is there to give a passphrase: decrypt it with «openssl pkey -in … -out …», mode 0600")
        }
        do {
            return try NIOSSLPrivateKey(bytes: bytes, format: .pem)
        } catch {
            throw TLSFilesError("the key \(path) holds no private key in PEM (\(error))")
        }
    }

    private static func bytes(_ path: String, _ what: String) throws(TLSFilesError) -> [UInt8] {
        let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
        guard descriptor >= 0 else { throw TLSFilesError("the \(what) \(path) cannot be read: \(String(cString: strerror(errno)))") }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 16 << 10)
        while true {
            let count = read(descriptor, &piece, piece.count)
            if count == 0 { return bytes }
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw TLSFilesError("the \(what) \(path) cannot be read: \(String(cString: strerror(errno)))") }
            bytes += piece[..<count]
            guard bytes.count <= Self.longest else { throw TLSFilesError("the \(what) \(path) is longer than 1 MiB: this is no PEM file") }
        }
    }
}
