import ArtifactModel
import StorageAPI

extension MetadataConformance {
    static let caches: [Case] = [
        Case("uses are noted of what is there, the latest counts, and what was never used counts as used when it was created") { f in
            for name in ["a", "b", "c"] { try await f.put(name, name) }
            try await f.metadata.note([f.use("a", 500, 2), f.use("a", 300, 1), f.use("nowhere", 1, 1), f.use("b", 200)])
            try demandEqual(try await f.uses(), ["b 1000200", "a 1000500"])
            try demandEqual(try await f.metadata.measure(f.repository, after: "", limit: 9), CacheSlice(bytes: 3, next: nil))
            try demandEqual(try await f.uses(), ["c 1000000", "b 1000200", "a 1000500"].sorted(by: { $0.suffix(7) < $1.suffix(7) }))
            try await f.commit([.removeAsset(AssetPath(checked: "b"))])
            try demandEqual(try await f.uses(), ["c 1000000", "a 1000500"])
        },
        Case("what was used longest ago comes first, in pages, and what is moved up comes later") { f in
            for name in ["a", "b", "c", "d"] { try await f.put(name, name) }
            try await f.metadata.note([f.use("a", 4), f.use("b", 3), f.use("c", 3), f.use("d", 1)])
            let all = try await f.metadata.leastRecent(in: f.repository, after: nil, limit: 9)
            try demandEqual(all.map(\.path.text), ["d", "b", "c", "a"])
            try demandEqual(all.map(\.size), [1, 1, 1, 1])
            let first = try await f.metadata.leastRecent(in: f.repository, after: nil, limit: 2)
            try demandEqual(first, Array(all.prefix(2)))
            let rest = try await f.metadata.leastRecent(in: f.repository, after: first.last?.mark, limit: 9)
            try demandEqual(rest, Array(all.suffix(2)))
            try await f.metadata.renew([all[0].id, all[3].id], to: f.now + .milliseconds(3))
            let moved = try await f.metadata.leastRecent(in: f.repository, after: nil, limit: 9)
            try demandEqual(moved.map(\.path.text), ["b", "c", "d", "a"])
            try demandEqual(try await f.metadata.leastRecent(in: f.other, after: nil, limit: 9), [])
        },
        Case("a repository is measured in slices, and what several of its assets name counts once") { f in
            for name in ["a", "b", "c"] { try await f.put(name, "same") }
            try await f.put("d", "four")
            try await f.commit([.putAsset(try await f.asset("a", "same"), .byPolicy)], into: f.other)
            var sum: Int64 = 0
            var after: String? = ""
            while let start = after {
                let slice = try await f.metadata.measure(f.repository, after: start, limit: 2)
                sum += slice.bytes
                after = slice.next
            }
            try demandEqual(sum, 8)
            try demandEqual(try await f.metadata.measure(f.other, after: "", limit: 9).bytes, 4)
        },
        Case("a component is given with its assets, its edges, and whether a pointer names it") { f in
            let layer = try Bytes.digest(of: "layer")
            let assets = [try await f.asset("p/1", "one"), try await f.asset("p/2", "other")]
            let component = f.component("p", "1", assets, edges: [Edge(kind: "layer", target: layer), Edge(kind: "child", target: layer)])
            try await f.commit([.put(component)])
            try await f.metadata.note([f.use("p/2", 7)])
            let found = try demandValue(try await f.metadata.component(component.coordinates, in: f.repository))
            try demandEqual(found.assets.map(\.path.text), ["p/1", "p/2"])
            try demandEqual(found.assets.map(\.component), [component.coordinates, component.coordinates])
            try demandEqual(found.lastUsed, f.now + .milliseconds(7))
            try demandEqual(Set(found.links), [.init(kind: "layer", target: "\(layer)"), .init(kind: "child", target: "\(layer)")])
            try demandEqual(found.isPointedTo, false)
            try demandEqual(try await f.metadata.leastRecent(in: f.repository, after: nil, limit: 9).map(\.component), [component.coordinates])
            try await f.commit([.point(PointerName(package: component.coordinates.package, kind: "tag", name: "t"), to: "1", .always)])
            try demandEqual(try await f.metadata.component(component.coordinates, in: f.repository)?.isPointedTo, true)
            try demandEqual(try await f.metadata.component(component.coordinates, in: f.other), nil)
            try demandEqual(try await f.metadata.loose(assets.map(\.path), in: f.repository), [])
        },
        Case("what names a thing is found by its package and kind, with its latest use") { f in
            let layer = try Bytes.digest(of: "layer")
            for version in ["1", "2"] {
                let asset = try await f.asset("p/\(version)", version)
                try await f.commit([.put(f.component("p", version, [asset], edges: [Edge(kind: version == "1" ? "layer" : "child", target: layer)]))])
            }
            try await f.metadata.note([f.use("p/1", 5)])
            let package = PackageName(name: "p")
            let part = Part(of: package, target: "\(layer)")
            let all = try await f.metadata.holders(of: part.target, in: package, kind: nil, f.repository, limit: 9)
            try demandEqual(Set(all), [CacheHolder(version: "1", lastUsed: f.now + .milliseconds(5)), CacheHolder(version: "2", lastUsed: nil)])
            try demandEqual(try await f.metadata.holders(of: part.target, in: package, kind: "child", f.repository, limit: 9).map(\.version), ["2"])
            try demandEqual(try await f.metadata.holders(of: part.target, in: PackageName(name: "q"), kind: nil, f.repository, limit: 9), [])
            try demandEqual(try await f.metadata.isHeld(part, since: f.now + .milliseconds(5), in: f.repository), true)
            try demandEqual(try await f.metadata.isHeld(part, since: f.now + .milliseconds(6), in: f.repository), false)
            try demandEqual(try await f.metadata.isHeld(part, since: f.now, in: f.other), false)
        },
        Case("bytes are released once nothing of the repository names them, whatever others do") { f in
            for name in ["a", "b"] { try await f.put(name, "shared") }
            try await f.commit([.putAsset(try await f.asset("a", "shared"), .byPolicy)], into: f.other)
            let paths = ["a", "b"].map { AssetPath(checked: $0) }
            let blobs = try await f.metadata.loose(paths, in: f.repository).map(\.blob)
            try demandEqual(Set(blobs).count, 1)
            try await f.commit([.removeAsset(paths[0])])
            try demandEqual(try await f.metadata.released(blobs, from: f.repository), 0)
            try await f.commit([.removeAsset(paths[1])])
            try demandEqual(try await f.metadata.released(blobs, from: f.repository), 6)
        },
    ]
}

extension MetadataFixture {
    fileprivate func use(_ path: String, _ milliseconds: Int64, _ downloads: Int64 = 1) -> AssetUse {
        AssetUse(
            repository: self.repository, path: AssetPath(checked: path), lastUsed: self.now + .milliseconds(milliseconds), downloads: downloads)
    }

    /// Paths with their uses, oldest first.
    fileprivate func uses() async throws -> [String] {
        try await self.metadata.leastRecent(in: self.repository, after: nil, limit: 99).map { "\($0.path.text) \($0.lastUsed.milliseconds)" }
            .sorted { $0.suffix(7) < $1.suffix(7) }
    }
}
