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
        let bytes = try await Administration(self.options).collect()
        if self.json { return print(String(decoding: bytes, as: UTF8.self)) }
        let report = try JSONDecoder().decode(CollectionReport.self, from: bytes)
        print("freed \(report.blobs) blobs, \(ReportText.size(report.bytes))")
    }
}
