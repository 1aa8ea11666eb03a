import ArtifactModel

/// Where the next page of referrers begins, as `last` says it. Of one repository that is the repository's own word; of a group, one for each
/// member whose list goes on: `*local:sha256%3A…,hub:…`.
struct ReferrerCursor: Hashable, Sendable {
    private static let mark: Character = "*"
    private let own: String?
    private let members: [RepositoryName: String]?

    /// nil: from the beginning.
    init(_ text: String?) {
        self.own = text
        guard let text, text.first == Self.mark else {
            self.members = nil
            return
        }
        var members: [RepositoryName: String] = [:]
        for part in text.dropFirst().split(separator: ",") {
            let sides = part.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
            // What is no name or no position is none of ours.
            guard sides.count == 2, let name = try? RepositoryName(sides[0]), let position = Links.decoded(sides[1]) else { continue }
            members[name] = position
        }
        self.members = members
    }

    enum Position: Hashable, Sendable {
        case start
        case after(String)
        /// All of it was on earlier pages.
        case end

        var text: String? { if case .after(let text) = self { text } else { nil } }
    }

    func position(in repository: RepositoryName) -> Position {
        guard let members else { return self.own.map(Position.after) ?? .start }
        return members[repository].map(Position.after) ?? .end
    }

    /// - Parameter next: by member, where its list goes on.
    static func text(_ next: [(member: RepositoryName, position: String)]) -> String? {
        guard !next.isEmpty else { return nil }
        return String(Self.mark) + next.map { "\($0.member):\(Links.encoded($0.position))" }.joined(separator: ",")
    }
}

extension ReferrerPage {
    /// The members' pages as one, by digest, each entry once, as the first member that has it says.
    init(merging pages: [(member: RepositoryName, page: ReferrerPage)]) {
        var seen: Set<String> = []
        let entries = pages.flatMap(\.page.entries).filter { seen.insert($0.digest).inserted }
        self.init(
            entries: entries.sorted { ByteText.precedes($0.digest, $1.digest) },
            next: ReferrerCursor.text(pages.compactMap { part in part.page.next.map { (part.member, $0) } }))
    }
}
