import ArtifactModel

/// A format's site settings, and the section they came from.
struct DecodedSite {
    var value: any Sendable
    var section: Section
    var named: [RepositoryName]
}

/// What names what: groups their members, sites their repositories, repositories the libraries that they show.
extension ConfigurationReader {
    /// One top-level section for each format, whether or not it is in the file.
    func sites(_ root: Section) -> [String: DecodedSite] {
        var sites: [String: DecodedSite] = [:]
        for format in self.formats {
            let scope = SettingsDecoder.Scope(findings: self.findings, reserved: [])
            let section = root.section(format.id)
            let value = self.decode(section, scope, format.siteSettings)
            section.finish()
            guard let value else { continue }
            sites[format.id] = DecodedSite(value: value, section: section, named: format.repositoriesNamed(value))
        }
        return sites
    }

    func check(_ sites: [String: DecodedSite], against repositories: [Repository]) {
        for (format, site) in sites.sorted(by: { $0.key < $1.key }) {
            let candidates = repositories.filter { $0.format == format }.map(\.name.text)
            for name in Set(site.named).sorted() where !candidates.contains(name.text) {
                let exists = repositories.contains { $0.name == name }
                let message = exists ? "«\(name)» is a repository of another format" : "«\(name)» is no repository"
                let suggestion = exists ? "" : Spelling.suggestion(for: name.text, among: candidates)
                for place in site.section.places(of: name.text) {
                    self.findings.error(
                        place.position, place.key, message + suggestion, allowed: candidates.isEmpty ? ["a repository of format \(format)"] : candidates)
                }
            }
        }
    }

    /// Checks what groups and what formats' own keys name.
    func resolved(_ drafts: [RepositoryDraft]) -> [Repository] {
        var byName: [RepositoryName: RepositoryDraft] = [:]
        for draft in drafts { byName[draft.name] = draft }
        for draft in drafts where draft.repository.role == .group {
            self.checkMembers(of: draft, byName)
            self.checkWriteTo(of: draft, byName)
        }
        self.checkCircles(drafts, byName)
        for draft in drafts { self.checkLibraries(of: draft, byName) }
        return drafts.map(\.repository)
    }

    private func checkMembers(of group: RepositoryDraft, _ byName: [RepositoryName: RepositoryDraft]) {
        let candidates = byName.values.filter { $0.repository.format == group.repository.format && $0.name != group.name }.map(\.name).sorted().map(\.text)
        var seen: Set<RepositoryName> = []
        for member in group.members {
            if !seen.insert(member.value).inserted { self.findings.error(member.position, member.key, "«\(member.value)» is there twice") }
            guard let other = byName[member.value] else {
                self.reportMissing(member, candidates)
                continue
            }
            if other.repository.format != group.repository.format {
                self.findings.error(
                    member.position, member.key, "«\(member.value)» is of format \(other.repository.format), and this group of \(group.repository.format)",
                    allowed: candidates)
            }
        }
    }

    private func checkLibraries(of draft: RepositoryDraft, _ byName: [RepositoryName: RepositoryDraft]) {
        guard let schema = self.formats.first(where: { $0.id == draft.repository.format }) else { return }
        let formats = self.formats.filter(\.hasLibraries).map(\.id)
        let candidates = byName.values.filter { formats.contains($0.repository.format) }.map(\.name).sorted().map(\.text)
        for name in schema.librariesNamed(draft.repository.settings) where !candidates.contains(name.text) {
            // Not where the same word stands for a host, a format or a store.
            let others = Self.reservedKeys.map(draft.section.keyPath)
            for place in draft.section.places(of: name.text) where !others.contains(where: { place.key == $0 || place.key.hasPrefix($0 + ".") }) {
                guard let other = byName[name] else {
                    self.reportMissing(Located(value: name, position: place.position, key: place.key), candidates)
                    continue
                }
                let message = "«\(name)» is of format \(other.repository.format), which has nothing that is shown here"
                self.findings.error(
                    place.position, place.key, message, allowed: candidates.isEmpty ? formats.map { "a repository of format \($0)" } : candidates)
            }
        }
    }

    /// A repository that is there with a mistake of its own is told of once, in its own place.
    private func reportMissing(_ member: Located<RepositoryName>, _ candidates: [String]) {
        guard !self.repositoryKeys.contains(member.value.text) else { return }
        let suggestion = Spelling.suggestion(for: member.value.text, among: candidates)
        self.findings.error(member.position, member.key, "«\(member.value)» is no repository" + suggestion, allowed: candidates)
    }

    private func checkWriteTo(of group: RepositoryDraft, _ byName: [RepositoryName: RepositoryDraft]) {
        guard let target = group.writeTo else { return }
        let members = self.flattened(group, byName)
        let hosted = members.filter { name in
            guard let member = byName[name]?.repository else { return false }
            return member.role == .hosted && member.format == group.repository.format
        }.map(\.text)
        guard !hosted.contains(target.value.text) else { return }
        let isMember = members.contains(target.value)
        let message = isMember ? "«\(target.value)» is not hosted: nothing can be written to it" : "«\(target.value)» is no member of this group"
        self.findings.error(target.position, target.key, message, allowed: hosted)
    }

    /// The group's members and, where these are groups, their members in turn; each once.
    private func flattened(_ group: RepositoryDraft, _ byName: [RepositoryName: RepositoryDraft]) -> [RepositoryName] {
        var found: [RepositoryName] = []
        var seen: Set<RepositoryName> = [group.name]
        var rest = Array(group.members.map(\.value).reversed())
        while let name = rest.popLast() {
            guard seen.insert(name).inserted else { continue }
            found.append(name)
            rest += (byName[name]?.members ?? []).map(\.value).reversed()
        }
        return found
    }

    /// Each circle is reported once, at the group of it that stands first in the file.
    private func checkCircles(_ drafts: [RepositoryDraft], _ byName: [RepositoryName: RepositoryDraft]) {
        var reported: Set<RepositoryName> = []
        for draft in drafts where !reported.contains(draft.name) {
            guard let circle = self.circle(from: draft.name, byName) else { continue }
            reported.formUnion(circle)
            let way = (circle + [draft.name]).map(\.text).joined(separator: " → ")
            let key = draft.section.keyPath("members")
            let place = draft.members.first { $0.value == (circle.count > 1 ? circle[1] : draft.name) }?.position
            self.findings.error(place ?? draft.section.position, key, "the group contains itself: \(way)")
        }
    }

    /// The shortest way from a group back to it.
    private func circle(from start: RepositoryName, _ byName: [RepositoryName: RepositoryDraft]) -> [RepositoryName]? {
        var visited: Set<RepositoryName> = []
        var ways: [[RepositoryName]] = [[start]]
        while !ways.isEmpty {
            let way = ways.removeFirst()
            for member in way.last.flatMap({ byName[$0] })?.members ?? [] {
                if member.value == start { return way }
                if visited.insert(member.value).inserted { ways.append(way + [member.value]) }
            }
        }
        return nil
    }
}
