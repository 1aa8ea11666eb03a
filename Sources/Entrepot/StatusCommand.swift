import ArgumentParser
import Foundation

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "status", abstract: "Says whether a server runs, and what it holds.")
    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "JSON, for scripts.") var json = false

    func run() async throws {
        let bytes = try await Administration(self.options).status()
        if self.json { return print(String(decoding: bytes, as: UTF8.self)) }
        let report = try JSONDecoder().decode(StatusReport.self, from: bytes)
        if let pid = report.pid {
            print("running as PID \(pid) for \(report.uptimeSeconds ?? 0) s, at \(report.listening.joined(separator: ", "))")
        } else {
            print("not running")
        }
        print("\(report.version), \(report.repositories) repositories")
        for store in report.stores { print("blob store \(store.name): \(store.blobs) blobs, \(ReportText.size(store.bytes))") }
        for cache in report.caches { print("cache \(cache.repository): \(ReportText.size(cache.bytes)) of \(ReportText.size(cache.maxSize))") }
    }
}

struct RepoCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "repo", abstract: "Lists and shows repositories; has proxies fetch ahead of time, or ask again.",
        subcommands: [RepoList.self, RepoShow.self, RepoWarm.self, RepoInvalidate.self])
}

struct RepoList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the repositories.")
    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "JSON, for scripts.") var json = false

    func run() async throws {
        let bytes = try await Administration(self.options).repositories()
        if self.json { return print(String(decoding: bytes, as: UTF8.self)) }
        for repository in try JSONDecoder().decode([RepositoryReport].self, from: bytes) {
            print("\(repository.name)\t\(repository.format)\t\(repository.type)\t\(repository.blobStore)")
        }
    }
}

struct RepoShow: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Shows one repository's configuration, as JSON.")
    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The repository's name.") var name: String

    func run() async throws {
        let all = try JSONDecoder().decode([RepositoryReport].self, from: try await Administration(self.options).repositories())
        guard let repository = all.first(where: { $0.name == self.name }) else {
            throw CommandFailure("there is no repository «\(self.name)»; there are: \(all.map(\.name).joined(separator: ", "))")
        }
        print(repository.configuration)
    }
}
