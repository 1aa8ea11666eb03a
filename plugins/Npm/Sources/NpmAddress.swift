import FormatAPI
import HTTPTypes

/// An address of a registry, in every spelling that clients use: `@s/p`, `@s%2fp` and `@s%2Fp` are one name.
struct NpmAddress {
    enum Place: Hashable, Sendable {
        case root
        case package(NpmName)
        case revision(NpmName, String)
        case version(NpmName, String)
        case tarball(NpmName, file: String)
        /// Behind another registry's path.
        case foreignTarball(NpmName, file: String)
        case tarballRevision(NpmName, file: String, String)
        case tags(NpmName)
        case tag(NpmName, String)
        case access(NpmName, String)
        case attestations(String)
        /// Below `/-/`, whole.
        case fixed([String])
        case user(String)
        case userToken(String)
        case tokens
        case token(String)
        case packagesOf(String)
    }
    let place: Place

    /// - Throws: `.invalidRequest` where a package's name is none, `.notFound` for what is no address.
    init(_ path: [String]) throws(FormatError) {
        var path = path
        if path.last == "" { path.removeLast() }
        guard let first = path.first else {
            self.place = .root
            return
        }
        self.place = first == "-" ? try Self.fixed(Array(path.dropFirst())) : try Self.package(path)
    }

    /// The name that the path begins with, and what follows it.
    private static func name(_ path: [String]) throws(FormatError) -> (name: NpmName, rest: [String]) {
        guard let first = path.first else { throw Self.nothing }
        guard first.hasPrefix("@"), !first.contains("/"), path.count > 1 else { return (try NpmName(first), Array(path.dropFirst())) }
        return (try NpmName("\(first)/\(path[1])"), Array(path.dropFirst(2)))
    }

    private static func package(_ path: [String]) throws(FormatError) -> Place {
        let (name, rest) = try Self.name(path)
        switch (rest.count, rest.first) {
        case (0, _): return .package(name)
        case (2, "-rev"): return .revision(name, rest[1])
        case (1, let version?): return .version(name, version)
        case (2, "-"): return .tarball(name, file: rest[1])
        // The scope once more before the file, as some registries write it.
        case (3, "-") where rest[1] == name.scope: return .tarball(name, file: rest[2])
        case (4, "-") where rest[2] == "-rev": return .tarballRevision(name, file: rest[1], rest[3])
        default: return try Self.foreignTarball(path)
        }
    }

    /// A lockfile that was written against another registry has that one's path in it, which npm's `replace-registry-host` puts behind ours:
    /// `/repository/other/hello/-/hello-1.0.0.tgz`. It is sent to where the tarball is here, so that rules which speak of paths see one.
    private static func foreignTarball(_ path: [String]) throws(FormatError) -> Place {
        guard let dash = path.lastIndex(of: "-"), dash == path.count - 2, dash > 0 else { throw Self.nothing }
        let isScoped = dash > 1 && path[dash - 2].hasPrefix("@") && !path[dash - 2].contains("/")
        return .foreignTarball(try NpmName(isScoped ? "\(path[dash - 2])/\(path[dash - 1])" : path[dash - 1]), file: path[dash + 1])
    }

    private static func fixed(_ path: [String]) throws(FormatError) -> Place {
        switch path.first {
        case "package" where path.count >= 3:
            let (name, rest) = try Self.name(Array(path.dropFirst()))
            if rest.first == "dist-tags" { return rest.count == 1 ? .tags(name) : try Self.one(rest) { .tag(name, $0) } }
            guard rest.count == 1 else { throw Self.nothing }
            return .access(name, rest[0])
        case "user":
            if path.count == 3, path[1] == "token" { return .userToken(path[2]) }
            if path.count == 3, path[2] == "package" { return .packagesOf(path[1]) }
            guard path.count == 2 || (path.count == 4 && path[2] == "-rev") else { throw Self.nothing }
            return .user(path[1])
        case "org" where path.count == 3 && path[2] == "package": return .packagesOf(path[1])
        case "npm" where path.dropFirst().starts(with: ["v1", "tokens"]):
            if path.count == 3 { return .tokens }
            guard path.count == 5, path[3] == "token" else { throw Self.nothing }
            return .token(path[4])
        case "npm" where path.dropFirst().starts(with: ["v1", "attestations"]) && path.count > 3: return .attestations(path[3...].joined(separator: "/"))
        default: return .fixed(path)
        }
    }

    private static func one(_ rest: [String], _ place: (String) -> Place) throws(FormatError) -> Place {
        guard rest.count == 2, !rest[1].isEmpty else { throw Self.nothing }
        return place(rest[1])
    }

    static let nothing = FormatError(.notFound, "a registry of packages has nothing at this address")

    var methods: [HTTPRequest.Method] {
        switch self.place {
        case .root, .version, .tarball, .foreignTarball, .attestations, .packagesOf, .tags: [.get, .head]
        case .package: [.get, .head, .put]
        case .revision: [.put, .delete]
        case .tarballRevision, .userToken, .token: [.delete]
        case .tag: [.put, .post, .delete]
        case .access(_, let question): question == "access" ? [.get, .head, .post] : [.get, .head]
        case .user: [.get, .head, .put]
        case .tokens: [.get, .head, .post]
        case .fixed(let path):
            switch path {
            case ["npm", "v1", "security", "advisories", "bulk"], ["npm", "v1", "security", "audits"], ["npm", "v1", "security", "audits", "quick"]: [.post]
            default: [.get, .head]
            }
        }
    }
}
