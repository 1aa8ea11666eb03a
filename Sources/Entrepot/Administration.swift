import Audit
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

    func collect(_ tell: @escaping @Sendable (JobProgress) -> Void) async throws -> CollectionReport {
        // Not held up by an audit trail that cannot be written: it may be what its disk needs.
        try await self.run("/blobs/gc", mustRecord: false, tell) { try await $0.collect(tell) }
    }

    func verify(_ options: Verifier.Options, _ tell: @escaping @Sendable (JobProgress) -> Void) async throws -> VerificationReport {
        let store = options.store?.addingPercentEncoding(withAllowedCharacters: .alphanumerics)
        let query = ["repair=\(options.repair)", "quick=\(options.quick)"] + (store.map { ["store=\($0)"] } ?? [])
        return try await self.run("/blobs/verify?\(query.joined(separator: "&"))", mustRecord: options.repair, tell) { try await $0.verify(options, tell) }
    }

    func warm(
        _ name: String, _ references: [String], choice: [String], _ tell: @escaping @Sendable (JobProgress) -> Void
    ) async throws -> WarmReport {
        let query = [("name", name)] + references.map { ("ref", $0) } + choice.map { ("platform", $0) }
        return try await self.run("/repositories/warm?\(Self.encoded(query))", tell) { assembly in
            try await assembly.downloading { try await assembly.warm(name, references, choice: choice, tell) }
        }
    }

    func invalidate(_ name: String) async throws -> InvalidationReport {
        try await self.run("/repositories/invalidate?\(Self.encoded([("name", name)]))", { _ in }) { try await $0.invalidate(name) }
    }

    static func encoded(_ query: [(name: String, value: String)]) -> String {
        query.map { "\($0.name)=\($0.value.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? "")" }.joined(separator: "&")
    }

    /// A job of the running server, or the same one here.
    /// - Parameter mustRecord: it is not done where the audit trail says that nothing is that it cannot record.
    func run<Report: Codable & Sendable>(
        _ target: String, mustRecord: Bool = true, _ tell: (JobProgress) -> Void, offline: (Assembly) async throws -> Report
    ) async throws -> Report {
        let configuration = try self.options.load(quietly: true)
        guard let server = ControlClient(dataFolder: configuration.data) else {
            // Looking at the trail leaves nothing in it, and mends nothing: it may be evidence.
            let isLook = target.hasPrefix("/audit/")
            return try await self.open(configuration, isAuditing: !isLook) { assembly in
                if !isLook { try await assembly.announce(target, mustRecord: mustRecord) }
                return try await offline(assembly)
            }
        }
        var last: JobLine<Report>?
        try server.send("POST", target) { line in
            let line = try JSONDecoder().decode(JobLine<Report>.self, from: line)
            if let progress = line.progress { tell(progress) } else { last = line }
        }
        if let error = last?.error { throw CommandFailure("the server refused: \(error)") }
        guard let report = last?.result else { throw CommandFailure("the server went away before it was done") }
        return report
    }

    func ask(_ method: String, _ target: String, body: Data = Data(), offline: (Assembly) async throws -> Data) async throws -> Data {
        let configuration = try self.options.load(quietly: true)
        if let server = ControlClient(dataFolder: configuration.data) { return try server.send(method, target, body: body) }
        return try await self.open(configuration, offline)
    }

    private func open<Answer>(
        _ configuration: Configuration, isAuditing: Bool = true, _ offline: (Assembly) async throws -> Answer
    ) async throws -> Answer {
        var logger = Logger(label: "entrepot")
        logger.logLevel = .error
        let assembly = try await Assembly.open(configuration, absent: .fail, isAuditing: isAuditing, logger: logger)
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
