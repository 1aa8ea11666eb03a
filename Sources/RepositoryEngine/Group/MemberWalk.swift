import FormatAPI

/// Decides which member of a group is asked next, and what their answers come to. Asks nobody itself.
///
///     asking --found--> found
///       | ^ absent; trouble, where it is skipped
///       +--nobody left--> absent, or the trouble of those that were skipped
///       +--trouble, where it is not--> trouble
struct MemberWalk: Sendable {
    enum Reach: Hashable, Sendable {
        /// What the member keeps.
        case kept
        /// And what its upstream has.
        case everywhere
    }
    struct Question: Hashable, Sendable {
        /// By its place in the group.
        var member: Int
        var reach: Reach
    }
    enum Reply: Sendable {
        case found, absent
        case trouble(FormatError)
    }
    enum End: Sendable {
        case found(member: Int)
        case absent
        case trouble(FormatError, member: Int)
    }
    /// How the members are asked.
    enum Order: Hashable, Sendable {
        /// Each for all it has, in the group's order: a name means what the first member says.
        case byMember
        /// What is known by its digest is the same wherever it is: what any member keeps comes before any upstream is asked.
        case keptFirst
    }

    private var rest: ArraySlice<Question>
    private var asked: Question?
    private let goesOn: Bool
    private let troubleIsAbsence: Bool
    private var trouble: (error: FormatError, member: Int)?
    private(set) var skipped: [Int] = []
    private(set) var end: End?

    /// - Parameter upstreams: for each member, whether there is an upstream behind it.
    /// - Parameter first: the member to begin with.
    /// - Parameter troubleIsAbsence: whether «nobody has it» is true enough where somebody could not be asked: it costs the client an upload.
    init(
        upstreams: [Bool], _ order: Order, first: Int? = nil, onMemberError: GroupPart.OnMemberError, troubleIsAbsence: Bool = false
    ) {
        var members = Array(upstreams.indices)
        if let first, let place = members.firstIndex(of: first) { members.insert(members.remove(at: place), at: 0) }
        let everywhere = members.map { Question(member: $0, reach: .everywhere) }
        self.rest =
            switch order {
            case .byMember: everywhere[...]
            case .keptFirst: (members.map { Question(member: $0, reach: .kept) } + everywhere.filter { upstreams[$0.member] })[...]
            }
        self.goesOn = onMemberError == .skip || troubleIsAbsence
        self.troubleIsAbsence = troubleIsAbsence
    }

    /// nil: the walk is over, and `end` says how.
    mutating func next() -> Question? {
        guard self.end == nil else { return nil }
        guard let question = self.rest.popFirst() else {
            self.end = if let trouble, !self.troubleIsAbsence { .trouble(trouble.error, member: trouble.member) } else { .absent }
            return nil
        }
        self.asked = question
        return question
    }

    mutating func heard(_ reply: Reply) {
        guard let asked, self.end == nil else { return }
        switch reply {
        case .found: self.end = .found(member: asked.member)
        case .absent: break
        case .trouble(let error):
            guard self.goesOn else {
                self.end = .trouble(error, member: asked.member)
                return
            }
            if !self.skipped.contains(asked.member) { self.skipped.append(asked.member) }
            self.trouble = self.trouble ?? (error, asked.member)
        }
    }

    /// Whether what comes next is to ask upstreams, of which there are several.
    var hasChoice: Bool { self.rest.count > 1 && self.rest.allSatisfy { $0.reach == .everywhere } }

    /// These are asked before the others that are left.
    mutating func prefer(_ members: [Int]) {
        self.rest = (self.rest.filter { members.contains($0.member) } + self.rest.filter { !members.contains($0.member) })[...]
    }
}
