import ArtifactModel

extension FolderListing {
    /// A page without scripts. Every name is escaped: who may upload chooses them.
    var html: String {
        let title = Markup.escaped("\(self.repository)\(self.path)")
        var out = """
            <!DOCTYPE html>
            <html lang="en">
            <head><meta charset="utf-8"><title>\(title)</title></head>
            <body>
            <h1>\(title)</h1>
            <table>
            <tr><th>Name</th><th>Size in bytes</th><th>Changed (UTC)</th></tr>

            """
        if self.folder != nil { out += "<tr><td><a href=\"\(Markup.escaped(self.parent))\">../</a></td><td></td><td></td></tr>\n" }
        for row in self.rows { out += self.line(row) }
        out += "</table>\n"
        if let next = self.next { out += "<p><a rel=\"next\" href=\"\(Markup.escaped(next))\">more</a></p>\n" }
        return out + "</body>\n</html>\n"
    }

    private func line(_ row: ContentRow) -> String {
        let slash = row.digest == nil ? "/" : ""
        let link = Markup.escaped(self.base + PercentEncoding.path(row.name) + slash)
        let size = row.digest == nil ? "" : "\(row.size)"
        let time = row.digest == nil ? "" : Self.moment(row.updated).prefix(16).replacing("T", with: " ")
        return "<tr><td><a href=\"\(link)\">\(Markup.escaped(row.name))\(slash)</a></td><td>\(size)</td><td>\(time)</td></tr>\n"
    }

    /// The folder above: `base` without its last segment.
    private var parent: String {
        let path = self.base.dropLast()
        return path.lastIndex(of: "/").map { String(path[...$0]) } ?? "/"
    }
}
