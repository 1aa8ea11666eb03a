import ArtifactModel

/// How an image lies in a repository:
///
///     <image>/manifests/<digest>     an asset of the component (image, digest); the digest is the one it was pushed by
///     <image>/blobs/<digest>         an asset without a component: what links the blob to the image
///     pointer «tag»                  a tag's name → the digest of its manifest
extension ImageName {
    var package: PackageName { PackageName(name: self.text) }
    func manifest(_ digest: ContentDigest) -> AssetPath { AssetPath(checked: "\(self.text)/manifests/\(digest)") }
    func blob(_ digest: ContentDigest) -> AssetPath { AssetPath(checked: "\(self.text)/blobs/\(digest)") }
    func coordinates(_ digest: ContentDigest) -> Coordinates { Coordinates(package: self.package, version: digest.description) }
    func pointer(_ tag: Tag) -> PointerName { PointerName(package: self.package, kind: OCIFormat.tagKind, name: tag.text) }
}
