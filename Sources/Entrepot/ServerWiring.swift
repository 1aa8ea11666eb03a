import ArtifactModel
import Foundation
import NIOCore
import ServerConfiguration
import Synchronization
import WebServer

extension WebServerConfiguration {
    /// - Throws: `InvalidName` for a proxy's address block that the configuration took and the server does not.
    init(_ configuration: Configuration, controlSocket: String) throws {
        let server = configuration.server
        let tls = server.tls.map { TLSFiles(certificate: $0.certificate, key: $0.key) }
        func listener(_ address: ListenAddress, _ own: RepositoryName? = nil) -> WebServer.Listener {
            WebServer.Listener(.internet(host: address.host, port: address.port), ownRoot: own, tls: tls)
        }
        let own = configuration.repositories.compactMap { repository in repository.listen.map { listener($0, repository.name) } }
        let hosts = configuration.repositories.compactMap { repository in repository.host.map { ($0.text, repository.name) } }
        self.init(
            listeners: server.listen.map { listener($0) } + own, controlSocket: controlSocket, baseURL: server.baseURL.map { "\($0)" },
            hosts: server.hosts.map(\.text), trustedProxies: try server.trustedProxies.map { try AddressBlock("\($0)") },
            ownRoots: Dictionary(hosts, uniquingKeysWith: { first, _ in first }))
        self.limits.headBytes = Int(server.limits.headerBytes)
        self.limits.connections = server.limits.connections
        self.timeouts.head = server.limits.headTimeout
        self.timeouts.keepAlive = server.limits.idleTimeout
        self.timeouts.body = server.limits.stallTimeout
        self.timeouts.stall = server.limits.stallTimeout
        self.timeouts.drain = server.drain
    }
}

extension ServerProbes {
    init(_ assembly: Assembly) {
        self.init(
            problems: {
                do {
                    _ = try await assembly.metadata.repositories()
                    return []
                } catch {
                    return ["the database does not answer"]
                }
            },
            samples: { await Self.samples(assembly) })
    }

    private static func samples(_ assembly: Assembly) async -> [MetricSample] {
        var samples: [MetricSample] = []
        for shelf in assembly.shelves {
            let totals = shelf.used
            let labels = [(name: "store", value: shelf.name)]
            samples.append(MetricSample("entrepot_blob_store_blobs", help: "Blobs in the store.", labels: labels, value: Double(totals.count)))
            samples.append(MetricSample("entrepot_blob_store_bytes", help: "Bytes of the store's blobs.", labels: labels, value: Double(totals.bytes)))
            // A store that cannot say has no figure at this scrape.
            guard let free = try? await shelf.store.freeSpace() else { continue }
            samples.append(MetricSample("entrepot_blob_store_free_bytes", help: "Bytes that the store has space for.", labels: labels, value: Double(free)))
        }
        return samples
    }
}

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
            guard case .internet(let host, let port) = place.listener.address else { return nil }
            let scheme = place.listener.tls == nil ? "http" : "https"
            return "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(place.port ?? port)"
        }
        self.urls.withLock { $0 = urls }
        self.lines.flush()
        for url in urls { print("listening on \(url)") }
        fflush(nil)
    }
}

extension ControlRoute {
    static func all(_ assembly: Assembly, listening: ListeningReport) -> [ControlRoute] {
        [
            ControlRoute(.get, "/status") { _ in
                await Self.answer {
                    var report = try await assembly.status()
                    report.pid = getpid()
                    report.uptimeSeconds = (Assembly.clock() - listening.began).components.seconds
                    report.listening = listening.addresses
                    return try ReportText.json(report)
                }
            },
            ControlRoute(.get, "/repositories") { _ in await Self.answer { try ReportText.json(assembly.repositoryReports()) } },
            ControlRoute(.post, "/blobs/gc") { _ in await Self.answer { try ReportText.json(try await assembly.collect()) } },
        ]
    }

    /// Who may open the socket may read the cause: it is the operator.
    private static func answer(_ work: () async throws -> Data) async -> ControlResponse {
        do {
            return ControlResponse(json: ByteBuffer(bytes: try await work()))
        } catch {
            return ControlResponse(.internalServerError, json: ByteBuffer(string: "\(error)"))
        }
    }
}
