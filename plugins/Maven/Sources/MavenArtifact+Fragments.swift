import ArtifactModel
import FormatAPI

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
    static func moment(_ time: Timestamp) -> String { String(time.isoText.filter(\.isNumber).prefix(14)) }
}
