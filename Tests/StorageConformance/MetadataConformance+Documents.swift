import ArtifactModel
import StorageAPI

extension MetadataFixture {
    fileprivate func fragment(_ document: String, _ name: String, _ text: String, section: String = "versions", slots: [DocumentSlot] = []) -> Fragment {
        Fragment(of: DocumentID("list", document), section: section, name: name, sortKey: [1], bytes: Array(text.utf8), slots: slots)
    }

    /// A version with what it adds to documents.
    fileprivate func publish(_ version: String, _ fragments: [Fragment], into repository: RepositoryID? = nil) async throws {
        let asset = try await self.asset("p/\(version)", version)
        let coordinates = Coordinates(package: PackageName(name: "p"), version: version)
        try await self.commit([.put(Component(coordinates, assets: [asset], fragments: fragments))], into: repository)
    }

    fileprivate func generations(_ documents: String..., in repository: RepositoryID? = nil) async throws -> [Int64] {
        try await self.metadata.generations(of: documents.map { DocumentPlace(repository ?? self.repository, DocumentID("list", $0)) })
    }

    /// `section/name=bytes` of a document, by pages of two.
    fileprivate func shown(_ document: String) async throws -> [String] {
        let place = DocumentPlace(self.repository, DocumentID("list", document))
        var all: [StoredFragment] = []
        while true {
            let page = try await self.metadata.fragments(of: place, after: all.last, limit: 2)
            all += page
            guard page.count == 2 else { break }
        }
        let bytes = try await self.metadata.bytes(ofFragments: all.map(\.number))
        return zip(all, bytes).map { "\($0.section)/\($0.name)=\(String(decoding: $1 ?? [], as: UTF8.self))" }
    }
}

extension MetadataConformance {
    static let documents: [Case] = [
        Case("a component grows file by file: what it has stays, what comes again of one path or name is replaced, and all goes with it") { f in
            let coordinates = Coordinates(package: PackageName(name: "p"), version: "1")
            func extend(_ path: String, _ text: String, attributes: String = "{}", _ fragments: [Fragment], policy: WritePolicy = .allow) async throws {
                let component = Component(coordinates, attributes: attributes, assets: [try await f.asset(path, text)], fragments: fragments)
                try await f.commit([.extend(component, .byPolicy)], policy: policy)
            }
            try await extend("p/1/a", "a", attributes: #"{"x":1}"#, [f.fragment("p", "1", "one"), f.fragment("files", "a", "a")])
            try await extend("p/1/b", "b", attributes: #"{"y":2}"#, [f.fragment("p", "1", "again"), f.fragment("files", "b", "b")])
            try demandEqual(try await f.shown("p") + f.shown("files"), ["versions/1=again", "versions/a=a", "versions/b=b"])
            let rows = try await f.metadata.rows(ContentQuery(.components(coordinates.package), limit: 10), in: f.repository).rows
            let first = try await f.metadata.asset(at: AssetPath(checked: "p/1/a"), in: f.repository)
            try demandEqual(rows.map(\.attributes), [#"{"x":1,"y":2}"#])
            try demandEqual(rows.map(\.digest), [first?.digests.first])
            let before = try await f.generations("files", "p")
            try await f.commit([.removeFragment(DocumentID("list", "files"), section: "versions", name: "a")])
            try demandEqual(try await f.shown("files"), ["versions/b=b"])
            try demandEqual(try await f.generations("files", "p"), [before[0] + 1, before[1]])
            try await f.commit([.remove(coordinates)])
            try demandEqual(try await f.shown("p") + f.shown("files"), [])
            for path in ["p/1/a", "p/1/b"] { try demand(try await f.metadata.asset(at: AssetPath(checked: path), in: f.repository) == nil, "\(path) goes too") }
        },
        Case("what components add to a document is in it, by section and name, in pages; what they replace or take along is not") { f in
            try await f.publish("2", [f.fragment("p", "2", "two"), f.fragment("p", "2", "then", section: "time")])
            try await f.publish("10", [f.fragment("p", "10", "ten"), f.fragment("all", "p", "ten")])
            try await f.publish("é", [f.fragment("p", "é", "accent")])
            try demandEqual(try await f.shown("p"), ["time/2=then", "versions/10=ten", "versions/2=two", "versions/é=accent"])
            try await f.publish("2", [f.fragment("p", "2", "again")])
            try demandEqual(try await f.shown("p"), ["versions/10=ten", "versions/2=again", "versions/é=accent"])
            try await f.publish("11", [f.fragment("all", "p", "eleven")])
            try demandEqual(try await f.shown("all"), ["versions/p=eleven"])
            try await f.commit([.remove(Coordinates(package: PackageName(name: "p"), version: "2"))])
            try demandEqual(try await f.shown("p"), ["versions/10=ten", "versions/é=accent"])
        },
        Case("an edit that was made for one generation of a document is refused at another") { f in
            let document = DocumentID("list", "p")
            let pointer = Edit.Change.point(PointerName(package: PackageName(name: "p"), kind: "tag", name: "t"), to: "1", .always)
            func commit(_ generation: Int64) async throws(MetadataError) {
                let edit = Edit(requiring: [.generation(document, generation)], [pointer], touching: [document])
                try await f.metadata.commit(RepositoryEdit(repository: f.repository, store: f.store, edit: edit, now: f.now))
            }
            try await commit(0)
            try await f.refused(.refused(.requirement(0))) { () throws(MetadataError) in try await commit(0) }
            try await commit(1)
            try demandEqual(try await f.generations("p"), [2])
        },
        Case("a patch changes what it names of a package's attributes, and leaves the rest") { f in
            let package = PackageName(name: "p")
            func attributes() async throws -> String {
                try await f.metadata.rows(ContentQuery(.package(package), limit: 1), in: f.repository).rows.first?.attributes ?? "none"
            }
            try await f.commit([.patchPackage(package, with: #"{"a":1,"b":{"x":null,"y":"z"}}"#)])
            try demandEqual(try await attributes(), #"{"a":1,"b":{"y":"z"}}"#)
            try await f.commit([.patchPackage(package, with: #"{"a":null,"b":{"w":[1,2]}}"#)])
            try demandEqual(try await attributes(), #"{"b":{"y":"z","w":[1,2]}}"#)
        },
        Case("a document's generation grows with what it shows, and with nothing else") { f in
            try demandEqual(try await f.generations("p", "all"), [0, 0])
            try await f.publish("1", [f.fragment("p", "1", "one"), f.fragment("all", "p", "one")])
            let first = try await f.generations("p", "all")
            try demand(first.allSatisfy { $0 > 0 }, "a publish is seen")
            try await f.publish("2", [f.fragment("p", "2", "two")])
            let second = try await f.generations("p", "all")
            try demand(second[0] > first[0] && second[1] == first[1], "only the document that it is in: \(first) \(second)")
            try await f.put("elsewhere", "x")
            try await f.publish("3", [])
            try demandEqual(try await f.generations("p", "all"), second)
            try await f.publish("1", [f.fragment("p", "1", "one")])
            let third = try await f.generations("p", "all")
            try demand(third[0] > second[0] && third[1] > second[1], "what it is in no more shows something else, too")
            try await f.commit([.remove(Coordinates(package: PackageName(name: "p"), version: "2"))])
            try demand(try await f.generations("p")[0] > third[0], "a removal is seen")
            try demandEqual(try await f.generations("p", "all", in: f.other), [0, 0])
        },
        Case("a commit that is refused leaves a document and its generation as they were") { f in
            try await f.publish("1", [f.fragment("p", "1", "one")])
            let before = try await f.generations("p")
            let missing = Coordinates(package: PackageName(name: "p"), version: "9")
            let one = Component(
                Coordinates(package: PackageName(name: "p"), version: "2"), assets: [try await f.asset("p/2", "2")], fragments: [f.fragment("p", "2", "two")])
            try await f.refused(.refused(.missing(1))) { () async throws(MetadataError) in try await f.commit([.put(one), .remove(missing)]) }
            try demandEqual(try await f.generations("p"), before)
            try demandEqual(try await f.shown("p"), ["versions/1=one"])
        },
        Case("what an edit touches beside components is seen") { f in
            let edit = Edit([], touching: [DocumentID("list", "b"), DocumentID("list", "a")])
            for turn in 1...2 {
                try await f.metadata.commit(RepositoryEdit(repository: f.repository, store: f.store, edit: edit, now: f.now))
                try demandEqual(try await f.generations("a", "b"), [Int64(turn), Int64(turn)])
            }
        },
        Case("slots come back as they were, and a number never stands for other bytes") { f in
            let slots = [
                DocumentSlot(0..<0, path: ""), DocumentSlot(0..<3, path: "p/-/é.tgz"), DocumentSlot(300..<70_000, path: String(repeating: "x", count: 200)),
            ]
            try await f.publish("1", [f.fragment("p", "1", "one", slots: slots)])
            let place = DocumentPlace(f.repository, DocumentID("list", "p"))
            let found = try await f.metadata.fragments(of: place, after: nil, limit: 9)
            try demandEqual(found.map(\.slots), [slots])
            try demandEqual(found.map(\.length), [3])
            try demandEqual(found.map(\.sortKey), [[1]])
            try await f.publish("1", [f.fragment("p", "1", "another")])
            try demandEqual(try await f.metadata.bytes(ofFragments: found.map(\.number) + [1 << 40]), [nil, nil])
        },
    ]
}
