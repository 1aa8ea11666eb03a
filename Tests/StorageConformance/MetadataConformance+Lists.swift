import ArtifactModel
import StorageAPI

extension MetadataConformance {
    static let lists: [Case] = [
        Case("names come in byte order, page by page, whatever the page's size") { f in
            let names = ["B", "a", "a-b", "a.b", "a0", "z", "é", "😀"]
            for name in names.reversed() {
                try await f.commit([
                    .put(f.component("p", name)), .setPackage(PackageName(name: name), attributes: #"{"n":1}"#),
                    .point(PointerName(package: PackageName(name: "p"), kind: "tag", name: name), to: name, .byPolicy),
                ])
            }
            for limit in [1, 2, 3, 100] {
                try demandEqual(try await f.names(.components(PackageName(name: "p")), limit: limit), names)
                try demandEqual(try await f.names(.pointers(PackageName(name: "p"), kind: "tag"), limit: limit), names)
                try demandEqual(try await f.names(.packages, limit: limit), ["B", "a", "a-b", "a.b", "a0", "p", "z", "é", "😀"])
            }
        },
        Case("a page begins after a name that does not exist") { f in
            for name in ["a", "c"] { try await f.commit([.put(f.component("p", name))]) }
            let page = try await f.metadata.rows(ContentQuery(.components(PackageName(name: "p")), after: "b", limit: 5), in: f.repository)
            try demandEqual(page.rows.map(\.name), ["c"])
            try demand(!page.more, "more is said to follow")
        },
        Case("packages with and without a namespace are ordered by what is shown of them") { f in
            for package in [PackageName(name: "zeta"), PackageName(namespace: "@s", name: "p"), PackageName(namespace: "org", name: "x")] {
                try await f.commit([.setPackage(package, attributes: "{}")])
            }
            try demandEqual(try await f.names(.packages, limit: 1), ["@s/p", "org/x", "zeta"])
            try demandEqual(try await f.names(.package(PackageName(namespace: "@s", name: "p")), limit: 1), ["@s/p"])
            try demandEqual(try await f.names(.package(PackageName(name: "no")), limit: 1), [])
        },
        Case("referrers are found by target, kind and artifact type, with their type, size and digest") { f in
            let subject = try Bytes.digest(of: "image")
            for (version, type) in [("1", "sbom"), ("2", "signature"), ("3", "sbom")] {
                let edges = [Edge(kind: "subject", target: subject, artifactType: type)]
                try await f.commit([.put(f.component("p", version, [try await f.asset("p/\(version)", version)], attributes: #"{"v":1}"#, edges: edges))])
            }
            let package = PackageName(name: "p")
            for limit in [1, 2, 9] {
                try demandEqual(try await f.names(.edges(to: subject, in: package, kind: "subject", artifactType: nil), limit: limit), ["1", "2", "3"])
                try demandEqual(try await f.names(.edges(to: subject, in: package, kind: "subject", artifactType: "sbom"), limit: limit), ["1", "3"])
            }
            try demandEqual(try await f.names(.edges(to: subject, in: package, kind: "layer", artifactType: nil), limit: 9), [])
            let query = ContentQuery(.edges(to: subject, in: package, kind: "subject", artifactType: "signature"), limit: 9)
            let row = try demandValue(try await f.metadata.rows(query, in: f.repository).rows.first)
            let expected = ContentRow(
                name: "2", attributes: #"{"v":1}"#, artifactType: "signature", contentType: "text/plain", size: 1, digest: try Bytes.digest(of: "2"),
                updated: f.now)
            try demandEqual(row, expected)
        },
    ]

    static let folders: [Case] = [
        Case("a folder lists its files and folders by name, also where these sort otherwise as paths") { f in
            for path in ["a-b", "a.d/x", "a/b/c", "a/b/d", "a0", "b", "a+/y", "c/1", "c/2", "B"] { try await f.put("top/\(path)", path) }
            for path in ["to", "top-1", "top.2", "top0"] { try await f.put(path, path) }
            for limit in [1, 2, 3, 100] {
                try demandEqual(try await f.names(.folder(AssetPath(checked: "top")), limit: limit), ["B", "a", "a+", "a-b", "a.d", "a0", "b", "c"])
                try demandEqual(try await f.names(.folder(nil), limit: limit), ["to", "top", "top-1", "top.2", "top0"])
                try demandEqual(try await f.names(.folder(AssetPath(checked: "top/a/b")), limit: limit), ["c", "d"])
            }
            try demandEqual(try await f.names(.folder(AssetPath(checked: "to")), limit: 9), [])
            let rows = try await f.metadata.rows(ContentQuery(.folder(AssetPath(checked: "top")), after: "a", limit: 2), in: f.repository).rows
            try demandEqual(rows.map { $0.digest == nil }, [true, false])
            try demandEqual(rows.map(\.size), [0, 3])
        },
        Case("a file and a folder of one name are both listed, on one page") { f in
            for path in ["a", "a-b", "a/b", "z"] { try await f.put(path, path) }
            for limit in [1, 2, 3, 9] { try demandEqual(try await f.names(.folder(nil), limit: limit), ["a", "a", "a-b", "z"]) }
        },
    ]
}
