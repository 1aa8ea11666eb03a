import ArgumentParser

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// `entrepot`: one executable for the server and everything that is done to it.
struct EntrepotCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "entrepot",
        abstract: "One server for every artifact that a team builds with.",
        subcommands: [
            ServeCommand.self, ConfigCommand.self, UserCommand.self, TokenCommand.self, RepoCommand.self, BlobsCommand.self, AuditCommand.self,
            StatusCommand.self, VersionCommand.self,
        ])
}

/// Exit codes: 0 done; 1 failed, the reason on standard error; 2 wrong usage.
@main
struct EntryPoint {
    static func main() async {
        FolderModes.restrict()
        do {
            var command = try EntrepotCommand.parseAsRoot()
            // A word that only groups others does nothing by itself.
            if !type(of: command).configuration.subcommands.isEmpty {
                StandardError.write(EntrepotCommand.helpMessage(for: type(of: command)))
                exit(2)
            }
            if var asynchronous = command as? any AsyncParsableCommand {
                try await asynchronous.run()
            } else {
                try command.run()
            }
        } catch {
            Self.end(with: error)
        }
    }

    private static func end(with error: any Error) -> Never {
        let code = EntrepotCommand.exitCode(for: error)
        if code == .success { EntrepotCommand.exit(withError: error) }
        let text = EntrepotCommand.fullMessage(for: error)
        if !text.isEmpty { StandardError.write(text) }
        exit(code == .validationFailure ? 2 : 1)
    }
}

/// Lines for people, beside what a script reads on standard output.
enum StandardError {
    static func write(_ line: String) {
        let bytes = Array((line + "\n").utf8)
        var at = 0
        while at < bytes.count {
            let written = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress?.advanced(by: at), bytes.count - at) }
            guard written > 0 else { return }
            at += written
        }
    }
}

/// A command that could not do what it was asked; the text is all that is printed.
struct CommandFailure: Error, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
