public import ArtifactModel

/// A right that no repository grant includes. As text `system:users`.
public enum SystemRight: String, Hashable, Sendable, CaseIterable { case users, audit, metrics, config, tasks }

/// What a role allows. As text `action:repository-glob[:path-glob]` or `system:right`; see the contract, «Grants».
///
/// Without a path-glob the grant holds for the repository as a whole and for every path in it. With one it holds for the paths that
/// match, and not for what concerns the whole repository (an `Access` without a path), unless the glob is `**`.
public enum Grant: Hashable, Sendable, CustomStringConvertible {
    case repository(Action, repository: Glob, path: Glob?)
    case system(SystemRight)

    /// What `init` accepts, for messages.
    public static let rule =
        "\(Action.allCases.map(\.rawValue).joined(separator: "|")):repository-glob[:path-glob] or system:\(SystemRight.allCases.map(\.rawValue).joined(separator: "|"))"

    public init(_ text: String) throws(InvalidName) {
        let parts = text.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false).map(String.init)
        if parts[0] == "system", parts.count == 2, let right = SystemRight(rawValue: parts[1]) {
            self = .system(right)
            return
        }
        guard parts.count >= 2, let action = Action(rawValue: parts[0]), !parts[1].contains("/") else {
            throw InvalidName(kind: "grant", text: text, rule: Self.rule)
        }
        self = .repository(action, repository: try Self.glob(parts[1], of: text), path: parts.count == 3 ? try Self.glob(parts[2], of: text) : nil)
    }

    public var description: String {
        switch self {
        case .repository(let action, let repository, let path): "\(action.rawValue):\(repository)" + (path.map { ":\($0)" } ?? "")
        case .system(let right): "system:\(right.rawValue)"
        }
    }

    /// Whether this grant alone gives the access.
    /// - Parameter repository: the one the request is for; where the access names another, that one counts.
    public func covers(_ access: Access, of repository: RepositoryName) -> Bool {
        guard case .repository(let action, let names, let paths) = self, action == access.action else { return false }
        guard names.matches((access.repository ?? repository).text) else { return false }
        guard let paths else { return true }
        guard access.path != nil else { return paths.text == "**" }
        return access.paths.contains { path in
            switch access.extent {
            case .exact: paths.matches(path)
            case .below: paths.mayMatch(beginningWith: path)
            }
        }
    }

    private static func glob(_ pattern: String, of text: String) throws(InvalidName) -> Glob {
        do {
            return try Glob(pattern)
        } catch {
            throw InvalidName(kind: "grant", text: text, rule: Self.rule)
        }
    }
}
