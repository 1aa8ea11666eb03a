import ArtifactModel
import StorageAPI

extension BlockingPool {
    /// Runs `work` on the pool and keeps the type of its error.
    func perform<T: Sendable>(_ work: @escaping @Sendable () throws(BlobStoreError) -> T) async throws(BlobStoreError) -> T {
        do {
            return try await self.run(work)
        } catch let error as BlobStoreError {
            throw error
        } catch {
            throw BlobStoreError(.cancelled, "the pool is shut down", cause: error)
        }
    }
}
