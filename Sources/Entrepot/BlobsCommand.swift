import ArgumentParser
import Foundation

struct BlobsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "blobs", abstract: "Looks after stored bytes.", subcommands: [BlobsCollect.self, BlobsVerify.self])
}

struct BlobsCollect: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "gc", abstract: "Removes bytes that nothing references any more; the server may run meanwhile.",
        discussion: "Bytes that were written within the last hour are left alone: a push may be about to link them.")
    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "JSON, for scripts.") var json = false

    func run() async throws {
        let line = self.json ? nil : ProgressLine()
        // Also before an error is told; a second time does nothing.
        defer { line?.clear() }
        let report = try await Administration(self.options).collect { line?.draw($0) }
        line?.clear()
        if self.json { return print(String(decoding: try ReportText.json(report), as: UTF8.self)) }
        let parts = report.unusedParts > 0 ? "; \(report.unusedParts) unused layers were unlinked before" : ""
        print("freed \(report.blobs) blobs, \(ReportText.size(report.bytes))\(parts)")
    }
}
