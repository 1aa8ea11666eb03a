import FormatAPI
public import StorageAPI

/// Where tokens are made and ended.
public protocol TokenDesk: Sendable {
    func tokens(ownedBy owner: String) async throws -> [TokenRecord]
    /// - Throws: `FormatError` with what is wrong: `.invalidRequest`, `.conflict`.
    func makeToken(_ name: String, for owner: String, grants: [String], lifetime: String?) async throws -> (text: String, token: TokenRecord)
    /// - Returns: false: the owner has no such token.
    func revokeToken(_ id: Int64, of owner: String) async throws -> Bool
}
