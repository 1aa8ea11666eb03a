import ArtifactModel
import Logging
import NIOCore

/// Certificates and keys while the server runs.
extension WebServer {
    static func identities(_ configuration: WebServerConfiguration) throws(TLSFilesError) -> [TLSFiles: TLSIdentity] {
        var identities: [TLSFiles: TLSIdentity] = [:]
        for files in configuration.listeners.compactMap(\.tls) where identities[files] == nil { identities[files] = try TLSIdentity(files) }
        return identities
    }

    /// Reads certificates and keys again; new connections get them. Where one cannot be read, it stays as it was, and the rest go on.
    /// - Throws: the first failure, a `TLSFilesError`.
    public func reloadTLS() async throws {
        let identities = Array(self.identities.values)
        try await self.site.pool.run {
            let failures = identities.compactMap { identity -> (any Error)? in
                do {
                    try identity.reload()
                    return nil
                } catch {
                    return error
                }
            }
            if let failure = failures.first { throw failure }
        }
    }

    /// Looks at the files every now and then until it is cancelled, so that a renewed certificate needs nobody to tell.
    func watchCertificates() async -> Part {
        let identities = Array(self.identities.values)
        do {
            while !identities.isEmpty {
                try await Task.sleep(for: self.site.configuration.timeouts.certificates)
                for (identity, look) in try await self.site.pool.run({ identities.map { ($0, $0.look()) } }) { self.tell(look, of: identity.files) }
            }
        } catch {
            // Cancelled: the server ends.
        }
        return .watch
    }

    private func tell(_ look: TLSIdentity.Look, of files: TLSFiles) {
        switch look {
        case .unchanged: break
        case .reloaded: self.logger.notice("a certificate changed and was read again", metadata: ["certificate": "\(files.certificate)"])
        case .refused(let error):
            self.logger.error("a certificate changed and cannot be used; the old one stays, and is tried again", metadata: ["cause": "\(error)"])
        }
    }
}

extension Site {
    /// What the server itself can say beyond its requests.
    var samples: [MetricSample] {
        (self.limits?.samples ?? [])
            + self.identities.map { identity in
                MetricSample(
                    "entrepot_tls_certificate_expiry_seconds", help: "When the certificate that is served ends to be valid, since 1970.",
                    labels: [(name: "certificate", value: identity.files.certificate)], value: Double(identity.expires))
            }
    }
}
