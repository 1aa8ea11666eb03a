import AccessControl
import ArtifactModel
import FormatAPI
import StorageAPI

/// What several repositories have, behind one name. Keeps nothing itself.
struct GroupContent: RepositoryContent {
    /// A hosted or proxy repository, as this request sees it.
    struct Member: Sendable {
        let repository: Repository
        let content: @Sendable () -> any RepositoryContent
    }

    let context: RequestContext
    let repository: Repository
    let part: GroupPart
    let members: [Member]
    let maker: ContentMaker
    let links: LinkSources

    /// Those that may be asked about a name, in order.
    func members(about name: String?) async throws -> [Member] {
        guard let name else { return self.members }
        let members = self.members.filter { member in
            let mayAsk = self.links.catalogue.owners.isEmpty || self.mayAsk(member.repository, about: name)
            if !mayAsk { self.context.notes.trace?.add(member.repository.name, name, "not asked: another repository owns this name") }
            return mayAsk
        }
        guard self.part.merge == .hosted, members.contains(where: \.repository.isProxy), let package = self.format?.exclusivePackage(name),
            try await self.isHeld(package, by: members)
        else { return members }
        return members.filter { member in
            if member.repository.isProxy {
                self.context.notes.trace?.add(member.repository.name, name, "not asked: a hosted member has a package of this name (merge: union asks both)")
            }
            return !member.repository.isProxy
        }
    }

    /// Whether a hosted member has a version of it.
    private func isHeld(_ package: PackageName, by members: [Member]) async throws -> Bool {
        for member in members where !member.repository.isProxy {
            if try await self.maker.metadata.holds(package, in: member.repository.id) { return true }
        }
        return false
    }

    func asksUpstream(about name: String) async throws -> Bool { try await self.members(about: name).contains(where: \.repository.isProxy) }

    /// By the name that the client uses, and by the one that the member has for it.
    func mayAsk(_ member: Repository, about name: String) -> Bool {
        [name, member.fullName(name)].allSatisfy { self.links.catalogue.mayAsk(member, about: $0) }
    }

    var format: (any ServedFormat)? { self.links.catalogue.formats[self.repository.format] }

    func name(at path: AssetPath) -> String { self.format?.name(at: path) ?? path.text }

    func content(_ want: ContentRequest) async throws -> Content? {
        try await self.content(want, of: try await self.members(about: self.name(at: want.path)))
    }

    func content(_ want: ContentRequest, of members: [Member]) async throws -> Content? {
        let members = members.filter { member in
            self.allowed(want.named(by: member.repository).isAllowed(by: member.repository), member, "\(want.path)")
        }
        var walk = MemberWalk(
            upstreams: members.map { $0.repository.isProxy && want.upstream != nil }, want.change == .immutable ? .keptFirst : .byMember,
            first: want.from.flatMap { name in members.firstIndex { $0.repository.name == name } }, onMemberError: self.part.onMemberError,
            troubleIsAbsence: self.troubleIsAbsence(want))
        let contents = members.map { $0.content() }
        let wants = members.map { want.named(by: $0.repository) }
        var found: Content?
        var hasChosen = false
        while let question = walk.next() {
            found = try await self.reply(of: members[question.member], to: &walk) {
                try await self.ask(members[question.member], contents[question.member], wants[question.member], question.reach)
            }
            if found == nil, !hasChosen, walk.hasChoice {
                hasChosen = true
                walk.prefer(try await self.likely(wants, members))
            }
        }
        try self.finish(walk, members)
        found?.skippedMembers = self.shown(walk.skipped.map { members[$0].repository.name })
        return found
    }

    private func ask(_ member: Member, _ content: any RepositoryContent, _ want: ContentRequest, _ reach: MemberWalk.Reach) async throws -> Content? {
        guard reach == .kept, member.repository.isProxy, want.upstream != nil else { return try await content.content(want) }
        var kept = want
        kept.upstream = nil
        do {
            return try await content.content(kept)
        } catch let error as FormatError where error.code == .internalFailure {
            // Its bytes are gone: they are fetched anew when it is asked for all it has.
            return nil
        }
    }

    /// A client that asks whether bytes are there, in order not to send them, is to send them where nobody can say: an upload must not wait
    /// for somebody else's registry.
    private func troubleIsAbsence(_ want: ContentRequest) -> Bool {
        self.part.writeTo != nil && want.change == .immutable && (want.delivery ?? self.context.delivery) == .head && self.format?.isPart(want.path) == true
    }

    /// The members that have begun to fetch it, and those that hold what names it.
    private func likely(_ wants: [ContentRequest], _ members: [Member]) async throws -> [Int] {
        var likely: [Int] = []
        for (place, member) in members.enumerated() where member.repository.isProxy {
            let want = wants[place]
            if self.maker.fills.running(Fill.Key(repository: member.repository.id, path: want.path)) != nil {
                likely.append(place)
            } else if let mention = want.mention, try await self.mentions(mention, member.repository) {
                likely.append(place)
            }
        }
        return likely
    }

    private func mentions(_ mention: ContentRequest.Mention, _ repository: Repository) async throws -> Bool {
        for kind in mention.kinds {
            let query = ContentQuery(.edges(to: mention.target, in: mention.package, kind: kind, artifactType: nil), limit: 1)
            if try await !self.maker.metadata.rows(query, in: repository.id).rows.isEmpty { return true }
        }
        return false
    }

    func resolve(_ want: PointerRequest) async throws -> Pointer? {
        let members = try await self.members(about: want.name.package.path).filter { member in
            self.allowed(want.named(by: member.repository).upstream?.asked.map { member.repository.allows($0) } ?? true, member, want.name.name)
        }
        var walk = MemberWalk(upstreams: members.map(\.repository.isProxy), .byMember, onMemberError: self.part.onMemberError)
        var found: Pointer?
        while let question = walk.next() {
            let member = members[question.member]
            found = try await self.reply(of: member, to: &walk) { try await member.content().resolve(want.named(by: member.repository)) }
        }
        try self.finish(walk, members)
        found?.skippedMembers = self.shown(walk.skipped.map { members[$0].repository.name })
        return found
    }

    func forward(_ call: UpstreamCall) async throws -> UpstreamReply? {
        let members = try await self.members(about: call.resource.name).filter { member in
            call.resource.asked.map { member.repository.allows($0) } ?? true
        }
        var walk = MemberWalk(upstreams: members.map(\.repository.isProxy), .byMember, onMemberError: self.part.onMemberError)
        var found: UpstreamReply?
        while let question = walk.next() {
            let member = members[question.member]
            found = try await self.reply(of: member, to: &walk) { try await member.content().forward(call) }
        }
        try self.finish(walk, members)
        return found
    }

    func noteTrouble(of member: Member, goesOn: Bool) {
        // Whatever became of the member's own question: without it the answer is good for once.
        self.context.notes.standsOnce()
        self.context.notes.trace?.add(
            member.repository.name, "in trouble", goesOn ? "skipped (onMemberError: skip)" : "ends the request (onMemberError: fail)")
    }

    /// Says in the trace whom a rule keeps out.
    private func allowed(_ isAllowed: Bool, _ member: Member, _ subject: String) -> Bool {
        if !isAllowed { self.context.notes.trace?.add(member.repository.name, subject, "not asked: its routing rule does not allow this") }
        return isAllowed
    }

    // MARK: Trouble

    /// Asks, and tells the walk. What fails here and not at an upstream is thrown: it must not look as if the member had nothing.
    private func reply<Found>(of member: Member, to walk: inout MemberWalk, _ ask: () async throws -> Found?) async throws -> Found? {
        do {
            let found = try await ask()
            walk.heard(found == nil ? .absent : .found)
            return found
        } catch {
            walk.heard(.trouble(try Self.trouble(error, member)))
            self.noteTrouble(of: member, goesOn: walk.end == nil)
            return nil
        }
    }

    private func finish(_ walk: MemberWalk, _ members: [Member]) throws {
        if case .trouble(let error, let place)? = walk.end { throw self.unavailable(error, members[place]) }
    }

    /// - Throws: what is no trouble with an upstream.
    static func trouble(_ error: any Error, _ member: Member) throws -> FormatError {
        let failure = FormatError(error)
        guard member.repository.isProxy else { throw error }
        switch failure.code {
        case .upstreamUnreachable, .upstreamTimedOut, .upstreamFailed, .throttled, .unavailable: return failure
        default: throw error
        }
    }

    /// Who may read the group and not the member is not told its name, nor where it has its things from.
    func unavailable(_ error: FormatError, _ member: Member) -> FormatError {
        let isShown = self.shown(member.repository.name) == member.repository.name
        let text =
            isShown
            ? "«\(member.repository.name)», a member of this group, is in trouble: \(error.message)"
            : "a member of this group is in trouble; the server's log says more"
        return FormatError(.unavailable, text, retryAfter: error.retryAfter, cause: error.cause ?? error)
    }

    /// A member's name, to who may read something of it; to others the group's own.
    func shown(_ member: RepositoryName) -> RepositoryName {
        let isKnown = self.links.authorizer.refused([.some(.read, below: "")], of: member, by: self.links.principal.unlimited).isEmpty
        return isKnown ? member : self.repository.name
    }

    /// The same of several; each name once.
    func shown(_ members: [RepositoryName]) -> [RepositoryName] {
        var seen: Set<RepositoryName> = []
        return members.map(self.shown).filter { seen.insert($0).inserted }
    }
}

extension ContentRequest {
    /// The same, as the member calls it.
    func named(by member: Repository) -> ContentRequest {
        guard let naming, case let full = member.fullName(naming.name), full != naming.name, var other = naming.request(full) else { return self }
        if self.upstream == nil { other.upstream = nil }
        (other.from, other.delivery, other.renewingAfter) = (self.from, self.delivery, self.renewingAfter)
        return other
    }

    /// By the member's routing rule, where it keeps it and where its upstream has it.
    func isAllowed(by member: Repository) -> Bool {
        member.allows(AskedPath(self.path.text)) && self.upstream?.asked.map { member.allows($0) } ?? true
    }
}

extension PointerRequest {
    /// The same, as the member calls it.
    func named(by member: Repository) -> PointerRequest {
        guard let naming, case let full = member.fullName(naming.name), full != naming.name, var other = naming.request(full) else { return self }
        if self.upstream == nil { other.upstream = nil }
        return other
    }
}

extension PackageName {
    /// What `owns` is matched with.
    var path: String { self.namespace.isEmpty ? self.name : "\(self.namespace)/\(self.name)" }
}

extension UpstreamResource {
    /// What `owns` is matched with; nil: it names nothing that could be owned.
    var name: String? {
        switch self.location {
        case .below(let path): path
        case .named(_, let name, _): name
        case .reference, .elsewhere, .absolute: nil
        }
    }
}
