import ArtifactModel
import FoundationEssentials

/// What a manifest's `dist` says that its tarball hashes to: `integrity` as in W3C's Subresource Integrity, and `shasum`.
struct Integrity: Hashable, Sendable {
    private(set) var sha512: [ContentDigest] = []
    private(set) var sha1: ContentDigest?
    /// Whether something is said that is no hash.
    private(set) var isMalformed = false

    init(_ dist: JSONValue?) {
        if let text = dist?["shasum"]?.string {
            do { self.sha1 = try ContentDigest("sha1:\(text.lowercased())") } catch { self.isMalformed = true }
        }
        for part in (dist?["integrity"]?.string ?? "").split(separator: " ") {
            let sides = part.prefix { $0 != "?" }.split(separator: "-", maxSplits: 1)
            guard sides.count == 2, let bytes = Data(base64Encoded: String(sides[1])) else {
                self.isMalformed = true
                continue
            }
            switch sides[0].lowercased() {
            case "sha512": if let digest = ContentDigest(.sha512, bytes) { self.sha512.append(digest) } else { self.isMalformed = true }
            case "sha1": if let digest = ContentDigest(.sha1, bytes) { self.sha1 = self.sha1 ?? digest } else { self.isMalformed = true }
            // Others are allowed, and not looked at.
            default: continue
            }
        }
    }

    /// What a tarball is checked with: where there is a strong hash, a weak one adds nothing.
    var strongest: [ContentDigest] { self.sha512.first.map { [$0] } ?? self.sha1.map { [$0] } ?? [] }

    /// Whether these are the hashes of what is meant.
    func admits(_ digests: [ContentDigest]) -> Bool {
        if self.isMalformed { return false }
        if let sha1, digests.first(.sha1) != sha1 { return false }
        guard let computed = digests.first(.sha512) else { return self.sha512.isEmpty }
        // Of several of one kind any will do.
        return self.sha512.isEmpty || self.sha512.contains(computed)
    }
}
