import ArgumentParser
import Foundation
import ServerConfiguration

/// The options that every command with a configuration has.
struct ConfigurationOptions: ParsableArguments {
    @Option(help: "The configuration file.") var config = "config/entrepot.yaml"
    @Option(help: "The data folder, instead of the configuration's data:.") var data: String?

    /// The configuration, checked; its warnings go to standard error.
    /// - Throws: `CommandFailure` with a line for everything that is wrong.
    func load(listen: [String]? = nil, quietly: Bool = false) throws -> Configuration {
        let loaded = try self.read(listen: listen)
        if !quietly { for warning in loaded.warnings { StandardError.write("\(warning)") } }
        guard let configuration = loaded.configuration else {
            throw CommandFailure(loaded.errors.map { "\($0)" }.joined(separator: "\n"))
        }
        return configuration
    }

    func read(listen: [String]? = nil) throws -> Loaded {
        guard let bytes = FileManager.default.contents(atPath: self.config) else {
            throw CommandFailure("cannot read \(self.config): name a configuration file with --config")
        }
        let surroundings = Surroundings(
            workingDirectory: FileManager.default.currentDirectoryPath, environment: { ProcessInfo.processInfo.environment[$0] },
            readFile: Self.text(of:))
        return Configuration.load(
            bytes, file: self.config, formats: Formats.all.map(\.schema), surroundings: surroundings, overrides: Overrides(data: self.data, listen: listen))
    }

    private static func text(of path: String) throws -> String {
        guard let file = FileHandle(forReadingAtPath: path) else { throw CommandFailure("it cannot be read") }
        defer { try? file.close() }  // read only: nothing is lost
        let bytes = try file.read(upToCount: (64 << 10) + 1) ?? Data()
        guard bytes.count <= 64 << 10 else { throw CommandFailure("it is longer than 64 KiB") }
        guard let text = String(data: bytes, encoding: .utf8) else { throw CommandFailure("it is not UTF-8") }
        return text
    }
}
