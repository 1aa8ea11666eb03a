import ArtifactModel
import FormatAPI

extension GroupContent {
    func gather<Part: Sendable>(
        _ name: String?, _ ask: @escaping @Sendable (any RepositoryContent) async throws -> Part
    ) async throws -> Gathered<Part> {
        let members = try await self.members(about: name)
        var parts: [(member: Int, reply: Result<Part, FormatError>)] = []
        try await withThrowingTaskGroup(of: (Int, Result<Part, FormatError>).self) { group in
            for (place, member) in members.enumerated() {
                group.addTask {
                    do { return (place, .success(try await ask(member.content()))) } catch { return (place, .failure(try Self.trouble(error, member))) }
                }
            }
            for try await part in group { parts.append((member: part.0, reply: part.1)) }
        }
        var gathered = Gathered<Part>([])
        for (place, reply) in parts.sorted(by: { $0.member < $1.member }) {
            switch reply {
            case .success(let part): gathered.parts.append(part)
            case .failure(let error):
                let failure = self.unavailable(error, members[place])
                self.noteTrouble(of: members[place], goesOn: self.part.onMemberError == .skip)
                guard self.part.onMemberError == .skip else { throw failure }
                gathered.skippedMembers = self.shown(gathered.skippedMembers + [members[place].repository.name])
                gathered.trouble = gathered.trouble ?? failure
            }
        }
        return gathered
    }

    /// Of every member a page, merged: no member's list is read further than the page goes.
    func list(_ query: ContentQuery) async throws -> ContentPage {
        var query = query
        while true {
            let asked = query
            let gathered = try await self.gather(query.subject.name) { member in MemberPage(try await member.list(asked), of: member.context.repository) }
            if gathered.parts.isEmpty, let trouble = gathered.trouble { throw trouble }
            var (page, last) = try await self.context.compute.run {
                let pages = gathered.parts.map { self.visible($0, asked.subject) }
                return (ContentPage.merged(pages, limit: asked.limit), pages.compactMap(\.covered).min(by: ByteText.precedes))
            }
            page.skippedMembers = gathered.skippedMembers
            // A page whose names are all other members' own: the next one.
            guard page.rows.isEmpty, page.more, let last else { return page }
            query.after = last
        }
    }

    private struct MemberPage: Sendable {
        var page: ContentPage
        var member: RepositoryName
        init(_ page: ContentPage, of member: RepositoryName) {
            self.page = page
            self.member = member
        }
    }

    /// Without the names that others own: what cannot be had is not listed.
    private func visible(_ part: MemberPage, _ subject: ContentQuery.Subject) -> MergedPart {
        let covered = part.page.more ? part.page.rows.last?.name : nil
        let catalogue = self.links.catalogue
        guard !catalogue.owners.isEmpty, let member = catalogue.repositories[part.member] else { return MergedPart(part.page.rows, covered: covered) }
        let rows = part.page.rows.filter { row in
            guard let name = self.name(of: row, in: subject) else { return true }
            return catalogue.mayAsk(member, about: name)
        }
        return MergedPart(rows, covered: covered)
    }

    /// nil: a row whose list was asked of those alone that may have it, or a folder, which others may share.
    private func name(of row: ContentRow, in subject: ContentQuery.Subject) -> String? {
        switch subject {
        case .packages: row.name
        case .folder(let folder): row.digest == nil ? nil : self.name(at: AssetPath(checked: (folder.map { "\($0.text)/" } ?? "") + row.name))
        case .package, .components, .pointers, .edges: nil
        }
    }
}

extension ContentQuery.Subject {
    /// The one package that it is about.
    fileprivate var name: String? {
        switch self {
        case .packages, .folder: nil
        case .package(let package), .components(let package), .pointers(let package, _), .edges(_, let package, _, _): package.path
        }
    }
}
