public import ArtifactModel

/// Which assets stand in no component, and which of them nothing names.
public protocol PartLedger: Sendable {
    /// Looks at the next `limit` assets after `path`, in byte order, and gives those that are in no component and were linked or renewed
    /// before `moment`.
    func loose(in repository: RepositoryID, after path: String, before moment: Timestamp, limit: Int) async throws(MetadataError) -> LooseSlice
    /// Those that no edge of their package names, in their order. What is committed meanwhile is not seen: an edit that relies on the answer
    /// requires `.unnamed`.
    func unnamed(_ parts: [LoosePart], in repository: RepositoryID) async throws(MetadataError) -> [LoosePart]
}

public struct LooseSlice: Hashable, Sendable {
    public var paths: [AssetPath]
    /// Where the next slice begins; nil: that was the last.
    public var next: String?
    public init(paths: [AssetPath], next: String?) {
        self.paths = paths
        self.next = next
    }
}

/// An asset and what its format says it is a part of.
public struct LoosePart: Hashable, Sendable {
    public var path: AssetPath
    public var part: Part
    public init(_ path: AssetPath, _ part: Part) {
        self.path = path
        self.part = part
    }
}
