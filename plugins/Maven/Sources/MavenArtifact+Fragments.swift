import ArtifactModel

extension MavenArtifact {
    /// What the file adds to the metadata of its artifact, and of its version where that is a snapshot.
    func fragments(at now: Timestamp) -> [Fragment] {
        let document = MavenMetadata.identifier(self.folder.joined(separator: "/"))
        let fragments = [
            Fragment(of: document, section: MavenSection.versions, name: self.baseVersion, bytes: []),
            Fragment(of: document, section: MavenSection.updated, name: self.baseVersion, sortKey: Array(Self.moment(now).utf8), bytes: []),
        ]
        return fragments + self.fileFragments
    }

    /// None: no build of a snapshot. One for each way to read its name: a client looks for the one that it means.
    var fileFragments: [Fragment] {
        guard let build = self.build else { return [] }
        return self.readings.map { classifier, fileExtension in
            Fragment(
                of: MavenMetadata.identifier((self.folder + [self.baseVersion]).joined(separator: "/")), section: MavenSection.files,
                name: "\(classifier):\(fileExtension)/\(build)", sortKey: Array(build.utf8), bytes: [])
        }
    }

    func fragment(of plugin: PluginDescriptor) -> Fragment {
        Fragment(
            of: MavenMetadata.identifier(self.folder.dropLast().joined(separator: "/")), section: MavenSection.plugins,
            name: self.pluginName,
            sortKey: Array([plugin.prefix, self.artifactID, plugin.name].map { $0.replacing("\n", with: " ") }.joined(separator: "\n").utf8), bytes: [])
    }

    /// Of the plugin's entry in its group's metadata.
    var pluginName: String { "\(self.artifactID)/\(self.baseVersion)" }

    /// Whether it is the version's own file of this kind.
    func isMain(of fileExtension: String) -> Bool { self.fileExtension == fileExtension && self.classifier.isEmpty }

    func fragment(ofArchetype description: String) -> Fragment {
        let (name, sortKey) = MavenArchetypes.entry(self.groupID, self.artifactID, self.baseVersion, description)
        return Fragment(of: MavenArchetypes.identifier(.init()), section: MavenArchetypes.section, name: name, sortKey: sortKey, bytes: [])
    }

    /// UTC, as `lastUpdated` has it: `20261128010203`.
    static func moment(_ time: Timestamp) -> String {
        let seconds = time.milliseconds >= 0 ? time.milliseconds / 1000 : 0
        let (days, rest) = (seconds / 86400, seconds % 86400)
        // Days to a date, by eras of 400 years that begin in March.
        let shifted = days + 719_468
        let era = shifted / 146_097
        let day = shifted - era * 146_097
        let year = (day - day / 1460 + day / 36524 - day / 146_096) / 365
        let ofYear = day - (365 * year + year / 4 - year / 100)
        let month = (5 * ofYear + 2) / 153
        let parts = [
            (year + era * 400 + (month >= 10 ? 1 : 0), 4), (month < 10 ? month + 3 : month - 9, 2), (ofYear - (153 * month + 2) / 5 + 1, 2), (rest / 3600, 2),
            (rest / 60 % 60, 2), (rest % 60, 2),
        ]
        return parts.map { value, digits in
            let text = String(value)
            return String(repeating: "0", count: max(0, digits - text.utf8.count)) + text
        }.joined()
    }
}
