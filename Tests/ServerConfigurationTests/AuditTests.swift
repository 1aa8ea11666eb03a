@testable import ServerConfiguration
import Testing

@Suite("audit")
struct AuditTests {
    private typealias Audit = Configuration.Audit

    @Test("is on where nothing is said, and loses nobody's pull over a full disk")
    func defaults() throws {
        let audit = try #require(Fixture.load("").configuration?.audit)
        #expect(
            audit == Audit(enabled: true, sync: .every(.seconds(1)), retention: .seconds(365 * 86400), segmentBytes: 256 << 20, onFailure: .continue))
    }

    @Test("comes through typed, and is shown as it counts")
    func typed() throws {
        let loaded = Fixture.load("audit: { fsync: always, retention: 0, segmentSize: 1GiB, onFailure: refuse }\n")
        #expect(Fixture.lines(loaded) == [])
        let configuration = try #require(loaded.configuration)
        #expect(configuration.audit == Audit(enabled: true, sync: .always, retention: nil, segmentBytes: 1 << 30, onFailure: .refuse))
        let shown = "audit:\n  enabled: true\n  fsync: always\n  retention: unlimited\n  segmentSize: \"1GiB\"\n  onFailure: refuse\n"
        #expect(configuration.shown.yaml.contains(shown))
        #expect(Fixture.load(configuration.shown.yaml).configuration?.audit == configuration.audit)
    }

    @Test(
        "syncs always, never, or after so long",
        arguments: [("always", .always), ("never", .never), ("500ms", .every(.milliseconds(500))), ("1h", .every(.seconds(3600)))]
            as [(String, Configuration.Audit.Sync)])
    func sync(_ text: String, _ sync: Configuration.Audit.Sync) {
        #expect(Fixture.load("audit: { fsync: \(text) }\n").configuration?.audit.sync == sync)
    }

    @Test(
        "what is none of its words is refused",
        arguments: [
            ("fsync: 0", "10: audit.fsync: «0» is not a choice; allowed: always, never, or how long a line may wait: more than 0, at most 1h, such as 1s"),
            ("fsync: 2h", "10: audit.fsync: «2h» is not a choice; allowed: always, never, or how long a line may wait: more than 0, at most 1h, such as 1s"),
            ("retention: 1y", "10: audit.retention: «1y» is not a duration; allowed: a whole number with ms, s, m, h or d, such as 30s"),
            ("segmentSize: 1KiB", "10: audit.segmentSize: «1KiB» is not a size; allowed: from 64KiB to 16GiB"),
            ("onFailure: stop", "10: audit.onFailure: «stop» is not a choice; allowed: continue, refuse"),
            ("sync: 1s", "10: audit.sync: unknown key (did you mean fsync?); allowed: enabled, fsync, retention, segmentSize, onFailure"),
        ])
    func refused(_ text: String, _ said: String) {
        let lines = Fixture.lines(Fixture.load("audit: { \(text) }\n"))
        #expect(lines.count == 1 && lines.first?.hasSuffix(said.drop { $0 != ":" }) == true, "\(lines)")
    }
}
