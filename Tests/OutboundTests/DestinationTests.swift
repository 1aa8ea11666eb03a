import ArtifactModel
import Testing

@testable import Outbound

@Suite("URLs that are asked")
struct DestinationTests {
    @Test(
        "a URL is read",
        arguments: [
            ("https://H.example", "https://h.example/"), ("http://h:80/a", "http://h/a"), ("https://h:443/a?b=c/d", "https://h/a?b=c/d"),
            ("http://[::1]:5000/v2/", "http://[::1]:5000/v2/"), ("http://h?x", "http://h/?x"), ("https://h/a%20b#f", "https://h/a%20b"),
        ])
    func read(_ text: String, _ expected: String) throws { #expect(try Destination(text).text == expected) }

    @Test(
        "what cannot be asked is refused",
        arguments: [
            "", "h", "//h/a", "ftp://h/a", "file:///etc/passwd", "https://u:p@h/", "https://u@h/", "http://h:0/", "http://h:99999/", "http://h:x/",
            "http:///a", "http://h/a b", "http://h\\@x/", "http://h%00/", "http://[::1/", "http://[x]/", "http://h/\r\nX: y", "http://a..b/", "gopher://h",
        ])
    func refused(_ text: String) { #expect(throws: InvalidName.self) { try Destination(text) } }

    @Test(
        "a redirect is resolved",
        arguments: [
            ("https://h/a/b?c", "https://x.org/y?z", "https://x.org/y?z"), ("https://h/a/b", "//x.org/y", "https://x.org/y"),
            ("https://h/a/b?c", "/y", "https://h/y"), ("https://h/a/b?c", "y", "https://h/a/y"), ("https://h/a/b", "../y", "https://h/y"),
            ("https://h/a/b", "./y/./z", "https://h/a/y/z"), ("https://h/a/b", "../../../y", "https://h/y"), ("https://h/a/b?c", "?d", "https://h/a/b?d"),
            ("https://h/a", "y?u=http://z/../q", "https://h/y?u=http://z/../q"),
        ])
    func resolved(_ base: String, _ reference: String, _ expected: String) throws {
        #expect(try Destination(base).resolving(reference).text == expected)
    }

    @Test("a redirect to another scheme, or to nothing, is refused", arguments: ["", "file:///a", "javascript:1", "ftp://h/", "mailto:a@b"])
    func unresolved(_ reference: String) { #expect(throws: InvalidName.self) { try Destination("https://h/a").resolving(reference) } }

    @Test("the description has no query")
    func description() throws { #expect("\(try Destination("https://h/a?token=x"))" == "https://h/a") }
}

@Suite("Bandwidth")
struct TokenBucketTests {
    @Test("bytes beyond the burst wait as long as the rate wants")
    func pace() {
        var bucket = TokenBucket(rate: 1000, burst: 500)
        #expect(bucket.take(500, now: .zero) == .zero)
        #expect(bucket.take(1000, now: .zero) == .seconds(1))
        #expect(bucket.take(0, now: .seconds(1)) == .zero)
        #expect(bucket.take(250, now: .seconds(2)) == .zero)
        // A long pause fills no more than the burst.
        #expect(bucket.take(1500, now: .seconds(100)) == .seconds(1))
    }

    @Test("a clock that goes back gives nothing")
    func backwards() {
        var bucket = TokenBucket(rate: 100, burst: 100)
        _ = bucket.take(100, now: .seconds(10))
        #expect(bucket.take(100, now: .seconds(1)) == .seconds(1))
        #expect(bucket.take(0, now: .seconds(10)) == .seconds(1))
    }
}

@Suite("Connections at one time")
struct ConnectionSlotsTests {
    @Test("who waits gets the slot that another lets go, and a cancelled waiter takes none")
    func turns() async throws {
        let slots = ConnectionSlots(1)
        var first: ConnectionSlots.Slot? = try await slots.enter()
        await withTaskGroup(of: Bool.self) { group in
            group.addTask {
                do {
                    _ = try await slots.enter()
                    return true
                } catch {
                    return false
                }
            }
            group.cancelAll()
            for await isIn in group { #expect(!isIn) }
        }
        async let second = slots.enter()
        first = nil
        _ = try await second
        #expect(first == nil)
    }
}
