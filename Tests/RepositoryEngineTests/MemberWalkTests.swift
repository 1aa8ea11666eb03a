import FormatAPI
import Testing

@testable import RepositoryEngine

/// Whom a group asks, in which order, and what comes of it: no sockets, no repositories.
@Suite("The walk through a group's members")
struct MemberWalkTests {
    private static let down = FormatError(.upstreamUnreachable, "down")

    /// Gives the members' answers, and says who was asked: `0k` for what member 0 keeps, `0` for all it has.
    private func run(_ walk: inout MemberWalk, _ reply: (MemberWalk.Question) -> MemberWalk.Reply) -> [String] {
        var asked: [String] = []
        while let question = walk.next() {
            asked.append("\(question.member)" + (question.reach == .kept ? "k" : ""))
            walk.heard(reply(question))
        }
        return asked
    }

    private func words(_ end: MemberWalk.End?) -> String {
        switch end {
        case nil: "on its way"
        case .found(let member): "found \(member)"
        case .absent: "absent"
        case .trouble(let error, let member): "\(error.message) \(member)"
        }
    }

    @Test("the first member that has it ends the walk, a miss goes on")
    func order() {
        var walk = MemberWalk(upstreams: [false, true, true], .byMember, onMemberError: .fail)
        #expect(self.run(&walk) { $0.member == 1 ? .found : .absent } == ["0", "1"])
        #expect(self.words(walk.end) == "found 1")
        var missing = MemberWalk(upstreams: [false, true], .byMember, onMemberError: .fail)
        #expect(self.run(&missing) { _ in .absent } == ["0", "1"])
        #expect(self.words(missing.end) == "absent")
    }

    @Test(
        "trouble ends the walk, or is skipped, and is never an absence",
        arguments: [
            (GroupPart.OnMemberError.fail, false, ["0", "1"], "down 1"), (.skip, true, ["0", "1", "2"], "found 2"),
            (.skip, false, ["0", "1", "2"], "down 1"),
        ])
    func trouble(policy: GroupPart.OnMemberError, isThere: Bool, asked: [String], end: String) {
        var walk = MemberWalk(upstreams: [false, true, true], .byMember, onMemberError: policy)
        let order = self.run(&walk) { $0.member == 1 ? .trouble(Self.down) : $0.member == 2 && isThere ? .found : .absent }
        #expect(order == asked)
        #expect(self.words(walk.end) == end)
        #expect(walk.skipped == (policy == .skip ? [1] : []))
    }

    @Test("a digest is looked for in what all members keep before any upstream is asked, and hosted members are asked once")
    func keptFirst() {
        var walk = MemberWalk(upstreams: [true, false, true], .keptFirst, onMemberError: .fail)
        #expect(self.run(&walk) { _ in .absent } == ["0k", "1k", "2k", "0", "2"])
        var kept = MemberWalk(upstreams: [true, false, true], .keptFirst, onMemberError: .fail)
        #expect(self.run(&kept) { $0.member == 2 ? .found : .absent } == ["0k", "1k", "2k"])
    }

    @Test("the member that resolved the name is asked first, of what it keeps and of what its upstream has")
    func first() {
        var walk = MemberWalk(upstreams: [true, true, true], .keptFirst, first: 2, onMemberError: .fail)
        #expect(self.run(&walk) { _ in .absent } == ["2k", "0k", "1k", "2", "0", "1"])
    }

    @Test("members that are likely to have it are asked before the others that are left")
    func likely() {
        var walk = MemberWalk(upstreams: [true, true, true], .keptFirst, onMemberError: .fail)
        var asked: [Int] = []
        while let question = walk.next() {
            asked.append(question.member)
            walk.heard(.absent)
            if walk.hasChoice, asked.count == 3 { walk.prefer([1]) }
        }
        #expect(asked == [0, 1, 2, 1, 0, 2])
    }

    @Test("whether bytes need to be sent is answered without those that cannot be asked")
    func existence() {
        var walk = MemberWalk(upstreams: [false, true, true], .keptFirst, onMemberError: .fail, troubleIsAbsence: true)
        #expect(self.run(&walk) { $0.reach == .everywhere && $0.member == 1 ? .trouble(Self.down) : .absent } == ["0k", "1k", "2k", "1", "2"])
        #expect(self.words(walk.end) == "absent")
    }

    @Test("a group without members, or whose members may not be asked, has nothing")
    func empty() {
        var walk = MemberWalk(upstreams: [], .keptFirst, onMemberError: .fail)
        #expect(walk.next() == nil)
        #expect(self.words(walk.end) == "absent")
    }
}
