import ArtifactModel
import FormatAPI

/// What one version adds to the packuments of a hosted package: its manifest in both forms, when it was published, and what the document shows at its
/// top while `latest` names it.
struct ManifestFragments: Sendable {
    /// Of the tarball, as it was received.
    struct Digests: Sendable {
        /// In lower-case hex.
        var sha1: String
        /// In base64, without `sha512-` before it.
        var sha512: String
    }

    let fragments: [Fragment]
    /// Why it is not to be used, where it came with that. It is the package's to remember, and in no fragment.
    let deprecated: String?
    /// What lists show of a package whose `latest` this is: `PackageAttributes.latest`.
    let summary: JSONValue

    /// - Parameter manifest: of the version, as the client sent it.
    /// - Throws: `.invalidRequest` where it is another one's, or no manifest.
    init(
        _ manifest: JSONValue, _ package: NpmName, _ version: NpmVersion, _ digests: Digests, published: Timestamp
    ) throws(FormatError) {
        guard let members = manifest.members else { throw FormatError(.invalidRequest, "the manifest of \(package) \(version) is not a JSON object") }
        guard manifest["name"]?.string == package.text, manifest["version"]?.string == version.text else {
            throw FormatError(.invalidRequest, "the manifest says another name or version than «\(package)@\(version)», under which it was sent")
        }
        let maker = Maker(package: package, version: version, dist: Self.dist(manifest["dist"], digests), time: published.isoText)
        let full = Self.full(members, package, version)
        var fragments: [Fragment] = []
        for (form, members) in [(Packument.Key.Form.full, full), (.abbreviated, Self.abbreviated(manifest))] {
            fragments.append(maker.version(members, in: form))
            fragments.append(maker.moment(in: form))
        }
        let head = members.filter { Self.shownAtTop.contains($0.key) }
        if !head.isEmpty { fragments.append(maker.head(head)) }
        self.fragments = fragments
        self.deprecated = Self.reason(manifest["deprecated"])
        self.summary = Self.summary(manifest, version, published.isoText)
    }

    // MARK: Which members

    /// What a packument shows of `latest`. The README is there alone: in each version it would be most of the document.
    private static let shownAtTop: Set<String> = [
        "description", "readme", "readmeFilename", "homepage", "repository", "bugs", "license", "keywords", "author", "contributors",
    ]

    /// As npm's registry documents the abbreviated form («Package Metadata»), and what newer clients choose by or show: `libc`, `funding`,
    /// `peerDependenciesMeta`, `acceptDependencies`.
    private static let inAbbreviated: Set<String> = [
        "name", "version", "dependencies", "optionalDependencies", "devDependencies", "bundleDependencies", "bundledDependencies", "peerDependencies",
        "peerDependenciesMeta", "bin", "directories", "engines", "cpu", "os", "libc", "funding", "acceptDependencies", "_hasShrinkwrap",
    ]

    private static func full(_ members: [JSONValue.Member], _ package: NpmName, _ version: NpmVersion) -> [JSONValue.Member] {
        let left = members.filter { !["dist", "deprecated", "readme", "_id", "_attachments"].contains($0.key) }
        return left + [JSONValue.Member("_id", .string("\(package)@\(version)"))]
    }

    private static func abbreviated(_ manifest: JSONValue) -> [JSONValue.Member] {
        let members = (manifest.members ?? []).filter { Self.inAbbreviated.contains($0.key) }
        let runs = (manifest["scripts"]?.members ?? []).contains { ["preinstall", "install", "postinstall"].contains($0.key) }
        return runs ? members + [JSONValue.Member("hasInstallScript", .bool(true))] : members
    }

    /// What the client says of the tarball's bytes is not taken: neither their digests, nor who signed them, nor where they are.
    private static func dist(_ sent: JSONValue?, _ digests: Digests) -> [JSONValue.Member] {
        let kept = (sent?.members ?? []).filter { ["fileCount", "unpackedSize"].contains($0.key) && ($0.value.integer ?? -1) >= 0 }
        return [JSONValue.Member("integrity", .string("sha512-\(digests.sha512)")), JSONValue.Member("shasum", .string(digests.sha1))] + kept
    }

    /// - Returns: nil: it may be used. `npm deprecate` takes a word back by an empty one.
    static func reason(_ deprecated: JSONValue?) -> String? {
        switch deprecated {
        case .string(let reason): reason.isEmpty ? nil : reason
        case .bool(true): "this version is deprecated"
        default: nil
        }
    }

    /// - Parameter time: as `Timestamp.isoText` has it.
    static func summary(_ manifest: JSONValue, _ version: NpmVersion, _ time: String) -> JSONValue {
        let shown = ["description", "keywords", "author"].compactMap { key in manifest[key].map { JSONValue.Member(key, $0) } }
        return .object(shown + [JSONValue.Member("version", .string(version.text)), JSONValue.Member("date", .string(time))])
    }
}

/// Writes the fragments of one version.
private struct Maker {
    let package: NpmName
    let version: NpmVersion
    /// Without the tarball's address.
    let dist: [JSONValue.Member]
    let time: String

    /// The manifest, with `dist` last in it and a slot for the tarball's address last in that.
    func version(_ members: [JSONValue.Member], in form: Packument.Key.Form) -> Fragment {
        var bytes = Array("{".utf8)
        JSONValue.write(members, to: &bytes)
        bytes += Array(#","dist":{"#.utf8)
        JSONValue.write(self.dist, to: &bytes)
        bytes += Array(#","tarball":""#.utf8)
        let place = Int64(bytes.count)
        bytes += Array(#""}}"#.utf8)
        let slot = DocumentSlot(place..<place, path: self.package.tarballPath(self.version))
        return Fragment(of: self.document(form), section: "versions", name: self.version.text, sortKey: self.version.sortKey, bytes: bytes, slots: [slot])
    }

    func moment(in form: Packument.Key.Form) -> Fragment {
        Fragment(of: self.document(form), section: "time", name: self.version.text, sortKey: Array(self.time.utf8), bytes: JSONValue.quoted(self.time))
    }

    func head(_ members: [JSONValue.Member]) -> Fragment {
        var bytes: [UInt8] = []
        JSONValue.write(members, to: &bytes)
        return Fragment(of: self.document(.full), section: "head", name: self.version.text, bytes: bytes)
    }

    private func document(_ form: Packument.Key.Form) -> DocumentID { Packument.identifier(Packument.Key(package: self.package, form: form)) }
}
