import ArtifactModel
import StorageAPI

/// What every metadata database must do. Each case wants a fixture of its own.
public enum MetadataConformance {
    public typealias Case = ConformanceCase<MetadataFixture>
    public static let cases: [Case] =
        assets + components + requirements + policies + links + lists + folders + blobs + ledgers + audit + caches + documents + accounts + tokens + keys

    static let assets: [Case] = [
        Case("an asset is given back as it was put") { f in
            let md5 = try demandValue(ContentDigest(.md5, Array(repeating: 7, count: 16)))
            try await f.commit([.putAsset(try await f.asset("a/b", "hello", more: [md5], attributes: ["x": "é\"y"]), .byPolicy)])
            let kept = try demandValue(try await f.metadata.asset(at: AssetPath(checked: "a/b"), in: f.repository))
            try demandEqual(kept.digests, [try Bytes.digest(of: "hello"), md5])
            try demandEqual(kept.attributes, ["x": "é\"y"])
            try demandEqual(kept.size, 5)
            try demandEqual(kept.contentType, "text/plain")
            try demandEqual(kept.created, f.now)
        },
        Case("a path is another one in another spelling of é, in another case, and in another repository") { f in
            try await f.put("caf\u{E9}", "composed")
            try demandEqual(try await f.digest(at: "cafe\u{301}"), nil)
            try demandEqual(try await f.digest(at: "Caf\u{E9}"), nil)
            try demandEqual(try await f.digest(at: "caf\u{E9}", in: f.other), nil)
            try demandEqual(try await f.digest(at: "caf\u{E9}"), try Bytes.digest(of: "composed"))
        },
        Case("an asset is replaced and removed, and removing it again is refused as missing") { f in
            try await f.put("a", "one")
            try await f.put("a", "two")
            try demandEqual(try await f.digest(at: "a"), try Bytes.digest(of: "two"))
            try await f.commit([.removeAsset(AssetPath(checked: "a"))])
            try demandEqual(try await f.digest(at: "a"), nil)
            try await f.refused(.refused(.missing(0))) { () throws(MetadataError) in try await f.commit([.removeAsset(AssetPath(checked: "a"))]) }
        },
    ]

    static let components: [Case] = [
        Case("a component put anew has exactly the new assets and edges") { f in
            let edges = [Edge(kind: "layer", target: try Bytes.digest(of: "1")), Edge(kind: "layer", target: try Bytes.digest(of: "1"))]
            try await f.commit([.put(f.component("p", "1", [try await f.asset("p/a", "a"), try await f.asset("p/b", "b")], edges: edges))])
            try await f.commit([.put(f.component("p", "1", [try await f.asset("p/b", "B"), try await f.asset("p/c", "c")]))])
            try demandEqual(try await f.digest(at: "p/a"), nil)
            try demandEqual(try await f.digest(at: "p/b"), try Bytes.digest(of: "B"))
            let row = try demandValue(try await f.metadata.rows(ContentQuery(.components(PackageName(name: "p")), limit: 9), in: f.repository).rows.first)
            try demandEqual(row.digest, try Bytes.digest(of: "B"))
            let layers = ContentQuery.Subject.edges(to: try Bytes.digest(of: "1"), in: PackageName(name: "p"), kind: "layer", artifactType: nil)
            try demandEqual(try await f.names(layers, limit: 9), [])
        },
        Case("removing a component removes its assets, its edges and the pointers that name its version, and no others") { f in
            let package = PackageName(name: "p")
            let subject = try Bytes.digest(of: "subject")
            for version in ["1", "2"] {
                let asset = try await f.asset("p/\(version)", version)
                try await f.commit([
                    .put(f.component("p", version, [asset], edges: [Edge(kind: "subject", target: subject)])),
                    .point(PointerName(package: package, kind: "tag", name: "t\(version)"), to: version, .byPolicy),
                ])
            }
            let first = Coordinates(package: package, version: "1")
            try await f.commit([.remove(first)])
            try demandEqual(try await f.names(.components(package), limit: 9), ["2"])
            try demandEqual(try await f.names(.pointers(package, kind: "tag"), limit: 9), ["t2"])
            try demandEqual(try await f.names(.edges(to: subject, in: package, kind: "subject", artifactType: nil), limit: 9), ["2"])
            try demandEqual(try await f.digest(at: "p/1"), nil)
            try await f.refused(.refused(.missing(1))) { () throws(MetadataError) in
                try await f.commit([.setPackage(package, attributes: "{}"), .remove(first)])
            }
        },
        Case("a pointer is moved and removed; removing it again is refused as missing") { f in
            let name = PointerName(package: PackageName(namespace: "@s", name: "p"), kind: "tag", name: "latest")
            try await f.commit([.point(name, to: "1", .byPolicy)])
            try await f.commit([.point(name, to: "2", .byPolicy)])
            try demandEqual(try await f.metadata.pointer(name, in: f.repository), "2")
            try demandEqual(try await f.metadata.pointer(name, in: f.other), nil)
            try await f.commit([.unpoint(name)])
            try await f.refused(.refused(.missing(0))) { () throws(MetadataError) in try await f.commit([.unpoint(name)]) }
        },
    ]

    static let requirements: [Case] = [
        Case("the requirement that does not hold is named, and nothing is changed") { f in
            let package = PackageName(name: "p")
            let one = Coordinates(package: package, version: "1")
            let tag = PointerName(package: package, kind: "tag", name: "t")
            try await f.commit([.put(f.component("p", "1", [try await f.asset("p/1", "1")])), .point(tag, to: "1", .byPolicy)])
            let path = AssetPath(checked: "p/1")
            let held: [Edit.Requirement] = [
                .present([one]), .linked([path]), .asset(path, among: [try Bytes.digest(of: "1")]), .asset(AssetPath(checked: "no"), among: [nil]),
                .pointer(tag, among: ["1", nil]), .absent(Coordinates(package: package, version: "2")),
            ]
            let failing: [Edit.Requirement] = [
                .absent(one), .present([one, Coordinates(package: package, version: "2")]), .linked([path, AssetPath(checked: "no")]),
                .asset(path, among: [nil]), .asset(AssetPath(checked: "no"), among: [try Bytes.digest(of: "1")]), .pointer(tag, among: ["2"]),
                .pointer(tag, among: [nil]), .pointer(tag, among: []),
            ]
            try await f.commit([.setPackage(package, attributes: #"{"a":1}"#)], requiring: held)
            for requirement in failing {
                try await f.refused(.refused(.requirement(held.count))) { () throws(MetadataError) in
                    try await f.commit([.point(tag, to: "9", .byPolicy)], requiring: held + [requirement])
                }
            }
            try demandEqual(try await f.metadata.pointer(tag, in: f.repository), "1")
        }
    ]

    static let policies: [Case] = [
        Case("with allowOnce a path, a pointer and a component are written again only with equal content") { f in
            let tag = PointerName(package: PackageName(name: "p"), kind: "tag", name: "t")
            let one = try await f.asset("p/1", "1")
            let first: [Edit.Change] = [.put(f.component("p", "1", [one])), .point(tag, to: "1", .byPolicy), .putAsset(try await f.asset("x", "x"), .byPolicy)]
            for _ in 0..<2 { try await f.commit(first, policy: .allowOnce) }
            let other = try await f.asset("x", "y")
            let refused: [Edit.Change] = [
                .putAsset(other, .byPolicy), .point(tag, to: "2", .byPolicy), .put(f.component("p", "1", [try await f.asset("p/1", "2")])),
                .put(f.component("p", "1", [try await f.asset("p/2", "2")])),
            ]
            for change in refused {
                try await f.refused(.refused(.policy(1))) { () throws(MetadataError) in
                    try await f.commit([.setPackage(PackageName(name: "q"), attributes: "{}"), change], policy: .allowOnce)
                }
            }
            try await f.commit([.putAsset(other, .always), .point(tag, to: "2", .always)], policy: .allowOnce)
            try demandEqual(try await f.digest(at: "x"), try Bytes.digest(of: "y"))
        },
        Case("with deny nothing is written") { f in
            let asset = try await f.asset("x", "x")
            try await f.refused(.refused(.policy(0))) { () throws(MetadataError) in try await f.commit([.putAsset(asset, .always)], policy: .deny) }
        },
    ]

    static let links: [Case] = [
        Case("a package of which nothing is left is not listed, and one with attributes or a pointer is") { f in
            let version = f.component("a", "1")
            let pointer = PointerName(package: PackageName(name: "b"), kind: "tag", name: "t")
            try await f.commit([
                .put(version), .put(f.component("b", "1")), .point(pointer, to: "2", .always), .put(f.component("c", "1")),
                .setPackage(PackageName(name: "c"), attributes: "{\"k\":1}"), .put(f.component("d", "1")), .put(f.component("d", "2")),
            ])
            for name in ["a", "b", "c", "d"] { try await f.commit([.remove(Coordinates(package: PackageName(name: name), version: "1"))]) }
            try demandEqual(try await f.names(.packages, limit: 10), ["b", "c", "d"])
            try await f.commit([.unpoint(pointer)])
            try demandEqual(try await f.names(.packages, limit: 10), ["c", "d"])
            try await f.commit([.put(version)])
            try demandEqual(try await f.names(.packages, limit: 10), ["a", "c", "d"])
        },
        Case("a link names another repository's bytes and stays when the source is removed") { f in
            try await f.put("source", "bytes")
            let main = try RepositoryName("main")
            let link: Edit.Change = .link(AssetPath(checked: "copy"), from: main, AssetPath(checked: "source"))
            try await f.commit([link], into: f.other, sources: [main: f.repository])
            try await f.commit([.removeAsset(AssetPath(checked: "source"))])
            try demandEqual(try await f.digest(at: "copy", in: f.other), try Bytes.digest(of: "bytes"))
            let late = f.now + .seconds(60)
            try demandEqual(try await f.metadata.doom(in: f.store, after: 0, limit: 100, now: late).blobs, [])
        },
        Case("a link that may not be read and one that is not there are refused alike") { f in
            try await f.put("source", "bytes")
            let main = try RepositoryName("main")
            let link: Edit.Change = .link(AssetPath(checked: "copy"), from: main, AssetPath(checked: "source"))
            let absent: Edit.Change = .link(AssetPath(checked: "copy"), from: main, AssetPath(checked: "no"))
            try await f.refused(.refused(.link(0))) { () throws(MetadataError) in try await f.commit([link], into: f.other) }
            try await f.refused(.refused(.link(0))) { () throws(MetadataError) in try await f.commit([absent], into: f.other, sources: [main: f.repository]) }
        },
    ]
}
