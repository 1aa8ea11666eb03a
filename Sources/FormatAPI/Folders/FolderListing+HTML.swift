import ArtifactModel

extension FolderListing {
    /// A page without scripts. Every name is escaped: who may upload chooses them.
    var html: String {
        let title = Self.escaped("\(self.repository)\(self.path)")
        var out = """
            <!DOCTYPE html>
            <html lang="en">
            <head><meta charset="utf-8"><title>\(title)</title></head>
            <body>
            <h1>\(title)</h1>
            <table>
            <tr><th>Name</th><th>Size in bytes</th><th>Changed (UTC)</th></tr>

            """
        if self.folder != nil { out += "<tr><td><a href=\"\(Self.escaped(self.parent))\">../</a></td><td></td><td></td></tr>\n" }
        for row in self.rows { out += self.line(row) }
        out += "</table>\n"
        if let next = self.next { out += "<p><a rel=\"next\" href=\"\(Self.escaped(next))\">more</a></p>\n" }
        return out + "</body>\n</html>\n"
    }

    private func line(_ row: ContentRow) -> String {
        let slash = row.digest == nil ? "/" : ""
        let link = Self.escaped(self.base + PercentEncoding.path(row.name) + slash)
        let size = row.digest == nil ? "" : "\(row.size)"
        let time = row.digest == nil ? "" : Self.moment(row.updated).prefix(16).replacing("T", with: " ")
        return "<tr><td><a href=\"\(link)\">\(Self.escaped(row.name))\(slash)</a></td><td>\(size)</td><td>\(time)</td></tr>\n"
    }

    /// The folder above: `base` without its last segment.
    private var parent: String {
        let path = self.base.dropLast()
        return path.lastIndex(of: "/").map { String(path[...$0]) } ?? "/"
    }

    static func escaped(_ text: String) -> String {
        var out = ""
        for scalar in text.unicodeScalars {
            switch scalar {
            case "&": out += "&amp;"
            case "<": out += "&lt;"
            case ">": out += "&gt;"
            case "\"": out += "&quot;"
            case "'": out += "&#39;"
            default: out.unicodeScalars.append(scalar)
            }
        }
        return out
    }
}
