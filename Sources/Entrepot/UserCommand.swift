import AccessControl
import ArgumentParser
import Foundation

struct UserCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Adds, changes and removes users of the database; the server may run meanwhile.",
        subcommands: [UserAdd.self, UserPassword.self, UserRoles.self, UserList.self, UserDelete.self, UserHash.self])
}

/// Where a command's new password comes from.
struct PasswordOptions: ParsableArguments {
    @Flag(name: .customLong("password-stdin"), help: "Reads the password from standard input; a line's end is not part of it.") var fromPipe = false
}

struct UserAdd: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "add", abstract: "Adds a user, or a robot, which has tokens and no password.",
        discussion: "At a terminal it asks for the password. In a pipe without --password-stdin, one is made and printed, once.")
    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "1 to 128 bytes without blanks and colons.") var name: String
    @Option(name: .customLong("role"), help: "A role of security.roles, or admin; may be given several times.") var roles: [String] = []
    @Flag(help: "It has no password, only tokens.") var robot = false
    @OptionGroup var password: PasswordOptions

    func validate() throws {
        if self.robot, self.password.fromPipe { throw ValidationError("a robot has no password") }
    }

    func run() async throws {
        let password = self.robot ? nil : try SecretInput.password(for: self.name, fromPipe: self.password.fromPipe)
        let order = AccountOrder.addUser(name: self.name, roles: self.roles, isRobot: self.robot, password: password)
        guard case .added(let user, let made) = try await Administration(self.options).administer(order) else { throw CommandFailure.strangeReply }
        StandardError.write("added \(user.kind) \(user.name)" + (made == nil ? "" : " with this password, which is not shown again:"))
        if let made { print(made) }
    }
}

struct UserPassword: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "passwd", abstract: "Gives a user another password; sessions and what docker keeps for signing in end with the old one.",
        discussion: "At a terminal it asks for the password. In a pipe without --password-stdin, one is made and printed, once. Tokens stay.")
    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The user's name.") var name: String
    @OptionGroup var password: PasswordOptions

    func run() async throws {
        let password = try SecretInput.password(for: self.name, fromPipe: self.password.fromPipe)
        let order = AccountOrder.setPassword(name: self.name, password: password)
        guard case .newPassword(let user, let made) = try await Administration(self.options).administer(order) else { throw CommandFailure.strangeReply }
        StandardError.write("\(user.name) has a new password" + (made == nil ? "" : ", which is not shown again:"))
        if let made { print(made) }
    }
}

struct UserRoles: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "roles", abstract: "Gives a user these roles instead of those it has.")
    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The user's name.") var name: String
    @Argument(help: "Roles of security.roles, or admin; none takes all away.") var roles: [String] = []

    func run() async throws {
        let order = AccountOrder.setRoles(name: self.name, roles: self.roles)
        guard case .roles(_, let before, let after) = try await Administration(self.options).administer(order) else { throw CommandFailure.strangeReply }
        func list(_ roles: [String]) -> String { roles.isEmpty ? "none" : roles.joined(separator: ", ") }
        print("\(self.name): \(list(after)) (before: \(list(before)))")
    }
}

struct UserList: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists users, those of the configuration first.", discussion: "Columns: name, kind, roles, made when, made by.")
    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "JSON, for scripts.") var json = false

    func run() async throws {
        guard case .users(let users) = try await Administration(self.options).administer(.listUsers) else { throw CommandFailure.strangeReply }
        if self.json { return print(String(decoding: try ReportText.json(users), as: UTF8.self)) }
        for user in users { print(ReportText.row([user.name, user.kind, user.roles.joined(separator: ","), user.created ?? "", user.createdBy ?? ""])) }
    }
}

struct UserDelete: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "delete", abstract: "Removes a user and its tokens; what it pushed stays.")
    @OptionGroup var options: ConfigurationOptions
    @Argument(help: "The user's name.") var name: String

    func run() async throws {
        guard case .removed(let user, let tokens) = try await Administration(self.options).administer(.removeUser(name: self.name)) else {
            throw CommandFailure.strangeReply
        }
        print("removed \(user.kind) \(user.name) and \(tokens) tokens")
    }
}

struct UserHash: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "hash", abstract: "Prints a hash for passwordHash of security.users.",
        discussion: "At a terminal it asks for the password. In a pipe without --password-stdin, one is made and told on standard error.")
    @OptionGroup var password: PasswordOptions

    func run() throws {
        let given = try SecretInput.password(for: "security.users", fromPipe: self.password.fromPipe)
        let password = given ?? PasswordRule.random(SystemRandomNumberGenerator.bytes)
        guard PasswordRule.allows(password) else { throw CommandFailure(PasswordRule.text) }
        let hash = try PasswordHash.make(password, random: SystemRandomNumberGenerator.bytes)
        if given == nil { StandardError.write("the password is \(password)") }
        print(hash.text)
    }
}

extension CommandFailure {
    static let strangeReply = CommandFailure("the server's answer was not understood: is it of another version?")
}

extension ReportText {
    /// Cells between tabs. None of their bytes moves the cursor of who reads them.
    static func row(_ cells: [String]) -> String {
        cells.map { cell in
            cell.isEmpty
                ? "-" : String(String.UnicodeScalarView(cell.unicodeScalars.map { $0.properties.generalCategory == .control ? "\u{FFFD}" : $0 }))
        }.joined(separator: "\t")
    }
}
