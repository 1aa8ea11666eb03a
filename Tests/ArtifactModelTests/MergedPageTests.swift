import ArtifactModel
import Testing

@Suite("Merged pages")
struct MergedPageTests {
    private func part(_ names: String..., covered: String? = nil) throws -> MergedPart {
        // A name that ends in a slash is a folder's.
        MergedPart(
            try names.map { name in
                let isFolder = name.hasSuffix("/")
                let digest = try ContentDigest("sha256:" + String(repeating: "a", count: 64))
                return ContentRow(
                    name: isFolder ? String(name.dropLast()) : name, digest: isFolder ? nil : digest, updated: Timestamp(milliseconds: 0))
            }, covered: covered)
    }

    private func names(_ page: ContentPage) -> [String] { page.rows.map { $0.digest == nil ? "\($0.name)/" : $0.name } }

    @Test("names are in byte order, each once")
    func order() throws {
        let page = ContentPage.merged([try self.part("a", "c", "é"), try self.part("B", "a", "z"), try self.part()], limit: 10)
        #expect(self.names(page) == ["B", "a", "c", "z", "é"])
        #expect(!page.more)
    }

    @Test("a page ends at its limit, and says that more follow")
    func limit() throws {
        let page = ContentPage.merged([try self.part("a", "c"), try self.part("b", "c")], limit: 2)
        #expect(self.names(page) == ["a", "b"])
        #expect(page.more)
        #expect(!ContentPage.merged([try self.part("a", "c"), try self.part("b", "c")], limit: 3).more)
    }

    @Test("nothing is told from beyond the end of a list that goes on: it may have names before that")
    func covered() throws {
        let page = ContentPage.merged([try self.part("a", "c", covered: "c"), try self.part("b", "d", "x")], limit: 10)
        #expect(self.names(page) == ["a", "b", "c"])
        #expect(page.more)
        let hidden = ContentPage.merged([try self.part(covered: "c"), try self.part("d")], limit: 10)
        #expect(hidden.rows.isEmpty && hidden.more)
    }

    @Test("a file and a folder of one name are two rows of one page, the file first, whoever has them")
    func folders() throws {
        let page = ContentPage.merged([try self.part("a/", "b/"), try self.part("a", "b", "c")], limit: 2)
        #expect(self.names(page) == ["a", "a/", "b", "b/"])
        #expect(page.more)
    }
}
