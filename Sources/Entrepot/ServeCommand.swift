import AccessControl
import AdminAPI
import ArgumentParser
import Audit
import Foundation
import Logging
import Maintenance
import NIOCore
import NIOPosix
import RepositoryEngine
import ServerConfiguration
import ServiceLifecycle
import UnixSignals
import WebServer

struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve", abstract: "Runs the server.",
        discussion: "SIGTERM drains: no new connections, running transfers get server.drain. SIGHUP reads TLS certificates again.")
    @OptionGroup var options: ConfigurationOptions
    @Option(help: "Where to listen, instead of server.listen; port 0 lets the system choose.") var listen: [String] = []

    func run() async throws {
        let configuration = try self.options.load(listen: self.listen.isEmpty ? nil : self.listen)
        let lines = LineWriter(descriptor: 1)
        let logs = ServerLogs(lines)
        // Whatever ends this, what was logged is written.
        defer { lines.flush() }
        let descriptors = DescriptorLimit.raise()
        let assembly = try await Assembly.open(configuration, absent: .make, logger: logs.server)
        let outcome = await Result { try await self.serve(assembly, on: assembly.loops, logs, lines, descriptors) }
        let closed = await Result { try await assembly.close() }
        // What went wrong first is what the operator needs.
        try outcome.get()
        try closed.get()
    }

    private func serve(
        _ assembly: Assembly, on loops: MultiThreadedEventLoopGroup, _ logs: ServerLogs, _ lines: LineWriter, _ descriptors: DescriptorLimit
    ) async throws {
        if let notice = assembly.configuration.accessNotice { logs.server.notice("open access", metadata: ["notice": "\(notice)"]) }
        try await assembly.provideAdministrator(logs.server)
        assembly.noteConfiguration()
        var configuration = try WebServerConfiguration(assembly.configuration, controlSocket: assembly.folder.socket)
        descriptors.bound(&configuration, logs.server)
        let listening = ListeningReport(lines)
        let server = try WebServer(
            configuration, handler: assembly.service, probes: ServerProbes(assembly), pool: assembly.pools.files, group: loops,
            control: ControlRoute.all(assembly, listening: listening),
            pages: ServerPages(
                gate: assembly.access.gate, authorizer: assembly.access.authorizer,
                desk: assembly.access.service == nil ? nil : AccountDesk(accounts: assembly.access.accounts)),
            audit: assembly.audit ?? NoAudit(), now: Assembly.clock, logger: logs.server,
            accessLog: AccessLog(lines, now: Assembly.clock),
            onListening: { bound in listening.tell(bound) })
        let group = ServiceGroup(
            configuration: .init(
                services: [
                    // First, and so ended last: nothing is used after them.
                    assembly.audit.map { .init(service: $0, successTerminationBehavior: .ignore) },
                    assembly.access.service.map { .init(service: AccessService($0, logger: logs.server), successTerminationBehavior: .ignore) },
                    .init(
                        service: UsageService(assembly.contents.usages, ledger: assembly.metadata, now: Assembly.clock, logger: logs.server),
                        successTerminationBehavior: .ignore),
                    .init(service: FillService(fills: assembly.contents.fills, executors: EventLoopExecutors(loops).all), successTerminationBehavior: .ignore),
                    .init(service: assembly.maintenance, successTerminationBehavior: .ignore), .init(service: server),
                    .init(service: HangupService(server, logs.server), successTerminationBehavior: .ignore),
                ].compactMap(\.self),
                gracefulShutdownSignals: [.sigterm, .sigint], logger: logs.quiet))
        try await group.run()
    }
}

extension Result where Failure == any Error {
    /// What `work` came to, so that what comes after it runs either way.
    init(_ work: () async throws -> Success) async {
        do { self = .success(try await work()) } catch { self = .failure(error) }
    }
}

/// The process's loggers, a JSON object a line on standard output.
struct ServerLogs {
    let server: Logger
    /// For libraries whose information would only be noise.
    let quiet: Logger

    init(_ lines: LineWriter) {
        func logger(_ label: String) -> Logger {
            Logger(label: label, factory: { JSONLineLogHandler(label: $0, lines: lines, now: Assembly.clock) })
        }
        self.server = logger("entrepot")
        var quiet = logger("services")
        quiet.logLevel = .warning
        self.quiet = quiet
    }
}
