import ArgumentParser
import ServerConfiguration

struct ConfigCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "config", abstract: "Checks and shows the configuration.", subcommands: [ConfigCheck.self, ConfigShow.self])
}

struct ConfigCheck: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Says what is wrong with the configuration: file:line:column, key, what is allowed.")
    @OptionGroup var options: ConfigurationOptions

    func run() throws {
        let configuration = try self.options.load()
        print("\(self.options.config): ok, \(configuration.repositories.count) repositories")
    }
}

struct ConfigShow: ParsableCommand {
    static let configuration = CommandConfiguration(commandName: "show", abstract: "Prints the configuration in force, defaults included, secrets left out.")
    @OptionGroup var options: ConfigurationOptions
    @Flag(help: "JSON instead of YAML.") var json = false

    func run() throws {
        let configuration = try self.options.load()
        print(self.json ? configuration.shown.json : configuration.shown.yaml)
    }
}
