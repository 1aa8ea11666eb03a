import ArgumentParser
import Foundation
import ServerConfiguration

struct TokenCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Makes, lists and revokes tokens; the server may run meanwhile.",
        subcommands: [TokenCreate.self, TokenList.self, TokenRevoke.self])
}

struct TokenCreate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "create", abstract: "Makes a token and prints it, once.",
        discussion: """
            The token is all that is on standard output. It is sent as a bearer token, or as the password beside its owner's name or the name «token». \
            Without --grant it may do what its owner may; with it, what both may.
            """)
    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "What it is for, in your words: 1 to 128 bytes without blanks and colons; once for each user.") var name: String
    @Option(help: "Whose it is: a user, a robot, or a user of the configuration.") var user: String
    @Option(name: .customLong("grant"), help: "What it is confined to, such as read:docker-*; may be given several times.") var grants: [String] = []
    @Option(help: "When it ends, such as 12h or 90d from now; without it, never.") var expires: String?
    @Flag(help: "JSON with the token in it, for scripts.") var json = false

    private struct Made: Encodable {
        var token: String
        var report: TokenReport
    }

    func run() async throws {
        let lifetime = try self.expires.map { text in
            guard let lifetime = Duration(configured: text) else { throw CommandFailure("«\(text)» is not how long a token lives: 12h, 90d") }
            return lifetime.components.seconds
        }
        let order = AccountOrder.makeToken(name: self.name, owner: self.user, grants: self.grants, lifetimeSeconds: lifetime)
        guard case .token(let report, let text) = try await Administration(self.options).administer(order) else { throw CommandFailure.strangeReply }
        if self.json { return print(String(decoding: try ReportText.json(Made(token: text, report: report)), as: UTF8.self)) }
        let grants = report.grants.isEmpty ? "all that \(report.owner) may do" : report.grants.joined(separator: ", ")
        StandardError.write(
            "token \(report.id) «\(report.name)» of \(report.owner), for \(grants), expires \(report.expires ?? "never"); it is not shown again:")
        print(text)
    }
}

struct TokenList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists tokens, those that are over too.",
        discussion: "Columns: number, owner, name, state, grants, made when, ends when, used last when and from where.")
    @OptionGroup var options: ConfigurationOptions
    @Option(help: "This user's only.") var user: String?
    @Flag(help: "JSON, for scripts.") var json = false

    func run() async throws {
        guard case .tokens(let tokens) = try await Administration(self.options).administer(.listTokens(owner: self.user)) else {
            throw CommandFailure.strangeReply
        }
        if self.json { return print(String(decoding: try ReportText.json(tokens), as: UTF8.self)) }
        for token in tokens {
            print(
                ReportText.row([
                    "\(token.id)", token.owner, token.name, token.state, token.grants.joined(separator: ","), token.created, token.expires ?? "",
                    token.lastUsed ?? "", token.lastAddress ?? "",
                ]))
        }
    }
}

struct TokenRevoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "revoke", abstract: "Ends a token, at once.")
    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The token's number, as token list has it.") var id: Int64

    func run() async throws {
        guard case .revoked(let token) = try await Administration(self.options).administer(.revokeToken(id: self.id)) else { throw CommandFailure.strangeReply }
        print("revoked token \(token.id) «\(token.name)» of \(token.owner)")
    }
}
