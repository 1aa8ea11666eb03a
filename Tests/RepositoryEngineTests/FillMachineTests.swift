import Testing

@testable import RepositoryEngine

/// The machine alone: no sockets, no files, no clock.
@Suite struct FillMachineTests {
    private static let mebibyte: Int64 = 1 << 20

    private static func opened(_ length: Int64?, validator: String? = "\"v\"", hasDigest: Bool = true) -> FillMachine {
        var machine = FillMachine(hasDigest: hasDigest)
        #expect(machine.join(nil) == [.request(transfer: 1, from: 0, to: nil, validator: nil)])
        #expect(machine.answered(1, from: 0, length: length, validator: validator) == [.wake])
        return machine
    }

    @Test("a plain download is one request, however many join, and is verified, then kept")
    func plain() {
        var machine = Self.opened(1000)
        #expect(machine.join(nil).isEmpty)
        #expect(machine.join(10..<20).isEmpty, "the running transfer reaches it")
        #expect(machine.wrote(1, 400) == [.wake])
        #expect(machine.wrote(1, 600) == [.wake, .stop(transfer: 1), .verify(length: 1000)])
        #expect(machine.phase == .verifying)
        #expect(machine.verified(nil) == [.wake, .keep(length: 1000)])
        #expect(machine.committed(nil) == [.wake])
        #expect(machine.phase == .kept && machine.isOver)
    }

    @Test("what a stopped transfer says of its end fails nothing; what a running one says does")
    func stopped() {
        var machine = Self.opened(1000)
        _ = machine.wrote(1, 1000)
        #expect(machine.failed(1, .shutDown).isEmpty)
        #expect(machine.phase == .verifying)
        machine = Self.opened(1000)
        #expect(machine.failed(1, .shutDown) == [.stop(transfer: 1), .wake, .discard])
    }

    @Test("a part beyond the end is its reader's matter; an end before what is there is another file")
    func beyondTheEnd() {
        var machine = Self.opened(nil)
        _ = machine.take(1, 2 * Self.mebibyte)
        _ = machine.wrote(1, 2 * Self.mebibyte, [0..<2 * Self.mebibyte])
        #expect(machine.join(50 * Self.mebibyte..<51 * Self.mebibyte).count == 1)
        #expect(machine.unsatisfied(2, length: 3 * Self.mebibyte) == [.wake])
        #expect(machine.length == 3 * Self.mebibyte && machine.transfers.count == 1)
        #expect(machine.join(60 * Self.mebibyte..<61 * Self.mebibyte).isEmpty)
        machine = Self.opened(nil)
        _ = machine.take(1, 2 * Self.mebibyte)
        _ = machine.wrote(1, 2 * Self.mebibyte, [0..<2 * Self.mebibyte])
        _ = machine.join(50 * Self.mebibyte..<51 * Self.mebibyte)
        #expect(machine.unsatisfied(2, length: Self.mebibyte).contains(.discard))
    }

    @Test("places at the end of all numbers end nothing", arguments: [Int64.max - 1, Int64.max / 2, (1 << 60) - 1] as [Int64])
    func largest(place: Int64) {
        var machine = FillMachine(hasDigest: true)
        _ = machine.join(place..<place + 1)
        _ = machine.answered(1, from: place / Self.mebibyte * Self.mebibyte, length: nil, validator: nil)
        _ = machine.join(place..<Int64.max)
        _ = machine.join((place - 5)..<place)
        _ = machine.join(0..<Int64.max)
        #expect(!machine.isOver)
    }

    @Test("until the upstream has answered, nobody else asks it")
    func asking() {
        var machine = FillMachine(hasDigest: true)
        #expect(machine.join(5 * Self.mebibyte..<6 * Self.mebibyte).count == 1)
        #expect(machine.join(nil).isEmpty)
        #expect(machine.join(0..<10).isEmpty)
        _ = machine.answered(1, from: 5 * Self.mebibyte, length: 100 * Self.mebibyte, validator: nil)
        #expect(machine.join(0..<10) == [.request(transfer: 2, from: 0, to: Self.mebibyte, validator: nil)])
        #expect(machine.join(nil) == [.request(transfer: 3, from: 0, to: nil, validator: nil)])
    }

    @Test("a range is asked for in whole mebibytes, cut at the end, and joined by a second reader of it")
    func ranges() {
        var machine = Self.opened(nil)
        _ = machine.fail(.changed)
        machine = FillMachine(hasDigest: true)
        #expect(
            machine.join(3 * Self.mebibyte + 5..<3 * Self.mebibyte + 6)
                == [.request(transfer: 1, from: 3 * Self.mebibyte, to: 4 * Self.mebibyte, validator: nil)])
        _ = machine.answered(1, from: 3 * Self.mebibyte, length: 10 * Self.mebibyte + 7, validator: "\"v\"")
        #expect(machine.join(3 * Self.mebibyte..<4 * Self.mebibyte).isEmpty)
        #expect(
            machine.join(10 * Self.mebibyte..<10 * Self.mebibyte + 7)
                == [.request(transfer: 2, from: 10 * Self.mebibyte, to: 10 * Self.mebibyte + 7, validator: "\"v\"")])
    }

    @Test("what is there already is not asked for again")
    func presentRanges() {
        var machine = FillMachine(hasDigest: true)
        _ = machine.join(0..<10)
        _ = machine.answered(1, from: 0, length: 10 * Self.mebibyte, validator: "\"v\"")
        _ = machine.wrote(1, Self.mebibyte)
        #expect(machine.ended(1) == [.wake])
        #expect(machine.join(100..<200).isEmpty)
        #expect(machine.join(nil) == [.request(transfer: 2, from: Self.mebibyte, to: nil, validator: "\"v\"")])
    }

    @Test("no byte is written twice: of answers that overlap, what is there or on its way is passed over")
    func taken() {
        var machine = Self.opened(1000)
        #expect(machine.take(1, 300) == [0..<300])
        _ = machine.wrote(1, 300, [0..<300])
        #expect(!machine.ended(1).isEmpty)
        // The range is ignored: all of it comes again.
        _ = machine.answered(1, from: 0, length: 1000, validator: "\"v\"")
        #expect(machine.take(1, 200).isEmpty)
        #expect(machine.wrote(1, 200, []) == [.wake])
        #expect(machine.take(1, 200) == [300..<400])
        #expect(machine.present.end(from: 0) == 300, "taken is not there yet")
        _ = machine.wrote(1, 200, [300..<400])
        #expect(machine.present.end(from: 0) == 400)
        #expect(machine.take(2, 10).isEmpty, "nobody's transfer")
    }

    @Test("gaps", arguments: [(0..<10, [0..<10]), (0..<30, [0..<10, 20..<30]), (12..<18, []), (15..<50, [20..<30, 40..<50]), (20..<30, [20..<30])])
    func gaps(_ range: Range<Int64>, _ expected: [Range<Int64>]) {
        var ranges = PresentRanges()
        ranges.insert(30..<40)
        ranges.insert(10..<20)
        #expect(ranges.gaps(in: range) == expected)
    }

    @Test("a cut goes on where it stopped; after five requests in a row that brought nothing it fails")
    func cuts() {
        var machine = Self.opened(1000)
        _ = machine.wrote(1, 300)
        #expect(machine.ended(1) == [.request(transfer: 1, from: 300, to: nil, validator: "\"v\"")])
        #expect(machine.answered(1, from: 300, length: 1000, validator: "\"v\"") == [.wake])
        for _ in 0..<4 { #expect(machine.broke(1, .cut, "x") == [.request(transfer: 1, from: 300, to: nil, validator: "\"v\"")]) }
        #expect(machine.broke(1, .cut, "x") == [.stop(transfer: 1), .wake, .discard])
        #expect(machine.phase == .failed(.upstream(.cut, "x")))
    }

    @Test("an upstream that begins anew each time, and breaks off at the same place, is not asked for ever")
    func sameAgain() {
        var machine = Self.opened(1000)
        _ = machine.wrote(1, 300)
        var asked = 0
        while case .request? = machine.ended(1).first, asked < 100 {
            asked += 1
            _ = machine.answered(1, from: 0, length: 1000, validator: "\"v\"")
            _ = machine.wrote(1, 300)
        }
        #expect(asked == 5)
        #expect(machine.isOver)
    }

    @Test(
        "what nothing ties together is not resumed",
        arguments: [(validator: nil as String?, hasDigest: false, length: 1000 as Int64?), ("\"v\"", true, nil)])
    func noResumption(_ validator: String?, _ hasDigest: Bool, _ length: Int64?) {
        var machine = Self.opened(length, validator: validator, hasDigest: hasDigest)
        _ = machine.wrote(1, 300)
        #expect(machine.broke(1, .cut, "x").last == .discard)
    }

    @Test(
        "another file in the middle drops everything",
        arguments: [(length: 1001 as Int64?, validator: "\"v\"" as String?, hasDigest: true), (1000, "\"w\"", false), (1000, nil, false)])
    func changed(_ length: Int64?, _ validator: String?, _ hasDigest: Bool) {
        var machine = Self.opened(1000, hasDigest: hasDigest)
        _ = machine.wrote(1, 300)
        _ = machine.broke(1, .cut, "x")
        #expect(machine.answered(1, from: 300, length: length, validator: validator) == [.stop(transfer: 1), .wake, .discard])
        #expect(machine.phase == .failed(.changed))
    }

    @Test("with a digest another validator is no other file: the sum will tell")
    func digestTells() {
        var machine = Self.opened(1000, validator: "\"v\"", hasDigest: true)
        _ = machine.broke(1, .cut, "x")
        #expect(machine.answered(1, from: 0, length: 1000, validator: "\"mirror\"") == [.wake])
    }

    @Test("an upstream that ignores a range sends all, and that is taken as all")
    func ignoredRange() {
        var machine = FillMachine(hasDigest: true)
        _ = machine.join(5 * Self.mebibyte..<6 * Self.mebibyte)
        #expect(machine.answered(1, from: 0, length: 10 * Self.mebibyte, validator: nil) == [.wake])
        #expect(machine.transfers[1]?.end == nil)
        #expect(machine.join(nil).isEmpty, "the whole is coming")
    }

    @Test("an ignored range is stopped where the whole is coming anyway")
    func ignoredBesideWhole() {
        var machine = Self.opened(100 * Self.mebibyte)
        #expect(machine.join(50 * Self.mebibyte..<51 * Self.mebibyte).count == 1)
        #expect(machine.answered(2, from: 0, length: 100 * Self.mebibyte, validator: "\"v\"") == [.stop(transfer: 2)])
        #expect(machine.phase == .open && machine.transfers.count == 1)
    }

    @Test("another range than was asked for is a bad answer")
    func otherRange() {
        var machine = FillMachine(hasDigest: true)
        _ = machine.join(5 * Self.mebibyte..<6 * Self.mebibyte)
        #expect(machine.answered(1, from: 7 * Self.mebibyte, length: 10 * Self.mebibyte, validator: nil).last == .discard)
    }

    @Test("more than was declared is a bad answer")
    func tooMuch() {
        var machine = Self.opened(1000)
        #expect(machine.wrote(1, 1001).last == .discard)
    }

    @Test("the tail is held back from who began at the beginning, until the whole is right")
    func holdBack() {
        var machine = Self.opened(Self.mebibyte)
        _ = machine.wrote(1, Self.mebibyte - 1)
        #expect(machine.visible(from: 0, begunAtZero: true) == Self.mebibyte - 65536)
        #expect(machine.visible(from: 0, begunAtZero: false) == Self.mebibyte - 1)
        _ = machine.wrote(1, 1)
        #expect(machine.visible(from: 0, begunAtZero: true) == Self.mebibyte - 65536)
        _ = machine.verified(nil)
        #expect(machine.visible(from: 0, begunAtZero: true) == Self.mebibyte)
    }

    @Test("a wrong sum fails the fill, and nothing of its end was visible")
    func mismatch() {
        var machine = Self.opened(100)
        _ = machine.wrote(1, 100)
        #expect(machine.visible(from: 0, begunAtZero: true) == 0)
        #expect(machine.verified(.mismatch("x")) == [.wake, .discard])
        #expect(machine.phase == .failed(.mismatch("x")))
    }

    @Test("of an unknown length the end is the end of the answer")
    func unknownLength() {
        var machine = Self.opened(nil, hasDigest: false)
        _ = machine.wrote(1, 100_000)
        #expect(machine.visible(from: 0, begunAtZero: true) == 100_000 - 65536)
        #expect(machine.ended(1) == [.wake, .verify(length: 100_000)])
    }

    @Test("an empty file is whole as soon as it has ended")
    func empty() {
        var machine = Self.opened(0)
        #expect(machine.ended(1) == [.wake, .verify(length: 0)])
    }

    @Test("at most 64 transfers run; one more range goes alone, and so does a part that nothing ties to what is there")
    func alone() {
        var machine = FillMachine(hasDigest: true)
        _ = machine.join(0..<1)
        _ = machine.answered(1, from: 0, length: 1000 * Self.mebibyte, validator: nil)
        for n in 1...63 { #expect(machine.join(Int64(n) * 10 * Self.mebibyte..<Int64(n) * 10 * Self.mebibyte + 1).count == 1) }
        #expect(machine.join(995 * Self.mebibyte..<995 * Self.mebibyte + 1) == [.passThrough])
        var loose = Self.opened(10 * Self.mebibyte, validator: nil, hasDigest: false)
        #expect(loose.join(8 * Self.mebibyte..<9 * Self.mebibyte) == [.passThrough])
    }

    @Test("what could not be kept is still served")
    func notKept() {
        var machine = Self.opened(10)
        _ = machine.wrote(1, 10)
        _ = machine.verified(nil)
        #expect(machine.committed(.noSpace) == [.discard, .wake])
        #expect(machine.visible(from: 0, begunAtZero: true) == 10)
    }

    @Test("a fill that is over stays so")
    func over() {
        var machine = Self.opened(10)
        _ = machine.fail(.shutDown)
        #expect(machine.fail(.changed).isEmpty)
        #expect(machine.wrote(1, 5).isEmpty && machine.ended(1).isEmpty && machine.join(nil).isEmpty)
        #expect(machine.answered(1, from: 0, length: 10, validator: nil) == [.stop(transfer: 1)])
        #expect(machine.phase == .failed(.shutDown))
    }

    @Test("ranges that touch are one, whatever their order")
    func presence() {
        var ranges = PresentRanges()
        for range: Range<Int64> in [10..<20, 0..<5, 30..<40, 5..<10, 15..<30, 50..<50] { ranges.insert(range) }
        #expect(ranges.ranges == [0..<40])
        #expect(ranges.end(from: 0) == 40 && ranges.end(from: 39) == 40 && ranges.end(from: 40) == 40)
    }

    @Test(
        "Content-Range is read or refused",
        arguments: [
            ("bytes 0-9/100", 0 as Int64?, 100 as Int64?), ("bytes 5-9/*", 5, nil), ("bytes 9-5/100", nil, nil), ("bytes 0-100/100", nil, nil),
            ("bytes */100", nil, nil), ("items 0-9/100", nil, nil), ("", nil, nil), ("bytes -9/100", nil, nil),
            ("bytes 0-99999999999999999999/100", nil, nil),
        ])
    func contentRange(_ text: String, _ from: Int64?, _ length: Int64?) {
        let range = AnswerHead.range(text)
        #expect(range?.from == from && range?.length == length)
    }
}
