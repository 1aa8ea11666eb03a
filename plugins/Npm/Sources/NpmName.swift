import ArtifactModel
import FormatAPI

/// A package's name, with its scope or without: `hello`, `@acme/hello`.
///
/// Read as registries have had them since 2010: capitals and `~'!()*` occur in old ones. `isPublishable` says what a new one may be. All of it
/// is ASCII that stands in a path and in JSON as it is.
struct NpmName: Hashable, Sendable, CustomStringConvertible {
    /// In bytes, the scope and its slash among them.
    static let longest = 214

    /// With its `@`; empty: none.
    let scope: String
    /// What comes after the scope.
    let name: String

    /// - Parameter text: `hello` or `@acme/hello`, percent-decoded.
    /// - Throws: `.invalidRequest`.
    init(_ text: String) throws(FormatError) {
        let parts = text.split(separator: "/", omittingEmptySubsequences: false)
        let isScoped = text.utf8.first == UInt8(ascii: "@")
        let scope = isScoped ? parts[0].dropFirst() : ""
        guard text.utf8.count <= Self.longest, parts.count == (isScoped ? 2 : 1), let name = parts.last, Self.isPlain(name), !Self.isReserved(name),
            isScoped ? Self.isPlain(scope) : name.utf8.first != UInt8(ascii: "_"), name.utf8.first != UInt8(ascii: ".")
        else {
            throw FormatError(
                .invalidRequest,
                "«\(text.prefix(Self.longest))» is not a package's name: at most \(Self.longest) letters, digits and -._, not beginning with a dot or an underscore"
            )
        }
        self.scope = isScoped ? String(parts[0]) : ""
        self.name = String(name)
    }

    /// What tarballs are called by.
    var base: String { self.name }
    var text: String { self.scope.isEmpty ? self.name : "\(self.scope)/\(self.name)" }
    /// As clients write it in an address: one segment.
    var encoded: String { self.scope.isEmpty ? self.name : "\(self.scope)%2f\(self.name)" }
    var package: PackageName { PackageName(namespace: self.scope, name: self.name) }
    var description: String { self.text }

    /// Whether a package may be published under it that is not there yet. Names of Node's own modules are allowed: half of them are packages too.
    var isPublishable: Bool {
        let isModern = self.text.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "@"), UInt8(ascii: "/"): true
            default: byte.isASCIILetterOrDigit && !(UInt8(ascii: "A")...UInt8(ascii: "Z")).contains(byte)
            }
        }
        let first = self.name.utf8.first
        return isModern && first != UInt8(ascii: "_") && first != UInt8(ascii: "-")
    }

    /// Neither the folder that packages are installed to, nor what browsers ask for, nor the first segment of the registry's own addresses.
    private static func isReserved(_ name: Substring) -> Bool { ["node_modules", "favicon.ico", "-"].contains(name.lowercased()) }

    /// What `encodeURIComponent` leaves as it is.
    private static func isPlain(_ text: Substring) -> Bool {
        !text.isEmpty
            && text.utf8.allSatisfy { byte in
                switch byte {
                case UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."), UInt8(ascii: "!"), UInt8(ascii: "~"), UInt8(ascii: "*"): true
                case UInt8(ascii: "'"), UInt8(ascii: "("), UInt8(ascii: ")"): true
                default: byte.isASCIILetterOrDigit
                }
            }
    }
}

extension NpmName {
    /// Where a version's tarball is, and its address below the repository's: the same on every registry of ours, whatever the upstream has.
    func tarballPath(_ version: NpmVersion) -> String { "\(self.text)/-/\(self.base)-\(version.text).tgz" }

    /// Where a version's attestations are, below the repository's address.
    func attestationsPath(_ version: NpmVersion) -> String { "-/npm/v1/attestations/\(self.encoded)@\(version.text)" }

    /// The version that a tarball's name has in it: `hello-1.0.0.tgz` of `@acme/hello`, for which some write `@acme/hello-1.0.0.tgz`. nil: it is no tarball of
    /// this package.
    func version(inFile file: String) -> NpmVersion? {
        let bare = !self.scope.isEmpty && file.hasPrefix(self.scope + "/") ? file.dropFirst(self.scope.count + 1) : file[...]
        guard bare.hasPrefix(self.base + "-"), bare.hasSuffix(".tgz") else { return nil }
        return NpmVersion(bytes: bare.utf8.dropFirst(self.base.utf8.count + 1).dropLast(4))
    }
}
