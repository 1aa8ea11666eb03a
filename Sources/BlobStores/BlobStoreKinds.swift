public import ArtifactModel
public import StorageAPI

/// The kinds of blob stores that there are. Another is one file and one line in `all`.
public struct BlobStoreKind: Sendable {
    /// As in `type:` of the configuration.
    public let name: String
    /// The parameters it needs, all texts.
    public let parameters: Set<String>
    private let make: @Sendable (BlobStoreSetting) async throws(BlobStoreError) -> any BlobStore

    public static let all: [BlobStoreKind] = [.file, .memory]

    public static func named(_ name: String) -> BlobStoreKind? { self.all.first { $0.name == name } }

    /// - Throws: `.unavailable` where a parameter is missing; what opening it throws.
    public func open(_ setting: BlobStoreSetting) async throws(BlobStoreError) -> any BlobStore { try await self.make(setting) }

    private static let file = BlobStoreKind(name: "file", parameters: ["path"]) { setting throws(BlobStoreError) in
        try await FileBlobStore(root: try setting.text("path"), pool: setting.pool)
    }

    private static let memory = BlobStoreKind(name: "memory", parameters: []) { setting throws(BlobStoreError) in
        MemoryBlobStore(clock: setting.clock)
    }
}

/// What a store is made from.
public struct BlobStoreSetting: Sendable {
    public var parameters: [String: String]
    public var pool: any BlockingPool
    public var clock: WallClock
    public init(parameters: [String: String], pool: any BlockingPool, clock: @escaping WallClock) {
        self.parameters = parameters
        self.pool = pool
        self.clock = clock
    }

    func text(_ name: String) throws(BlobStoreError) -> String {
        guard let text = self.parameters[name] else { throw BlobStoreError(.unavailable, "the blob store needs «\(name)»") }
        return text
    }
}
