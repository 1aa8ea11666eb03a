import ArgumentParser
import Foundation
import Maintenance

struct BlobsVerify: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify", abstract: "Compares stored bytes with what the metadata says of them; the server may run meanwhile.",
        discussion: "Ends with 1 where something is wrong and was not repaired.")
    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "Repairs what can be; what cannot is marked as lost, so that clients push it again.") var repair = false
    @Flag(help: "Compares sizes and reads no bytes.") var quick = false
    @Option(help: "One blob store instead of all.") var store: String?
    @Flag(help: "JSON, for scripts.") var json = false

    func run() async throws {
        var options = Verifier.Options()
        options.repair = self.repair
        options.quick = self.quick
        options.store = self.store
        let line = self.json ? nil : ProgressLine()
        // Also before an error is told; a second time does nothing.
        defer { line?.clear() }
        let report = try await Administration(self.options).verify(options) { line?.draw($0) }
        line?.clear()
        if self.json { print(String(decoding: try ReportText.json(report), as: UTF8.self)) } else { Self.show(report) }
        if !report.isSound { throw ExitCode.failure }
    }

    private static func show(_ report: VerificationReport) {
        for fault in report.faults {
            print("\(fault.kind.rawValue)\t\(fault.digest)\t\(ReportText.size(fault.size))\t\(fault.store)\t\(fault.outcome.rawValue)")
            for place in fault.referrers { print("  \(place.repository)\t\(place.path)") }
            let more = fault.referrerCount - Int64(fault.referrers.count)
            if more > 0 { print("  and \(more) more") }
        }
        for (kind, figure) in report.figures.sorted(by: { $0.key < $1.key }) {
            print("\(kind): \(figure.count) blobs, \(ReportText.size(figure.bytes)), \(figure.repaired) repaired")
        }
        if report.leftMarked > 0 { print("left marked: \(report.leftMarked) rows, \(report.leftMarkedRemoved) removed") }
        if !report.quarantine.isEmpty { print("in quarantine: \(report.quarantine.count) blobs") }
        let verdict = report.isSound ? (report.figures.isEmpty && report.leftMarked == 0 ? "all is well" : "all was repaired") : "not all is well"
        print("verified \(report.blobs) blobs, \(ReportText.size(report.bytes)): \(verdict)")
    }
}
