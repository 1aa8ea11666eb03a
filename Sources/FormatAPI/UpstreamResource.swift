public import HTTPTypes
public import NIOCore

/// What an upstream is asked for.
public struct UpstreamResource: Hashable, Sendable {
    public enum Location: Hashable, Sendable {
        /// `<remote>/<path>`: percent-encoded, without a leading slash, with a query where one is meant.
        case below(String)
        /// `<host>/<root>/<path of the remote>/<name>/<rest>`: of registries whose API is at a fixed root and whose names come after it. A
        /// name of one part has `officialPrefix` put before it.
        case named(root: String, name: String, rest: String)
        /// As a document at `<remote>/` names it, relative to itself or from its host's root: `charts/a.tgz`, `../a.tgz`, `/files/a.tgz`. RFC 3986, 5. Never another host.
        case reference(String)
        /// At a host that a document named without a scheme, as addresses of images and charts are written: by the remote's own. Guarded like `.absolute`.
        case elsewhere(host: String, path: String)
        /// What an upstream's own document named: goes through the guard of outbound connections, and bears no credentials to strangers.
        case absolute(String)
    }
    public var location: Location
    /// The media types that the client of the format would ask for.
    public var accept: [String]
    /// Headers of the answer that are kept as the asset's attributes, under their names in lower case.
    public var keep: [HTTPField.Name]
    /// Whether the upstream may send it compressed: documents. It is kept as it is without that.
    public var mayBeCompressed: Bool
    /// Whether a web page is a right answer: in the place of anything else it is what a portal or a page to sign in at says, under status 200.
    public var mayBePage: Bool
    /// Of a registry elsewhere: what is asked for there, so that a token which anybody is given is asked for where the host wants one; nil: it is not.
    public var tokenSpace: String?

    public init(_ location: Location, accept: [String] = [], keep: [HTTPField.Name] = [], mayBeCompressed: Bool = false, mayBePage: Bool = true) {
        self.mayBeCompressed = mayBeCompressed
        self.mayBePage = mayBePage
        self.location = location
        self.accept = accept
        self.keep = keep
    }
}

/// A question to the upstream whose answer is passed on and not kept.
public struct UpstreamCall: Sendable {
    public var resource: UpstreamResource
    /// Of the answer's body, in bytes.
    public var limit: Int
    /// nil: GET.
    public var post: Post?

    /// A question that is too long for an address. It must change nothing there: it may be asked twice.
    public struct Post: Hashable, Sendable {
        public var contentType: String
        public var body: ByteBuffer
        public init(contentType: String, body: ByteBuffer) {
            self.contentType = contentType
            self.body = body
        }
    }

    public init(_ resource: UpstreamResource, limit: Int = 8 << 20, post: Post? = nil) {
        self.post = post
        self.resource = resource
        self.limit = limit
    }
}

/// 200, and what came with it.
public struct UpstreamReply: Sendable {
    public var headers: HTTPFields
    public var body: ByteBuffer
    public init(headers: HTTPFields, body: ByteBuffer) {
        self.headers = headers
        self.body = body
    }
}
