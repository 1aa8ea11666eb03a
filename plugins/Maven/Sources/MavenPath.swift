import ArtifactModel
import FormatAPI

/// An address in the layout of a Maven 2 repository: <https://maven.apache.org/repositories/layout.html>.
struct MavenPath: Hashable, Sendable {
    enum Kind: Hashable, Sendable {
        case artifact(MavenArtifact)
        /// The `maven-metadata.xml` of this folder: of a group, an artifact, a snapshot version, or of two of these.
        case metadata(folder: [String])
        case archetypes
        /// Anything else at a path, as sites and build tools with a layout of their own put it.
        case file
        case folder
    }

    /// Of what is meant: a checksum's is that of its file. nil: the root.
    let asset: AssetPath?
    let kind: Kind
    /// The address is that of the file's checksum.
    let checksum: ContentDigest.Algorithm?

    static let metadataFile = "maven-metadata.xml"
    static let archetypesFile = "archetype-catalog.xml"
    static let algorithms: [(suffix: String, algorithm: ContentDigest.Algorithm)] = [
        (".sha1", .sha1), (".md5", .md5), (".sha256", .sha256), (".sha512", .sha512),
    ]

    /// - Throws: `.invalidRequest` for what is no path.
    init(_ segments: [String]) throws(FormatError) {
        var segments = segments
        let isFolder = segments.isEmpty || segments.last == ""
        if isFolder, !segments.isEmpty { segments.removeLast() }
        guard var file = segments.last, !isFolder else {
            self.asset = segments.isEmpty ? nil : try Self.path(segments)
            self.kind = .folder
            self.checksum = nil
            return
        }
        let found = Self.algorithms.first { file.hasSuffix($0.suffix) && file.utf8.count > $0.suffix.utf8.count }
        self.checksum = found?.algorithm
        if let found { file = String(file.dropLast(found.suffix.count)) }
        segments[segments.count - 1] = file
        self.asset = try Self.path(segments)
        self.kind = Self.kind(segments, file)
    }

    private static func path(_ segments: [String]) throws(FormatError) -> AssetPath {
        do { return try AssetPath(segments) } catch { throw FormatError(.invalidRequest, error.description) }
    }

    private static func kind(_ segments: [String], _ file: String) -> Kind {
        if file == self.metadataFile, segments.count > 1 { return .metadata(folder: Array(segments.dropLast())) }
        if file == self.archetypesFile, segments.count == 1 { return .archetypes }
        return MavenArtifact(segments).map { .artifact($0) } ?? .file
    }

    /// What a right may be on as well: metadata of a group, which may be an artifact's too, is below the group; a version is its artifact's.
    var alternative: String? {
        switch self.kind {
        case .metadata(let folder): folder.joined(separator: "/") + "/" + Self.metadataFile
        case .folder: self.asset.map { $0.text.split(separator: "/").dropLast().joined(separator: "/") }
        case .artifact, .archetypes, .file: nil
        }
    }

    /// What grants speak of: group and artifact, as a path; the path itself for what is in no such place.
    var subject: String {
        switch self.kind {
        case .artifact(let artifact): artifact.folder.joined(separator: "/")
        case .metadata(let folder):
            (folder.last.map(MavenVersion.isSnapshot) == true && folder.count > 2 ? folder.dropLast() : folder[...]).joined(separator: "/")
        case .archetypes, .file, .folder: self.asset?.text ?? ""
        }
    }
}

/// One file of one version: `com/acme/app/1.0/app-1.0-sources.jar`.
struct MavenArtifact: Hashable, Sendable {
    let groupID: String
    let artifactID: String
    /// Of the artifact, with all its versions in it: the group's words and the artifact.
    let folder: [String]
    /// As the folder has it: `1.0`, `1.0-SNAPSHOT`.
    let baseVersion: String
    /// As the file has it: `1.0-20261128.010203-4`.
    let version: String
    /// Empty: none.
    let classifier: String
    /// With all its dots: `tar.gz`, `jar.asc`.
    let fileExtension: String

    /// nil: the last two folders and the file's name do not fit together.
    init?(_ segments: [String]) {
        // A group's dots are slashes here; what has a dot in a folder's name would be taken for another group's.
        guard segments.count >= 4, segments.dropLast(3).allSatisfy({ !$0.utf8.contains(UInt8(ascii: ".")) }) else { return nil }
        let (artifact, base, file) = (segments[segments.count - 3], segments[segments.count - 2], segments[segments.count - 1])
        guard file.hasPrefix(artifact + "-") else { return nil }
        let rest = file.dropFirst(artifact.count + 1)
        guard let version = Self.version(rest, base) else { return nil }
        let tail = rest.dropFirst(version.count)
        guard let parts = Self.parts(tail) else { return nil }
        self.groupID = segments.dropLast(3).joined(separator: ".")
        self.artifactID = artifact
        self.folder = Array(segments.dropLast(2))
        self.baseVersion = base
        self.version = version
        (self.classifier, self.fileExtension) = parts
    }

    /// The version that the file's name begins with: the folder's, or the folder's with a time and a number in the place of `SNAPSHOT`.
    private static func version(_ rest: Substring, _ base: String) -> String? {
        if rest.hasPrefix(base), let next = rest.dropFirst(base.count).first, next == "." || next == "-" { return base }
        guard MavenVersion.isSnapshot(base) else { return nil }
        let stem = base.dropLast("SNAPSHOT".count)
        guard rest.hasPrefix(stem) else { return nil }
        let stamp = rest.dropFirst(stem.count).utf8
        // yyyyMMdd.HHmmss-N
        let shape = Array(stamp.prefix(16))
        guard shape.count == 16, shape[8] == UInt8(ascii: "."), shape[15] == UInt8(ascii: "-") else { return nil }
        guard shape.enumerated().allSatisfy({ $0.offset == 8 || $0.offset == 15 || (0x30...0x39).contains($0.element) }) else { return nil }
        let number = stamp.dropFirst(16).prefix { (0x30...0x39).contains($0) }
        guard !number.isEmpty, number.count < 10, let next = stamp.dropFirst(16 + number.count).first, next == UInt8(ascii: ".") || next == UInt8(ascii: "-")
        else { return nil }
        return stem + String(decoding: shape, as: UTF8.self) + String(decoding: number, as: UTF8.self)
    }

    private static let compound = ["tar.gz", "tar.bz2", "tar.xz", "tar.zst", "cpio.gz"]

    /// `-sources.jar`, `.tar.gz.asc`
    private static func parts(_ tail: Substring) -> (classifier: String, fileExtension: String)? {
        guard let first = tail.first else { return nil }
        var rest = tail.dropFirst()
        let isSigned = rest.hasSuffix(".asc")
        if isSigned { rest = rest.dropLast(4) }
        let signature = isSigned ? ".asc" : ""
        if first == "." { return rest.isEmpty ? nil : ("", rest + signature) }
        if let ending = Self.compound.first(where: { rest.hasSuffix("." + $0) }) {
            let classifier = rest.dropLast(ending.count + 1)
            return classifier.isEmpty ? nil : (String(classifier), ending + signature)
        }
        guard let dot = rest.lastIndex(of: "."), dot > rest.startIndex, rest.index(after: dot) < rest.endIndex else { return nil }
        return (String(rest[..<dot]), rest[rest.index(after: dot)...] + signature)
    }

    /// Every way to cut the end of the file's name into a classifier and an extension: both may have dots, and only who deployed it knows.
    var readings: [(classifier: String, fileExtension: String)] {
        guard !self.classifier.isEmpty else { return [(self.classifier, self.fileExtension)] }
        let tail = "\(self.classifier).\(self.fileExtension)"
        return tail.indices.filter { tail[$0] == "." && $0 > tail.startIndex && tail.index(after: $0) < tail.endIndex }.map {
            (String(tail[..<$0]), String(tail[tail.index(after: $0)...]))
        }
    }

    var isSnapshot: Bool { MavenVersion.isSnapshot(self.baseVersion) }
    var isSignature: Bool { self.fileExtension.hasSuffix(".asc") }
    /// `20261128.010203-4`; nil: it is no build of a snapshot.
    var build: String? { self.version == self.baseVersion ? nil : String(self.version.dropFirst(self.baseVersion.count - "SNAPSHOT".count)) }
    var coordinates: Coordinates { Coordinates(package: PackageName(namespace: self.groupID, name: self.artifactID), version: self.baseVersion) }
    /// `com.acme:app:1.0`
    var text: String { "\(self.groupID):\(self.artifactID):\(self.baseVersion)" }
}
