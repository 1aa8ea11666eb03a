import ArgumentParser
import Foundation

struct RepoWarm: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "warm", abstract: "Has a proxy, or those of a group, fetch what clients of these references would ask for.",
        discussion: "References are in the format's words: library/alpine:3.20 for docker, a file's path for raw.")
    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The proxy's or group's name.") var repository: String
    @Argument(help: "What to fetch.") var references: [String]
    @Option(name: .customLong("platform"), help: "Only this platform of images, such as linux/arm64; may be given several times.") var platforms: [String] = []
    @Flag(help: "JSON, for scripts.") var json = false

    func validate() throws {
        if self.references.isEmpty { throw ValidationError("name at least one reference") }
    }

    func run() async throws {
        let line = self.json ? nil : ProgressLine()
        // Also before an error is told; a second time does nothing.
        defer { line?.clear() }
        let report = try await Administration(self.options).warm(self.repository, self.references, choice: self.platforms) { line?.draw($0) }
        line?.clear()
        if self.json { return print(String(decoding: try ReportText.json(report), as: UTF8.self)) }
        print("\(report.files) files, \(ReportText.size(report.bytes)), are kept")
    }
}

struct RepoInvalidate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "invalidate", abstract: "Has a proxy, or those of a group, ask their upstreams again about every tag and movable file.",
        discussion: "What is kept stays, and is served where the upstream has nothing newer, or cannot be reached.")
    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The proxy's or group's name.") var repository: String
    @Flag(help: "JSON, for scripts.") var json = false

    func run() async throws {
        let report = try await Administration(self.options).invalidate(self.repository)
        if self.json { return print(String(decoding: try ReportText.json(report), as: UTF8.self)) }
        print("\(report.subjects) tags and files will be asked for again")
    }
}
