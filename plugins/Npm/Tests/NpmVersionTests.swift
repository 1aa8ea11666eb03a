import FormatAPI
import Testing

@testable import NpmFormat

@Suite("Versions")
struct NpmVersionTests {
    /// Each precedes the next one. The middle is the specification's own example.
    private static let ascending = [
        "0.0.0-0", "0.0.0", "0.0.1", "0.1.0-a", "0.1.0", "0.2.0", "0.10.0", "1.0.0-0.3.7", "1.0.0-2",
        "1.0.0-10", "1.0.0-99999999999999999999",
        "1.0.0-100000000000000000000", "1.0.0--", "1.0.0--1", "1.0.0-0a", "1.0.0-A", "1.0.0-alpha",
        "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-alpha-1",
        "1.0.0-alpha0",
        "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1", "1.0.0", "1.0.1", "1.0.255",
        "1.0.256", "1.0.65535", "1.0.65536", "1.1.0", "2.0.0",
        "9.0.0", "10.0.0", "255.0.0", "256.0.0", "9007199254740991.0.0",
    ]

    @Test("the keys are in the order of precedence, of all pairs")
    func order() throws {
        let versions = try Self.ascending.map { try NpmVersion($0) }
        for (a, first) in versions.enumerated() {
            for (b, second) in versions.enumerated() {
                #expect((first < second) == (a < b), "\(first) \(second)")
                #expect(
                    first.sortKey.lexicographicallyPrecedes(second.sortKey) == (a < b), "\(first) \(second)")
            }
        }
    }

    @Test("what is built plays no part in precedence, and yet gives each its place")
    func built() throws {
        let (a, b) = (try NpmVersion("1.0.0+a"), try NpmVersion("1.0.0+b"))
        #expect(a.sortKey == b.sortKey && a != b && a < b && !(b < a))
    }

    @Test(
        "what is not written as semver.org has it is no version",
        arguments: [
            "", "1", "1.0", "1.0.0.0", "v1.0.0", "=1.0.0", " 1.0.0", "1.0.0 ", "01.0.0", "1.00.0",
            "1.0.01", "1.0.0-", "1.0.0-01", "1.0.0-a..b", "1.0.0-a_b",
            "1.0.0+", "1.0.0+a+b", "1.0.0+a..b", "1.0.0+é", "1.0.0-é", "1.0.x", "-1.0.0", "1.-0.0",
            "+1.0.0", "1.0.0-a/b", "9007199254740992.0.0",
            "99999999999999999999.0.0", "latest", "1.0.0-" + String(repeating: "a", count: 251), "1,0,0",
            "1.0.0\n", "١.0.0",
        ])
    func refused(_ text: String) {
        #expect(throws: FormatError.self) { try NpmVersion(text) }
    }

    @Test(
        "words of pre-releases and builds may have hyphens and zeros",
        arguments: [
            "1.0.0-0", "1.0.0-0a", "1.0.0---", "1.0.0-a-b.c-", "1.0.0+001", "1.0.0-a+-", "1.0.0+a-b.0",
            "1.0.0-" + String(repeating: "1", count: 250),
        ])
    func allowed(_ text: String) throws {
        #expect(try NpmVersion(text).text == text)
    }
}
