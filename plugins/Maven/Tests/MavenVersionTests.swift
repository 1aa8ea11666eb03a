import Testing

@testable import MavenFormat

/// <https://maven.apache.org/pom.html#version-order-specification>, its examples and those of ComparableVersion's own tests.
@Suite("Order of versions")
struct MavenVersionTests {
    @Test(
        "one is before the other",
        arguments: [
            ("1", "1.1"), ("1-snapshot", "1"), ("1", "1-sp"), ("1-foo2", "1-foo10"), ("1.0.RC1", "1.0-RC2"),
            ("1.0.0.RC1", "1.0.0-RC2"), ("1.0.RC2", "1.0-RC3"), ("2.0.0.M1", "2.0.0-RC1"), ("3.0.0.Alpha1", "3.0.0-SNAPSHOT"), ("4.0.0.Beta1", "4.0.Beta2"),
            ("1.0-RC3", "1.0.1"), ("1-foo", "1-1"), ("1-1", "1.1"), ("1-sp", "1-ga-1"),
            ("1-sp-1", "1-ga-1"), ("1-a1", "1-b1"), ("1-alpha-1", "1-beta-1"), ("1-beta", "1-milestone"), ("1-m1", "1-rc1"), ("1-rc", "1-SNAPSHOT"),
            ("1-SNAPSHOT", "1"), ("1.0", "1.0.1"), ("2.9", "2.10"), ("1.0-alpha-1", "1.0-alpha-10"), ("1.0-alpha-10-SNAPSHOT", "1.0-alpha-10"),
            ("99999999999999999998", "99999999999999999999"), ("1-sp", "1-xyz"), ("1.0-rc1", "1.0"), ("1.2-beta-2", "1.2-beta-11"),
            ("1.0.0-RC1", "1.0.0.RELEASE"),
            ("20101006", "20101009"), ("1-cr", "1-snapshot"),
        ])
    func order(less: String, more: String) {
        #expect(MavenVersion(less) < MavenVersion(more))
        #expect(!(MavenVersion(more) < MavenVersion(less)))
    }

    @Test(
        "they are the same",
        arguments: [
            ("1", "1.0"), ("1", "1.0.0"), ("1-ga", "1"), ("1.ga", "1-ga"), ("1.foo", "1-foo"), ("1.0.foo", "1-foo"), ("1-0", "1"), ("1.0-final", "1"),
            ("1-release", "1"), ("1-a1", "1-alpha-1"),
            ("1-b2", "1-beta-2"), ("1-m3", "1-milestone-3"), ("1-cr", "1-rc"), ("1x", "1.0.0-x"), ("1-X", "1-x"), ("0.0-1", "-1"),
            ("01", "1"), ("1_2", "1-2"),
        ])
    func equality(one: String, other: String) {
        #expect(MavenVersion(one) == MavenVersion(other))
    }

    @Test("whatever the text is, the order is one")
    func total() {
        let texts = ["", ".", "-", "1..", "a", "1a1", "..1", "SNAPSHOT", "1-SNAPSHOT", "é", "1.-", "9".padding(300), "1.0.0.0.0.1", "x-1", "final"]
        let versions = texts.map { MavenVersion($0) }
        for a in versions {
            #expect(!(a < a))
            for b in versions {
                #expect(!(a < b && b < a), "\(a.text) \(b.text)")
                for c in versions where a < b && b < c { #expect(a < c, "\(a.text) \(b.text) \(c.text)") }
            }
        }
    }
}

extension String {
    fileprivate func padding(_ count: Int) -> String { String(repeating: self, count: count) }
}
