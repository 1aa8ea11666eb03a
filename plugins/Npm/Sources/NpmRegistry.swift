public import ArtifactModel
public import FormatAPI
import HTTPTypes

/// A registry of npm packages, as npm, yarn, bun, deno and pnpm ask it.
public struct NpmRegistry: RepositoryFormat {
    public typealias Operation = NpmOperation

    public static let id = "npm"
    public static let idleFields = ["npm-", "pacote-"]
    /// What was published stays what it was.
    public static let writePolicy = WritePolicy.allowOnce

    public init() {}

    public static func name(at path: AssetPath) -> String {
        for form in Packument.Key.Form.allCases {
            let folder = ".packuments/\(form.rawValue)/"
            if path.text.hasPrefix(folder) { return String(path.text.dropFirst(folder.count)) }
        }
        return path.text.firstRange(of: "/-/").map { String(path.text[..<$0.lowerBound]) } ?? path.text
    }

    public static func exclusivePackage(_ name: String) -> PackageName? {
        do { return try NpmName(name).package } catch { return nil }
    }

    public static func signsIn(_ head: RequestHead) -> Bool {
        do {
            if case .user = try NpmAddress(head.path).place { return head.method == .put }
            return false
        } catch {
            return false
        }
    }

    /// - Throws: `.methodNotAllowed`; `.notFound` for what is no address, `.invalidRequest` for names and versions that are none.
    public func parse(_ head: RequestHead) throws(FormatError) -> NpmOperation {
        let address = try NpmAddress(head.path)
        guard address.methods.contains(head.method) else {
            throw FormatError(.methodNotAllowed, "this address takes \(address.methods.map(\.rawValue).joined(separator: ", "))")
        }
        return NpmOperation(try Self.kind(address.place, head))
    }

    private static func kind(_ place: NpmAddress.Place, _ head: RequestHead) throws(FormatError) -> NpmOperation.Kind {
        switch place {
        case .root: return .root
        case .package(let name):
            if head.method == .put { return .publish(name) }
            if head.query("write") == "true" { return .packumentToWrite(name) }
            return .packument(name, Self.form(head.headers))
        case .revision(let name, let text):
            let revision = try Revision(text)
            return head.method == .put ? .change(name, revision: revision) : .removePackage(name, revision: revision)
        case .version(let name, let version): return .manifest(name, version)
        case .tarball(let name, let file): return .tarball(name, try Self.version(of: file, name))
        case .foreignTarball(let name, let file): return .moved(name, try Self.version(of: file, name))
        case .tarballRevision(let name, let file, let revision):
            return .removeTarball(name, try Self.version(of: file, name), revision: try Revision(revision))
        case .tags(let name): return .tags(name)
        case .tag(let name, let tag): return head.method == .delete ? .removeTag(name, tag) : .setTag(name, try Self.tag(tag))
        case .access(let name, let question): return .access(name, try Self.question(question, head.method))
        case .attestations(let text): return try Self.attestations(text)
        case .user(let id): return try Self.user(id, head.method)
        case .userToken(let token): return .signOut(token: token)
        case .tokens: return head.method == .post ? .makeToken : .tokens
        case .token(let key): return .revokeToken(key)
        case .packagesOf(let owner): return .packages(of: owner)
        case .fixed(let path): return try Self.fixed(path, head)
        }
    }

    private static func fixed(_ path: [String], _ head: RequestHead) throws(FormatError) -> NpmOperation.Kind {
        switch path {
        case ["ping"]: return .ping
        case ["whoami"]: return .whoami
        case ["v1", "search"]: return .search(SearchQuery(head))
        case ["npm", "v1", "security", "advisories", "bulk"]: return .advisories
        case ["npm", "v1", "security", "audits"], ["npm", "v1", "security", "audits", "quick"]: return .quickAudit
        case ["npm", "v1", "keys"]: return .keys
        case ["npm", "v1", "user"]: return .profile
        default: throw NpmAddress.nothing
        }
    }

    /// Who can read the short form says so; everybody else gets all there is.
    private static func form(_ headers: HTTPFields) -> Packument.Key.Form {
        headers[values: .accept].contains { $0.lowercased().contains(Packument.abbreviatedType) } ? .abbreviated : .full
    }

    private static func version(of file: String, _ name: NpmName) throws(FormatError) -> NpmVersion {
        guard let version = name.version(inFile: file) else {
            throw FormatError(.notFound, "\(name) has no file «\(file.prefix(300))»: its tarballs are called \(name.base)-<version>.tgz")
        }
        return version
    }

    /// A tag that reads like a version could never be asked for.
    static func tag(_ text: String) throws(FormatError) -> String {
        guard (1...100).contains(text.utf8.count), NpmVersion(bytes: text.utf8) == nil,
            text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: "/") })
        else { throw FormatError(.invalidRequest, "«\(text.prefix(100))» is not a dist-tag: 1 to 100 printable characters that are no version") }
        return text
    }

    private static func question(_ text: String, _ method: HTTPRequest.Method) throws(FormatError) -> NpmOperation.AccessQuestion {
        switch text {
        case "collaborators": return .collaborators
        case "visibility": return .visibility
        case "access": return method == .post ? .change : .visibility
        default: throw NpmAddress.nothing
        }
    }

    /// `@acme/hello@1.0.0`
    private static func attestations(_ text: String) throws(FormatError) -> NpmOperation.Kind {
        guard let at = text.dropFirst().lastIndex(of: "@") else { throw NpmAddress.nothing }
        return .attestations(try NpmName(String(text[..<at])), try NpmVersion(String(text[text.index(after: at)...])))
    }

    private static func user(_ id: String, _ method: HTTPRequest.Method) throws(FormatError) -> NpmOperation.Kind {
        let prefix = "org.couchdb.user:"
        guard id.hasPrefix(prefix), id.count > prefix.count else { throw NpmAddress.nothing }
        let name = String(id.dropFirst(prefix.count))
        return method == .put ? .signIn(name) : .user(name)
    }
}
