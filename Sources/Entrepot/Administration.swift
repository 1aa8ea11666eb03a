import Foundation
import Logging
import Maintenance
import ServerConfiguration

/// What commands ask of a server: of the running one over its socket, or of the data folder opened for as long as it takes.
struct Administration {
    private let options: ConfigurationOptions
    init(_ options: ConfigurationOptions) { self.options = options }

    func status() async throws -> Data { try await self.ask("GET", "/status") { try await ReportText.json($0.status()) } }

    func repositories() async throws -> Data { try await self.ask("GET", "/repositories") { try ReportText.json($0.repositoryReports()) } }

    func collect() async throws -> Data { try await self.ask("POST", "/blobs/gc") { try await ReportText.json($0.collect()) } }

    func verify(_ options: Verifier.Options) async throws -> Data {
        let store = options.store?.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
        let query = ["repair=\(options.repair)", "quick=\(options.quick)"] + (store.map { ["store=\($0)"] } ?? [])
        return try await self.ask("POST", "/blobs/verify?\(query.joined(separator: "&"))") { try ReportText.json(try await $0.verify(options)) }
    }

    private func ask(_ method: String, _ target: String, offline: (Assembly) async throws -> Data) async throws -> Data {
        let configuration = try self.options.load(quietly: true)
        if let server = ControlClient(dataFolder: configuration.data) { return try server.send(method, target) }
        var logger = Logger(label: "entrepot")
        logger.logLevel = .error
        let assembly = try await Assembly.open(configuration, absent: .fail, logger: logger)
        do {
            let answer = try await offline(assembly)
            try await assembly.close()
            return answer
        } catch {
            // The first error is the one to tell; the folder's lock goes with the process.
            try? await assembly.close()
            throw error
        }
    }
}
