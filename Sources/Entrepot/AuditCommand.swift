import ArgumentParser
import Audit
import Foundation

struct AuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Checks the audit trail, and asks it.", subcommands: [AuditVerify.self, AuditWhoPulled.self])
}

struct AuditVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Finds changed, missing and reordered lines of the audit trail; the server may run meanwhile.",
        discussion: "Ends with 1 where something is wrong.")
    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "JSON, for scripts.") var json = false

    func run() async throws {
        let line = self.json ? nil : ProgressLine()
        // Also before an error is told; a second time does nothing.
        defer { line?.clear() }
        let report = try await Administration(self.options).auditVerify { line?.draw($0) }
        line?.clear()
        if self.json { print(String(decoding: try ReportText.json(report), as: UTF8.self)) } else { Self.show(report) }
        if !report.isSound { throw ExitCode.failure }
    }

    private static func show(_ report: AuditReport) {
        for finding in report.findings {
            let place = finding.line > 0 ? "\(finding.segment):\(finding.line)" : finding.segment
            print("\(finding.kind.rawValue)\t\(place)\t\(finding.count)\t\(finding.message)")
        }
        let more = report.findingCount - report.findings.count
        if more > 0 { print("and \(more) more") }
        var text = "\(report.segments) segments, \(report.lines) lines, \(ReportText.size(report.bytes))"
        if let first = report.firstSeq, let last = report.lastSeq {
            text += ", seq \(first) to \(last), \(report.firstTime ?? "?") to \(report.lastTime ?? "?")"
        }
        print("\(text): \(report.isSound ? "all is well" : "not all is well")")
        // Beside what a script reads.
        if report.isSound, report.behindMark > 0 {
            StandardError.write("the last \(report.behindMark) lines are not known to the database: the server was killed, or somebody added them")
        }
    }
}

struct AuditWhoPulled: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "who-pulled", abstract: "Says who pulled what has a digest or a name, and who was kept from it.",
        discussion: """
            A name is an image, package or file, with its repository before it or without: team/app, docker-local/team/app:1.0. Also what follows it \
            after : @ or / is meant. Oldest first; the last ones of many. Columns: time, pulled or refused, who, by which means, from where, \
            repository, what, digest, status, bytes.
            """)
    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "sha256:… or a name.") var what: String
    @Option(help: "How many are shown at most, the last ones.") var limit = 1000
    @Flag(help: "JSON, for scripts.") var json = false

    func validate() throws {
        if self.what.isEmpty { throw ValidationError("say what was pulled: a digest or a name") }
        if !(1...Assembly.mostPulls).contains(self.limit) { throw ValidationError("--limit is from 1 to \(Assembly.mostPulls)") }
    }

    func run() async throws {
        let line = self.json ? nil : ProgressLine()
        // Also before an error is told; a second time does nothing.
        defer { line?.clear() }
        let pulls = try await Administration(self.options).whoPulled(self.what, limit: self.limit) { line?.draw($0) }
        line?.clear()
        if self.json { return print(String(decoding: try ReportText.json(pulls), as: UTF8.self)) }
        for pull in pulls.pulls { print(Self.row(pull)) }
        let more = pulls.count - pulls.pulls.count
        // Beside what a script reads.
        if more > 0 { StandardError.write("\(more) earlier ones are not shown; raise --limit to see them") }
        if pulls.count == 0 { StandardError.write("nobody, as far as the audit trail goes") }
    }

    private static func row(_ pull: AuditSearch.Pull) -> String {
        let outcome = pull.isRefused ? "refused" : pull.isCut ? "pulled in part" : "pulled"
        // Names come from requests of strangers.
        return ReportText.row([
            pull.time, outcome, pull.principal.isEmpty ? "anonymous" : pull.principal, pull.means, pull.client, pull.repository, pull.subject, pull.digest,
            "\(pull.status)", "\(pull.bytes)",
        ])
    }
}

extension Administration {
    func auditVerify(_ tell: @escaping @Sendable (JobProgress) -> Void) async throws -> AuditReport {
        try await self.run("/audit/verify", tell) { try await $0.auditVerify(tell) }
    }

    func whoPulled(_ what: String, limit: Int, _ tell: @escaping @Sendable (JobProgress) -> Void) async throws -> AuditSearch.Pulls {
        try await self.run("/audit/who-pulled?\(Self.encoded([("what", what), ("limit", "\(limit)")]))", tell) {
            try await $0.whoPulled(what, limit: limit, tell)
        }
    }
}
