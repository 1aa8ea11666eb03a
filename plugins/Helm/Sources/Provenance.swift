import ArtifactModel
import FormatAPI
import NIOCore

/// A provenance file: a message signed by OpenPGP that has a chart's `Chart.yaml` and the SHA-256 of its archive in it.
/// <https://helm.sh/docs/topics/provenance/>. Signatures are checked by who has the keys, and not here.
struct Provenance: Hashable, Sendable {
    /// In bytes.
    static let longest: Int64 = 1 << 20

    /// Of the archive that it is of.
    let file: String
    /// nil: not by SHA-256.
    let digest: ContentDigest?

    /// - Throws: `.invalidRequest` for what is none.
    init(_ bytes: ByteBuffer) throws(FormatError) {
        guard let text = bytes.getString(at: bytes.readerIndex, length: bytes.readableBytes), text.hasPrefix("-----BEGIN PGP SIGNED MESSAGE-----"),
            text.contains("-----BEGIN PGP SIGNATURE-----")
        else { throw FormatError(.invalidRequest, "this is not a provenance file: it is no signed message") }
        // `files:`, then `  name-version.tgz: sha256:…`, as the last of it.
        let lines = text.split(whereSeparator: \.isNewline)
        guard let place = lines.firstIndex(of: "files:"), place + 1 < lines.count else {
            throw FormatError(.invalidRequest, "this is not a provenance file: it names no files")
        }
        let words = lines[place + 1].split(separator: ":", maxSplits: 1).map { $0.drop { $0 == " " } }
        guard words.count == 2, let file = ChartFile(String(words[0])), !file.isProvenance else {
            throw FormatError(.invalidRequest, "this is not a provenance file: what it names is no chart's archive")
        }
        self.file = file.text
        do { self.digest = try ContentDigest(String(words[1])) } catch { self.digest = nil }
    }

    /// - Throws: `.digestMismatch`.
    func check(_ digests: [ContentDigest]) throws(FormatError) {
        guard let digest, !digests.contains(digest) else { return }
        throw FormatError(.digestMismatch, "the provenance is of another «\(self.file)»: that hashes to \(digest); nothing was kept")
    }
}
