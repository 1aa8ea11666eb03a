import ArtifactModel
import StorageAPI

/// Where the file store keeps what:
///
/// ```
/// <root>/sha256/9f/86/9f86d0…  a blob, final, mode 0444; two levels of 256 folders, made when first needed
/// <root>/uploads/<32 hex>      bytes that are arriving
/// <root>/quarantine/<64 hex>   bytes that are not what their name says; made when first needed, never served
/// ```
struct BlobFolders: Sendable {
    let root: String

    var parent: String {
        let cut = self.root.lastIndex(of: "/").map { self.root[..<$0] } ?? "."
        return cut.isEmpty ? "/" : String(cut)
    }

    var blobs: String { "\(self.root)/sha256" }
    var uploads: String { "\(self.root)/uploads" }

    var quarantine: String { "\(self.root)/quarantine" }

    func upload(_ id: UploadID) -> String { "\(self.uploads)/\(id.text)" }

    func place(of digest: ContentDigest) -> Place { Place(blobs: self.blobs, hex: digest.hex) }

    struct Place {
        let outer: String
        let inner: String
        let file: String

        init(blobs: String, hex: String) {
            self.outer = "\(blobs)/\(hex.prefix(2))"
            self.inner = "\(self.outer)/\(hex.dropFirst(2).prefix(2))"
            self.file = "\(self.inner)/\(hex)"
        }
    }
}
