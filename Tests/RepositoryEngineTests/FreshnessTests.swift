import AccessControl
import ArtifactModel
import FormatAPI
import FormatTestKit
import Testing

@testable import RepositoryEngine

/// When an upstream is asked, and what is answered without it.
@Suite struct FreshnessTests {
    private static func cache(_ change: (inout ProxyPart.Cache) -> Void = { _ in }) -> ProxyPart.Cache {
        var cache = ProxyPart.Cache(
            maxAge: .seconds(10), negativeMaxAge: .seconds(5), revalidateDeadline: .seconds(2), staleOnError: true, maxStale: .seconds(100))
        change(&cache)
        return cache
    }

    private struct Case: Sendable {
        var kind: Freshness.Kind = .document
        var age: Duration?
        var isKept = true
        var missed: Duration?
        var plan: Freshness.Plan
    }

    private static let plain: [Case] = [
        Case(age: .zero, plan: .serve), Case(age: .seconds(10), plan: .serve), Case(age: .seconds(11), plan: .askWithin(.seconds(2))),
        Case(age: .seconds(100), plan: .askWithin(.seconds(2))), Case(age: .seconds(101), plan: .ask), Case(age: nil, plan: .askWithin(.seconds(2))),
        Case(age: nil, isKept: false, plan: .ask), Case(age: nil, isKept: false, missed: .seconds(5), plan: .absent(since: .seconds(5))),
        Case(age: nil, isKept: false, missed: .seconds(6), plan: .ask), Case(age: .seconds(11), missed: .seconds(1), plan: .absent(since: .seconds(1))),
        Case(age: .seconds(9), missed: .seconds(1), plan: .serve), Case(kind: .immutable, age: .seconds(1_000_000), plan: .serve),
        Case(kind: .immutable, age: .seconds(1_000_000), missed: .zero, plan: .serve), Case(kind: .immutable, age: nil, isKept: false, plan: .ask),
        Case(kind: .immutable, age: nil, isKept: false, missed: .zero, plan: .absent(since: .zero)),
    ]

    @Test("digests are never asked for again; documents after their age, with a deadline while they may be stale; misses after theirs")
    func plans() {
        let freshness = Freshness(cache: Self.cache())
        for one in Self.plain { #expect(freshness.plan(one.kind, one.isKept, age: one.age, missed: one.missed) == one.plan, "\(one)") }
    }

    @Test("an unlimited maxStale knows no age; without staleOnError nothing is given out while it is asked for")
    func bounds() {
        let unlimited = Freshness(cache: Self.cache { $0.maxStale = nil })
        #expect(unlimited.plan(.document, true, age: .seconds(1 << 40), missed: nil) == .askWithin(.seconds(2)))
        let strict = Freshness(cache: Self.cache { $0.staleOnError = false })
        #expect(strict.plan(.document, true, age: .seconds(11), missed: nil) == .ask)
    }

    @Test("what is gone upstream is kept or let go of, as documents and immutable content are said to be")
    func gone() {
        let keeps = Freshness(cache: Self.cache { $0.goneDocuments = .keep })
        #expect(keeps.plan(.document, true, age: .seconds(11), missed: .seconds(1)) == .serveGone)
        let honours = Freshness(cache: Self.cache { $0.goneImmutable = .honour })
        #expect(honours.plan(.immutable, true, age: .seconds(10), missed: nil) == .serve)
        #expect(honours.plan(.immutable, true, age: .seconds(1000), missed: nil) == .askWithin(.seconds(2)), "bytes that cannot be wrong are not too old")
        #expect(honours.plan(.immutable, true, age: .seconds(1000), missed: .seconds(1)) == .absent(since: .seconds(1)))
    }

    @Test(
        "a fixed tag is matched by its name, or with its package where the pattern has a colon",
        arguments: [("v*", true), ("v1", true), ("v2", false), ("team/app:v*", true), ("other/app:v*", false), ("**:v1", true), ("*:v1", false)])
    func fixed(_ pattern: String, _ isFixed: Bool) throws {
        let glob = try Glob(pattern)
        let cache = Self.cache { $0.fixedTags = [glob] }
        #expect(cache.isFixed(PointerName(package: PackageName(name: "team/app"), kind: "tag", name: "v1")) == isFixed)
    }
}
