import StorageAPI
import Synchronization

/// Which folders of blobs have been synced into their parents by this process, so that each is once.
///
/// Not left to whoever made a folder: another seal may find it made and not synced yet, and must not promise durability then.
final class DurableFolders: Sendable {
    private let known = Mutex<Set<String>>([])

    /// After the rename: syncs the blob's own folder, and those above it that this process has not synced yet.
    func sync(_ place: BlobFolders.Place, below blobs: String) throws(BlobStoreError) {
        try FileSystem.syncFolder(place.inner)
        if self.known.withLock({ $0.contains(place.inner) }) { return }
        try FileSystem.syncFolder(place.outer)
        try FileSystem.syncFolder(blobs)
        self.known.withLock { _ = $0.insert(place.inner) }
    }
}
