import DockerFormat
import FormatAPI
import HelmFormat
import MavenFormat
import NpmFormat
import RawFormat
import RepositoryEngine
import ServerConfiguration

/// The formats of this build. A new one is one line here and one word in Package.swift.
enum Formats {
    static var all: [FormatEntry] {
        [
            FormatEntry(OCIFormat()),
            FormatEntry(HelmRepository()),
            FormatEntry(MavenRepository()),
            FormatEntry(NpmRegistry()),
            FormatEntry(RawFiles()),
        ]
    }
}

/// A format as the configuration reads it and as the engine serves it.
struct FormatEntry: Sendable {
    let id: String
    let schema: FormatSchema
    private let sited: @Sendable (any Sendable) -> (any ServedFormat)?

    init<Format: RepositoryFormat>(_ format: Format) {
        self.id = Format.id
        self.schema = FormatSchema(Format.self)
        self.sited = { settings in (settings as? Format.SiteSettings).map { SitedFormat(format, site: $0) } }
    }

    /// - Throws: `CommandFailure` where the configuration gives it another format's settings: a mistake of this program.
    func serve(_ settings: (any Sendable)?) throws -> any ServedFormat {
        guard let settings, let served = self.sited(settings) else { throw CommandFailure("the settings of format \(self.id) are not its own") }
        return served
    }
}
