import AccessControl
public import ArtifactModel

/// What a group adds to a repository.
public struct GroupPart: Hashable, Sendable {
    /// What a member in trouble means for what the others have.
    public enum OnMemberError: Hashable, Sendable {
        /// The walk ends: a name that a private member may have is never taken from the next.
        case fail
        /// It goes on without the member, and the answer says so.
        case skip
    }
    /// In the order in which they are asked; groups among them stand for their own members.
    public var members: [RepositoryName]
    /// A hosted member.
    public var writeTo: RepositoryName?
    public var onMemberError: OnMemberError
    /// Who adds to a name that a hosted member holds, of formats where that is a question.
    public var merge: Merge
    public enum Merge: Hashable, Sendable {
        /// The hosted members alone.
        case hosted
        /// Everyone.
        case union
    }
    public init(members: [RepositoryName], writeTo: RepositoryName? = nil, onMemberError: OnMemberError = .fail, merge: Merge = .hosted) {
        self.merge = merge
        self.members = members
        self.writeTo = writeTo
        self.onMemberError = onMemberError
    }
}

extension Catalogue {
    /// The hosted and proxy repositories of every group, each once, where it comes first. The configuration leads to no circle; one that did
    /// would end here as well.
    static func flattened(_ repositories: [RepositoryName: Repository]) -> [RepositoryName: [Repository]] {
        func add(_ name: RepositoryName, to members: inout [Repository], _ seen: inout Set<RepositoryName>) {
            guard seen.insert(name).inserted, let repository = repositories[name] else { return }
            guard case .group(let part) = repository.part else {
                members.append(repository)
                return
            }
            for member in part.members { add(member, to: &members, &seen) }
        }
        var all: [RepositoryName: [Repository]] = [:]
        for repository in repositories.values {
            guard case .group = repository.part else { continue }
            var members: [Repository] = []
            var seen: Set<RepositoryName> = []
            add(repository.name, to: &members, &seen)
            all[repository.name] = members
        }
        return all
    }

    /// A group's members with an upstream, in order.
    public func proxies(of group: Repository) -> [Repository] { (self.members[group.name] ?? []).filter(\.isProxy) }

    /// Where a group's writes go; nil: nowhere, or it is no group.
    func target(of repository: Repository) -> Repository? {
        guard case .group(let part) = repository.part, let name = part.writeTo else { return nil }
        return self.repositories[name]
    }

    /// Whether a repository may be asked about a name: not where others own it.
    func mayAsk(_ repository: Repository, about name: String) -> Bool {
        let owners = self.owners.filter { owner in owner.format == repository.format && owner.owns.contains { $0.matches(name) } }
        return owners.isEmpty || owners.contains { $0.id == repository.id }
    }
}

extension Repository {
    /// Whether it may have to ask somebody else.
    var isProxy: Bool {
        if case .proxy = self.part { return true }
        return false
    }
}
