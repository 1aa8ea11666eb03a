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

    func collect(_ report: @escaping JobReporter) async throws -> CollectionReport {
        try await self.job("/blobs/gc", report) { try await $0.collect(report) }
    }

    func verify(_ options: Verifier.Options, _ report: @escaping JobReporter) async throws -> VerificationReport {
        let store = options.store?.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
        let query = ["repair=\(options.repair)", "quick=\(options.quick)"] + (store.map { ["store=\($0)"] } ?? [])
        return try await self.job("/blobs/verify?\(query.joined(separator: "&"))", report) { try await $0.verify(options, report) }
    }

    private func ask(_ method: String, _ target: String, offline: (Assembly) async throws -> Data) async throws -> Data {
        let configuration = try self.options.load(quietly: true)
        if let server = ControlClient(dataFolder: configuration.data) { return try server.send(method, target) }
        return try await self.opened(configuration, offline)
    }

    /// Long work, wherever it runs: told how far it is, and what it came to.
    private func job<Report: Codable & Sendable>(
        _ target: String, _ report: JobReporter, offline: (Assembly) async throws -> Report
    ) async throws -> Report {
        let configuration = try self.options.load(quietly: true)
        guard let server = ControlClient(dataFolder: configuration.data) else { return try await self.opened(configuration, offline) }
        let lines = try server.lines("POST", target)
        while let line = try lines.next() {
            let event = try JSONDecoder().decode(JobEvent<Report>.self, from: line)
            if let progress = event.progress { await report(progress) }
            if let error = event.error { throw CommandFailure(error) }
            if let result = event.report { return result }
        }
        throw CommandFailure("the server ended before the work did; what it had done is done")
    }

    private func opened<Answer>(_ configuration: Configuration, _ offline: (Assembly) async throws -> Answer) async throws -> Answer {
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
