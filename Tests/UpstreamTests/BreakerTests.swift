import HTTPTypes
import RepositoryEngine
import Testing

@testable import Upstream

/// When a remote is left alone, without clock and sockets.
@Suite struct BreakerTests {
    private static let limits = Breaker.Limits(
        troubles: 3, rest: .seconds(1), longestRest: .seconds(4), longestWait: .seconds(100), probe: .seconds(30))

    private enum Step: Sendable {
        case asks(at: Int, rests: Int?)
        case fails(at: Int, wait: Int? = nil)
        case answers
        case goes(at: Int)
    }

    private static let stories: [(String, [Step])] = [
        ("stays closed below the limit", [.fails(at: 0), .fails(at: 0), .asks(at: 0, rests: nil)]),
        ("an answer begins the count anew", [.fails(at: 0), .fails(at: 0), .answers, .fails(at: 0), .fails(at: 0), .asks(at: 0, rests: nil)]),
        (
            "opens at the limit, lets one through after the rest, and the others wait for it",
            [.fails(at: 0), .fails(at: 0), .fails(at: 0), .asks(at: 0, rests: 1000), .asks(at: 1000, rests: nil), .asks(at: 1000, rests: 1000)]
        ),
        (
            "closes with the probe's answer",
            [.fails(at: 0), .fails(at: 0), .fails(at: 0), .asks(at: 1000, rests: nil), .answers, .asks(at: 1000, rests: nil), .asks(at: 1000, rests: nil)]
        ),
        (
            "rests twice as long after each probe that fails, and no longer than the longest",
            [
                .fails(at: 0), .fails(at: 0), .fails(at: 0), .asks(at: 1000, rests: nil), .fails(at: 1000), .asks(at: 1000, rests: 2000),
                .asks(at: 3000, rests: nil), .fails(at: 3000), .asks(at: 3000, rests: 4000), .asks(at: 7000, rests: nil), .fails(at: 7000),
                .asks(at: 7000, rests: 4000),
            ]
        ),
        ("is left alone at once for as long as it asks for", [.fails(at: 0, wait: 50_000), .asks(at: 1, rests: 49_999), .asks(at: 50_000, rests: nil)]),
        ("and no longer than the bound", [.fails(at: 0, wait: 1_000_000), .asks(at: 0, rests: 100_000)]),
        (
            "a probe whose asker goes is as if it had not been",
            [.fails(at: 0, wait: 1000), .asks(at: 1000, rests: nil), .goes(at: 1000), .asks(at: 1000, rests: nil)]
        ),
        ("a probe that says nothing is lost after its time", [.fails(at: 0, wait: 1000), .asks(at: 1000, rests: nil), .asks(at: 31_000, rests: nil)]),
        ("what began before it opened does not lengthen its rest", [.fails(at: 0, wait: 9000), .fails(at: 10), .asks(at: 10, rests: 8990)]),
    ]

    @Test("opens by troubles in a row, probes, and closes by an answer", arguments: Self.stories.map(\.0))
    private func story(_ name: String) throws {
        var breaker = Breaker(Self.limits)
        for step in try #require(Self.stories.first { $0.0 == name }).1 {
            switch step {
            case .asks(let at, let rests): #expect(breaker.ask(now: .milliseconds(at)) == rests.map { .milliseconds($0) }, "\(step)")
            case .fails(let at, let wait): breaker.failed(now: .milliseconds(at), wait: wait.map { .milliseconds($0) })
            case .answers: breaker.answered()
            case .goes(let at): breaker.cancelled(now: .milliseconds(at))
            }
        }
    }

    private static let well: UpstreamFigures.Site.Breaker = .closed

    private func fail(_ health: SiteHealth, _ trouble: UpstreamError.Code, _ key: String = "GET", wait: Duration? = nil) async -> UpstreamError? {
        do {
            return try await health.run("x", key) { () async throws(UpstreamError) -> UpstreamError? in throw UpstreamError(trouble, "x", retryAfter: wait) }
        } catch {
            return error
        }
    }

    @Test("opens by trouble only: not by misses, refusals of one thing, our own rules, or askers that go")
    func troubleOnly() async {
        for code in [UpstreamError.Code.absent, .trouble(.denied), .trouble(.forbidden), .cancelled] {
            let health = SiteHealth(clock: { .zero })
            for _ in 0..<20 { #expect(await self.fail(health, code)?.code == code) }
            #expect(health.figures("x").breaker == .closed, "\(code)")
        }
        for trouble in [Trouble.unreachable, .timedOut, .cut, .tls, .unauthorized, .failed, .badAnswer] {
            let health = SiteHealth(clock: { .zero })
            for _ in 0..<5 { _ = await self.fail(health, .trouble(trouble)) }
            #expect(health.figures("x").breaker == .open, "\(trouble)")
            #expect(await self.fail(health, .absent)?.code == .trouble(.paused))
        }
    }

    @Test("a rate limit pauses what it is about, for as long as it says, and nothing else")
    func throttles() async {
        let health = SiteHealth(clock: { .zero })
        #expect(await self.fail(health, .trouble(.throttled), "GET manifests", wait: .seconds(30))?.code == .trouble(.throttled))
        let paused = await self.fail(health, .absent, "GET manifests")
        #expect(paused?.code == .trouble(.paused) && paused?.retryAfter == .seconds(30))
        for key in ["HEAD manifests", "GET blobs"] { #expect(await self.fail(health, .absent, key)?.code == .absent) }
        #expect(health.figures("x").breaker == .closed)
    }

    @Test(
        "a budget is read from the headers that Docker Hub sends",
        arguments: [
            ("100;w=21600", "76;w=21600", RateBudget(limit: 100, remaining: 76, window: 21600)), ("100", "0", RateBudget(limit: 100, remaining: 0, window: 0)),
            ("100; w=60", "99", RateBudget(limit: 100, remaining: 99, window: 60)), ("", "1", nil), ("100", "-1", nil), ("9999999999999", "1", nil),
        ])
    func budget(_ limit: String, _ remaining: String, _ budget: RateBudget?) throws {
        let names = try ["ratelimit-limit", "RateLimit-Remaining"].map { try #require(HTTPField.Name($0)) }
        #expect(RateBudget([names[0]: limit, names[1]: remaining]) == budget)
    }
}
