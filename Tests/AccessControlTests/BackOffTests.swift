import ArtifactModel
import Testing

@testable import AccessControl

@Suite("Who has to wait before the next attempt")
struct BackOffTests {
    private func pair(_ account: String, _ client: String = "192.0.2.1") throws -> BackOff.Pair {
        BackOff.Pair(account: try AccountName(account), client: ClientBlock(client))
    }

    private func fail(_ backOff: inout BackOff, _ pair: BackOff.Pair, _ times: Int, at now: Duration) {
        for _ in 0..<times { backOff.noteFailure(pair, at: now) }
    }

    @Test("five failures are free, and then the wait doubles until it is five minutes")
    func doubling() throws {
        var backOff = BackOff()
        let ann = try self.pair("ann")
        var now = Duration.zero
        var waits: [Duration] = []
        for _ in 0..<18 {
            #expect(backOff.attempt(ann, at: now) == nil)
            backOff.failed(ann, at: now)
            let wait = backOff.attempt(ann, at: now)
            if wait == nil { backOff.abandoned(ann) }
            waits.append(wait ?? .zero)
            now += wait ?? .zero
        }
        #expect(waits.map(\.components.seconds) == [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300, 300])
    }

    @Test("one pair's failures hold up no other account of the client, and no other client of the account")
    func pairs() throws {
        var backOff = BackOff()
        self.fail(&backOff, try self.pair("ann"), 9, at: .zero)
        #expect(backOff.attempt(try self.pair("ann"), at: .zero) == .seconds(8))
        #expect(backOff.attempt(try self.pair("bob"), at: .zero) == nil)
        #expect(backOff.attempt(try self.pair("ann", "192.0.2.2"), at: .zero) == nil)
    }

    @Test("a /64 of IPv6 is one client, and IPv4 in IPv6's clothes is the IPv4 address")
    func blocks() {
        #expect(ClientBlock("2001:db8::1") == ClientBlock("2001:db8::ffff:2"))
        #expect(ClientBlock("2001:db8::1") != ClientBlock("2001:db8:0:1::1"))
        #expect(ClientBlock("::ffff:192.0.2.1") == ClientBlock("192.0.2.1"))
        #expect(ClientBlock("unix") != ClientBlock("192.0.2.1"))
    }

    @Test("a success forgets the failures, and so do fifteen quiet minutes")
    func forgetting() throws {
        var backOff = BackOff()
        let ann = try self.pair("ann")
        self.fail(&backOff, ann, 6, at: .zero)
        #expect(backOff.attempt(ann, at: .seconds(1)) == nil)
        backOff.succeeded(ann, at: .seconds(1))
        #expect(backOff.count == 0)
        self.fail(&backOff, ann, 30, at: .seconds(10))
        #expect(backOff.hold(on: ann, at: .seconds(309)) == .seconds(1))
        #expect(backOff.hold(on: ann, at: .seconds(310)) == nil)
        self.fail(&backOff, ann, 1, at: .seconds(311))
        #expect(backOff.hold(on: ann, at: .seconds(312)) != nil)
        #expect(backOff.hold(on: ann, at: .seconds(311 + 900)) == nil && backOff.count == 0)
    }

    @Test("attempts under way count: of many at once only the free ones begin, and after the free ones one at a time")
    func pending() throws {
        var backOff = BackOff()
        let ann = try self.pair("ann")
        let begun = (0..<100).count { _ in backOff.attempt(ann, at: .zero) == nil }
        #expect(begun == BackOff.free + 1)
        for _ in 0..<begun { backOff.failed(ann, at: .zero) }
        #expect(backOff.attempt(ann, at: .zero) == .seconds(1))
        #expect(backOff.attempt(ann, at: .seconds(1)) == nil)
        #expect(backOff.attempt(ann, at: .seconds(1)) == .seconds(1))
        backOff.abandoned(ann)
        #expect(backOff.attempt(ann, at: .seconds(1)) == nil)
    }

    @Test("after a hundred failures from one client, on whatever accounts, strangers there have one attempt a second until five minutes are over")
    func spray() throws {
        var backOff = BackOff()
        for number in 0..<100 {
            #expect(backOff.attempt(try self.pair("user\(number)"), at: .seconds(number)) == nil)
            backOff.failed(try self.pair("user\(number)"), at: .seconds(number))
        }
        let (ann, ben) = (try self.pair("ann"), try self.pair("ben"))
        #expect(backOff.attempt(ann, at: .seconds(100)) == nil)
        #expect(backOff.attempt(ben, at: .seconds(100)) == .seconds(1))
        #expect(backOff.attempt(try self.pair("ben", "192.0.2.2"), at: .seconds(100)) == nil)
        backOff.succeeded(ann, at: .seconds(100))
        #expect(backOff.attempt(ben, at: .seconds(101)) == nil)
        #expect(backOff.attempt(ann, at: .seconds(101)) == nil, "whoever got in from there does not wait for others")
        #expect(backOff.attempt(try self.pair("cid"), at: .seconds(101)) == .seconds(1))
        #expect(backOff.attempt(try self.pair("cid"), at: .seconds(300)) == nil)
        #expect(backOff.attempt(try self.pair("dan"), at: .seconds(300)) == nil)
    }

    @Test("tokens that are none are no guesses at passwords: nobody waits for them but who sent them")
    func noSpray() throws {
        var backOff = BackOff()
        for number in 0..<1000 { backOff.noteFailure(try self.pair("user\(number)"), at: .zero) }
        #expect(backOff.attempt(try self.pair("ann"), at: .zero) == nil)
        #expect(backOff.attempt(try self.pair("ben"), at: .zero) == nil)
    }

    @Test("the table is bounded, and strangers with fewer failures push out nobody who has more")
    func bounded() throws {
        var backOff = BackOff(capacity: 100, pairsOfOne: 10)
        let ann = try self.pair("ann")
        self.fail(&backOff, ann, 8, at: .zero)
        for number in 0..<1000 { self.fail(&backOff, try self.pair("u\(number)", "10.0.\(number / 250).\(number % 250)"), 3, at: .seconds(1)) }
        #expect(backOff.count == 100)
        #expect(backOff.hold(on: ann, at: .seconds(1)) == .seconds(3))
        for number in 0..<50 { self.fail(&backOff, try self.pair("v\(number)"), 1, at: .seconds(2)) }
        #expect(backOff.hold(on: ann, at: .seconds(2)) == .seconds(2))
        #expect(backOff.count <= 100)
    }

    @Test("attempts under way are never pushed out")
    func pendingStays() throws {
        var backOff = BackOff(capacity: 3, pairsOfOne: 10)
        for name in ["a", "b"] { #expect(backOff.attempt(try self.pair(name), at: .zero) == nil) }
        for number in 0..<20 { self.fail(&backOff, try self.pair("u\(number)"), 2, at: .zero) }
        backOff.failed(try self.pair("a"), at: .zero)
        #expect(backOff.count <= 4)
    }
}
