import ArtifactModel
import FoundationEssentials

/// What a manifest's `dist` says that its tarball hashes to: `integrity` as in W3C's Subresource Integrity, and `shasum`.
struct Integrity: Hashable, Sendable {
    private(set) var sha512: [ContentDigest] = []
    private(set) var sha256: [ContentDigest] = []
    private(set) var sha1: [ContentDigest] = []
    /// Whether something is said that cannot be checked: no hash, or one of a kind that is not computed.
    private(set) var isUncheckable = false

    init(_ dist: JSONValue?) {
        if let text = dist?["shasum"]?.string, !text.isEmpty {
            do { self.sha1.append(try ContentDigest("sha1:\(text.lowercased())")) } catch { self.isUncheckable = true }
        }
        for part in (dist?["integrity"]?.string ?? "").split(whereSeparator: { $0.isWhitespace }) { self.add(part) }
    }

    private mutating func add(_ part: Substring) {
        let sides = part.prefix { $0 != "?" }.split(separator: "-", maxSplits: 1)
        let algorithm: ContentDigest.Algorithm? =
            switch sides.first?.lowercased() {
            case "sha512": .sha512
            case "sha256": .sha256
            case "sha1": .sha1
            default: nil
            }
        guard let algorithm, sides.count == 2, let bytes = Data(base64Encoded: String(sides[1])), let digest = ContentDigest(algorithm, bytes) else {
            self.isUncheckable = true
            return
        }
        switch algorithm {
        case .sha512: self.sha512.append(digest)
        case .sha256: self.sha256.append(digest)
        case .sha1, .md5: self.sha1.append(digest)
        }
    }

    /// What a tarball is checked with: of the strongest kind that there is, any will do. Empty: nothing that could be checked is said.
    var strongest: [ContentDigest] { [self.sha512, self.sha256, self.sha1].first { !$0.isEmpty } ?? [] }

    /// Whether something is said, and nothing of it can be checked.
    var isHopeless: Bool { self.isUncheckable && self.strongest.isEmpty }

    /// Whether these are the hashes of what is meant.
    func admits(_ digests: [ContentDigest]) -> Bool {
        [self.sha512, self.sha256, self.sha1].allSatisfy { claimed in
            guard let first = claimed.first else { return true }
            return digests.first(first.algorithm).map { claimed.contains($0) } ?? false
        }
    }
}
