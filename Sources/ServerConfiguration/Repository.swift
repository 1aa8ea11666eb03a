public import AccessControl
public import ArtifactModel

extension Configuration {
    /// One repository, checked.
    public struct Repository: Sendable {
        public enum Kind: Hashable, Sendable {
            case hosted(Hosted)
            case proxy(Proxy)
            case group(Group)
        }

        public struct Hosted: Hashable, Sendable { public var writePolicy: WritePolicy }

        public struct Proxy: Hashable, Sendable {
            /// The canonical one first, then its mirrors.
            public var remotes: [WebAddress]
            /// Places in `remotes` of mirrors that are asked only for bytes whose digest is known.
            public var digestsOnly: Set<Int>
            /// Put before a name of one segment when the upstream is asked, as `library` at Docker Hub; nil: the format's default.
            public var officialPrefix: String?
            public var authentication: Authentication?
            /// Hosts that get the credentials beside the remote's own, such as a token service's.
            public var trustedHosts: [HostName]
            public var cache: Cache
            public var limits: Limits
        }

        /// One entry of `remote`.
        struct Mirror: Hashable, Sendable {
            enum Trust: String, Hashable, Sendable, CaseIterable { case all, digestsOnly }
            var address: WebAddress
            var digestsOnly: Bool
        }

        /// Not printable: its description leaves the secret out.
        public enum Authentication: Hashable, Sendable, CustomStringConvertible, CustomDebugStringConvertible {
            case basic(username: String, password: String)
            case token(String)
            public var description: String {
                switch self {
                case .basic(let username, _): "basic(\(username), ***)"
                case .token: "token(***)"
                }
            }
            public var debugDescription: String { self.description }
        }

        public struct Cache: Hashable, Sendable {
            public var maxAge: Duration
            public var negativeMaxAge: Duration
            public var revalidateDeadline: Duration
            public var staleOnError: Bool
            /// nil: however old.
            public var maxStale: Duration?
            /// In bytes; nil: no bound.
            public var maxSize: Int64?
            /// Of names and listings that the upstream has no more.
            public var goneDocuments: Gone
            /// Of files that never change.
            public var goneImmutable: Gone
            /// Tags that never move: once known they are not asked for again. With a `:` a pattern is matched with `image:tag`.
            public var fixedTags: [Glob]

            /// What becomes of a copy whose original was deleted upstream.
            public enum Gone: String, Hashable, Sendable, CaseIterable {
                case keep
                /// It is let go of.
                case honour
            }
        }

        /// Of what is asked of the upstream.
        public struct Limits: Hashable, Sendable {
            /// Open at one time; more requests wait.
            public var connections: Int
            /// In bytes per second; nil: no bound.
            public var bandwidth: Int64?
            /// Without a byte; there is no total bound.
            public var idleTimeout: Duration
            public var connectTimeout: Duration
        }

        public struct Group: Hashable, Sendable {
            public enum OnMemberError: String, Hashable, Sendable, CaseIterable { case fail, skip }
            /// Asked in this order; they exist, are of the same format, and lead to no circle.
            public var members: [RepositoryName]
            /// A hosted member.
            public var writeTo: RepositoryName?
            public var onMemberError: OnMemberError
            public enum Merge: String, Hashable, Sendable, CaseIterable { case hosted, union }
            /// Who adds to a name that a hosted member holds: of formats where that is a question.
            public var merge: Merge
        }

        public var name: RepositoryName
        /// The format's id, whichever spelling the file has.
        public var format: String
        public var kind: Kind
        /// Exists in `Configuration.blobStores`.
        public var blobStore: String
        /// Names that are asked of this repository only, in every group.
        public var owns: [Glob]
        public var host: HostName?
        public var listen: ListenAddress?
        public var mirror: Bool
        public var routingRule: String?
        /// The format's `Settings`.
        public var settings: any Sendable
        /// Of its name in the file.
        public var position: Position
        /// One line of JSON with every key and default, in a fixed order, secrets as `***`: what the metadata keeps and compares.
        public var json: String
        /// Where `listen` stands.
        var listenPosition: Position?

        public var role: Role {
            switch self.kind {
            case .hosted: .hosted
            case .proxy: .proxy
            case .group: .group
            }
        }
    }
}
