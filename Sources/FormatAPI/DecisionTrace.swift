public import ArtifactModel
import Synchronization

/// Why a request is answered as it is: what each repository was asked, and what it said. Kept for a request that asks for it, which is then a dry run:
/// nothing is fetched, kept, forgotten or counted for it.
public final class DecisionTrace: Sendable {
    public struct Step: Hashable, Sendable {
        public var repository: RepositoryName
        /// In the product's words, for people.
        public var question: String
        public var answer: String
    }

    private static let most = 500
    private let all = Mutex<[Step]>([])

    public init() {}

    /// As far as it went; of those beyond 500 nothing is known.
    public var steps: [Step] { self.all.withLock { $0 } }

    public func add(_ repository: RepositoryName, _ question: String, _ answer: String) {
        self.all.withLock { steps in
            if steps.count < Self.most { steps.append(Step(repository: repository, question: question, answer: answer)) }
        }
    }
}

extension UpstreamResource {
    /// Its address for people: without a query and without credentials.
    public var shown: String {
        let text =
            switch self.location {
            case .below(let path), .reference(let path): path
            case .named(let root, let name, let rest): "\(root)/\(name)/\(rest)"
            case .elsewhere(let host, let path): "//\(host)\(path)"
            case .absolute(let url): url
            }
        let bare = text.prefix { $0 != "?" && $0 != "#" }
        guard case .absolute = self.location, let scheme = bare.firstRange(of: "://") else { return String(bare) }
        let authority = bare[scheme.upperBound...].prefix { $0 != "/" }
        guard let at = authority.lastIndex(of: "@") else { return String(bare) }
        return String(bare[..<scheme.upperBound]) + bare[bare.index(after: at)...]
    }
}
