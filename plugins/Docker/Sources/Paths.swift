public import ArtifactModel

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

extension OCIFormat {
    /// The image.
    public static func name(at path: AssetPath) -> String {
        path.text.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/")
    }

    /// A linked blob is a part of its image, used while a manifest names it: as config, layer, child or subject.
    public static func part(at path: AssetPath) -> Part? {
        let segments = path.text.split(separator: "/", omittingEmptySubsequences: false)
        guard segments.count >= 3, segments[segments.count - 2] == "blobs" else { return nil }
        do {
            let image = try ImageName(segments.dropLast(2).map(String.init))
            return Part(of: image.package, target: try ContentDigest(image: String(segments[segments.count - 1])).description)
        } catch {
            // No path of this format's making: not to be touched.
            return nil
        }
    }

    public static func path(of part: Part) -> AssetPath? {
        do {
            return try ImageName(part.package.name).blob(try ContentDigest(image: part.target))
        } catch {
            // An edge that names no blob.
            return nil
        }
    }

    public static var containing: [String] { ["child"] }

    public static func unusedPartAge(_ settings: OCISettings) -> Duration? { settings.unusedBlobAge.duration }
}
