import ArtifactModel
import Foundation
import HTTPTypes
import Maintenance
import NIOCore
import WebServer

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
            ControlRoute(.post, "/repositories/warm") { request in
                let (name, references, choice) = (request.query("name") ?? "", request.all("ref"), request.all("platform"))
                return ControlResponse(running: { tell in try await assembly.warm(name, references, choice: choice, tell) })
            },
            ControlRoute(.post, "/repositories/invalidate") { request in
                let name = request.query("name") ?? ""
                return ControlResponse(running: { _ in try await assembly.invalidate(name) })
            },
            // What nothing refers to goes by itself, too; and it may be what the trail's disk needs.
            ControlRoute(.post, "/blobs/gc", changes: { _ in false }) { _ in ControlResponse(running: { tell in try await assembly.collect(tell) }) },
            ControlRoute(.post, "/blobs/verify", changes: { $0.query("repair") == "true" }) { request in
                var options = Verifier.Options()
                options.repair = request.query("repair") == "true"
                options.quick = request.query("quick") == "true"
                options.store = request.query("store")
                return ControlResponse(running: { [options] tell in try await assembly.verify(options, tell) })
            },
        ] + Self.audit(assembly) + Self.accounts(assembly)
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

extension ControlRequest {
    fileprivate func all(_ name: String) -> [String] { self.query.filter { $0.name == name }.map(\.value) }
}
