import FormatAPI
import HTTPTypes
import NIOCore

/// A page of our own: plain HTML with its style in it, which nothing may frame and no script runs on.
struct Page {
    var title: String
    /// HTML, what comes from outside escaped.
    var body: String
    var status = HTTPResponse.Status.ok

    func response(nonce: String) -> ArtifactResponse {
        let html = """
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
            <title>\(Markup.escaped(self.title)) · Entrepot</title><style nonce="\(nonce)">\(Self.style)</style></head>
            <body><main><h1>\(Markup.escaped(self.title))</h1>
            \(self.body)
            </main></body></html>

            """
        var headers: HTTPFields = [.contentType: "text/html; charset=utf-8", .cacheControl: "no-store"]
        headers[.contentSecurityPolicy] = "default-src 'none'; style-src 'nonce-\(nonce)'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        headers[.referrerPolicy] = "same-origin"
        return ArtifactResponse(self.status, headers: headers, body: .bytes(ByteBuffer(string: html)))
    }

    private static let style = """
        body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f6f7f9;color:#1c2430}\
        main{max-width:34rem;margin:10vh auto;padding:2rem;background:#fff;border:1px solid #d9dee5;border-radius:8px}\
        h1{font-size:1.4rem;margin:0 0 1rem}label{display:block;margin:.8rem 0 .2rem}\
        input{font:inherit;width:100%;box-sizing:border-box;padding:.5rem;border:1px solid #b6bfca;border-radius:5px}\
        button{font:inherit;margin-top:1.2rem;padding:.5rem 1.2rem;border:0;border-radius:5px;background:#1d5fa8;color:#fff;cursor:pointer}\
        .note{color:#9c1c1c}code{background:#eef1f5;padding:.1rem .3rem;border-radius:3px}
        """
}

extension HTTPField.Name {
    static let referrerPolicy = Self.known("Referrer-Policy")
    static let secFetchSite = Self.known("Sec-Fetch-Site")
}
