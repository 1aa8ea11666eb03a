import HTTPTypes
import RepositoryEngine

/// The admin page's cookie: of the pages and the API alone. No script reads it, no other site's request brings it, and repositories never
/// look at it: what they serve may be anybody's HTML.
struct SessionCookie {
    /// `https` roots: the browser takes it from nobody else, and sends it nowhere else.
    private let isSecure: Bool

    init(_ request: IncomingRequest) { self.isSecure = request.origin.hasPrefix("https://") }

    private var name: String { self.isSecure ? "__Host-entrepot" : "entrepot" }

    /// The first of its name.
    func value(in headers: HTTPFields) -> String? {
        for header in headers[values: .cookie] {
            for pair in header.split(separator: ";") {
                let sides = pair.drop { $0 == " " }.split(separator: "=", maxSplits: 1)
                if sides.count == 2, sides[0] == self.name { return String(sides[1]) }
            }
        }
        return nil
    }

    func setting(_ value: String) -> String { "\(self.name)=\(value); Path=/; HttpOnly; SameSite=Lax" + (self.isSecure ? "; Secure" : "") }
    var ending: String { self.setting("") + "; Max-Age=0" }
}

extension IncomingRequest {
    /// Whether a browser says that a page of ours sent this. SameSite keeps other sites' forms from bringing the cookie; this keeps out
    /// sites that share our name, and forms that would sign somebody in as somebody else.
    /// - Parameter byDefault: where neither header is there: no browser, or a very old one.
    func comesFromOurPages(byDefault: Bool) -> Bool {
        if let site = self.headers[.secFetchSite] { return site == "same-origin" || site == "none" }
        return self.headers[.origin].map { $0 == self.origin } ?? byDefault
    }
}
