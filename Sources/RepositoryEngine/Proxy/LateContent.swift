import ArtifactModel
import FormatAPI
import Synchronization

/// Content that is opened where its first byte is asked for.
final class LateContent: ContentSource {
    let length: Int64?
    private let open: @Sendable () async throws -> any ContentSource
    private let opened = Mutex<(any ContentSource)?>(nil)

    /// - Parameter open: may be called more than once, by readers at one time.
    init(length: Int64?, open: @escaping @Sendable () async throws -> any ContentSource) {
        self.length = length
        self.open = open
    }

    func next(at offset: Int64, limit: Int64) async throws -> ContentPiece? {
        if let source = self.opened.withLock({ $0 }) { return try await source.next(at: offset, limit: limit) }
        let source = try await self.open()
        self.opened.withLock { $0 = $0 ?? source }
        return try await source.next(at: offset, limit: limit)
    }
}
