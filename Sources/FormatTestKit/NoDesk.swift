import ArtifactModel
public import RepositoryEngine
public import StorageAPI

/// Gives the same token to everyone, and has none.
public struct NoDesk: TokenDesk {
    public init() {}

    public func tokens(ownedBy owner: String) async throws -> [TokenRecord] { [] }

    public func makeToken(_ name: String, for owner: String, grants: [String], lifetime: String?) async throws -> (text: String, token: TokenRecord) {
        let record = TokenRecord(
            id: 1, owner: owner, name: name, hash: [], grants: grants, created: Timestamp(milliseconds: 0), createdBy: owner, expires: nil)
        return ("entrepot_new", record)
    }

    public func revokeToken(_ id: Int64, of owner: String) async throws -> Bool { false }
}
