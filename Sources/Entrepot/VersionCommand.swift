import ArgumentParser

/// What this program is called in logs, in the database and on the command line.
enum Program {
    static let version = "0.1.0"
    static let name = "entrepot \(Program.version)"
}

struct VersionCommand: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "version", abstract: "Prints the version.")
    func run() { print(Program.name) }
}
