import ArtifactModel
import StorageAPI

extension MetadataConformance {
    static let blobs: [Case] = [
        Case("a held blob is not doomed before its lease ends, a linked one never") { f in
            _ = try await f.blob("held")
            try await f.put("a", "linked")
            try demandEqual(try await f.metadata.doom(in: f.store, after: 0, limit: 100, now: f.now).blobs, [])
            let late = f.now + .seconds(60)
            let doomed = try await f.metadata.doom(in: f.store, after: 0, limit: 100, now: late)
            try demandEqual(doomed.blobs.map(\.digest), [try Bytes.digest(of: "held")])
            try demandEqual(doomed.blobs.map(\.size), [4])
            try demandEqual(doomed.next, nil)
        },
        Case("the collector first: a writer cannot hold or link what is doomed until it is forgotten") { f in
            let asset = try await f.asset("a", "bytes")
            let late = f.now + .seconds(60)
            let doomed = try await f.metadata.doom(in: f.store, after: 0, limit: 100, now: late).blobs
            try demandEqual(try await f.metadata.doomed(in: f.store, after: 0, limit: 10), doomed)
            try demandEqual(try await f.metadata.hold(asset.blob.digests, size: 5, in: f.store, now: late, until: late + .seconds(9)), false)
            try await f.refused(.blobGone) { () throws(MetadataError) in try await f.commit([.putAsset(asset, .byPolicy)]) }
            try await f.metadata.forget(doomed.map(\.id))
            try demandEqual(try await f.metadata.doomed(in: f.store, after: 0, limit: 10), [])
            try await f.refused(.blobGone) { () throws(MetadataError) in try await f.commit([.putAsset(asset, .byPolicy)]) }
            try demandEqual(try await f.metadata.hold(asset.blob.digests, size: 5, in: f.store, now: late, until: late + .seconds(9)), true)
            try await f.commit([.putAsset(asset, .byPolicy)])
        },
        Case("the writer first: what is held again or linked is not doomed, and a live row is not forgotten") { f in
            let asset = try await f.asset("a", "bytes")
            let late = f.now + .seconds(60)
            _ = try await f.metadata.hold(asset.blob.digests, size: 5, in: f.store, now: late, until: late + .seconds(9))
            try demandEqual(try await f.metadata.doom(in: f.store, after: 0, limit: 100, now: late).blobs, [])
            try await f.commit([.putAsset(asset, .byPolicy)])
            try demandEqual(try await f.metadata.doom(in: f.store, after: 0, limit: 100, now: late + .seconds(99)).blobs, [])
            try await f.metadata.forget(Array(0..<5000))
            try demandEqual(try await f.digest(at: "a"), try Bytes.digest(of: "bytes"))
        },
        Case("the collector goes through all rows in slices, and totals count what is there") { f in
            for number in 0..<10 { _ = try await f.blob("blob \(number)") }
            try demandEqual(try await f.metadata.totals(in: f.store), BlobTotals(count: 10, bytes: 60))
            var after: Int64? = 0
            var doomed: [DoomedBlob] = []
            while let id = after {
                let slice = try await f.metadata.doom(in: f.store, after: id, limit: 3, now: f.now + .seconds(60))
                doomed += slice.blobs
                after = slice.next
            }
            try demandEqual(doomed.count, 10)
            try await f.metadata.forget(doomed.map(\.id))
            try demandEqual(try await f.metadata.totals(in: f.store), BlobTotals(count: 0, bytes: 0))
        },
        Case("a slice marks no more than its limit, finds what lies behind many referenced rows, and the last one says that it is the last") { f in
            for number in 0..<40 { try await f.put("kept/\(number)", "kept \(number)") }
            for number in 0..<4 { _ = try await f.blob("left \(number)") }
            let late = f.now + .seconds(60)
            var marked: [Int] = []
            var after: Int64? = 0
            while let id = after {
                let slice = try await f.metadata.doom(in: f.store, after: id, limit: 3, now: late)
                marked.append(slice.blobs.count)
                after = slice.next
            }
            try demandEqual(marked.reduce(0, +), 4)
            try demandEqual(marked.allSatisfy { $0 <= 3 }, true)
            try demandEqual(try await f.metadata.doom(in: f.store, after: .max - 1, limit: 3, now: late), DoomedSlice(blobs: [], next: nil))
        },
        Case("a hundred writers at once all commit, and one of two that race for a coordinate wins") { f in
            try await withThrowingTaskGroup(of: Void.self) { group in
                for number in 0..<100 { group.addTask { try await f.put("n/\(number)", "\(number)") } }
                try await group.waitForAll()
            }
            try demandEqual(try await f.names(.folder(AssetPath(checked: "n")), limit: 7).count, 100)
            let coordinates = Coordinates(package: PackageName(name: "p"), version: "1")
            let wins = await withTaskGroup(of: Bool.self) { group in
                for _ in 0..<20 {
                    group.addTask {
                        // Refused is the expected answer to all but one.
                        (try? await f.commit([.put(f.component("p", "1"))], requiring: [.absent(coordinates)])) != nil
                    }
                }
                return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
            }
            try demandEqual(wins, 1)
        },
    ]

    static let ledgers: [Case] = [
        Case("loose assets are found by age and by page, and those that an edge names are told apart") { f in
            for name in ["a", "b", "c", "d"] { try await f.put("l/\(name)", name) }
            let layer = try Bytes.digest(of: "b")
            let assets = [try await f.asset("l/m", "m")]
            try await f.commit([.put(f.component("p", "1", assets, edges: [Edge(kind: "layer", target: layer)]))])
            let late = f.now + .seconds(1)
            try demandEqual(try await f.metadata.loose(in: f.repository, after: "", before: f.now, limit: 9), LooseSlice(paths: [], next: nil))
            let first = try await f.metadata.loose(in: f.repository, after: "", before: late, limit: 3)
            try demandEqual(first, LooseSlice(paths: ["a", "b", "c"].map { AssetPath(checked: "l/\($0)") }, next: "l/c"))
            let second = try await f.metadata.loose(in: f.repository, after: "l/c", before: late, limit: 3)
            try demandEqual(second, LooseSlice(paths: [AssetPath(checked: "l/d")], next: nil))
            let parts = ["a", "b"].flatMap { name in
                ["p", "q"].map { LoosePart(AssetPath(checked: "l/\(name)"), Part(of: PackageName(name: $0), target: "\(name == "b" ? "\(layer)" : "no")")) }
            }
            let unnamed = try await f.metadata.unnamed(parts, in: f.repository)
            try demandEqual(unnamed, parts.filter { $0.part.package.name == "q" || $0.part.target == "no" })
            try demandEqual(try await f.metadata.unnamed(parts, in: f.other), parts)
        },
        Case("an edit that requires a part to be unnamed and its asset to be old is refused where it is not so") { f in
            try await f.put("l/a", "a")
            let path = AssetPath(checked: "l/a")
            let layer = try Bytes.digest(of: "a")
            let component = f.component("p", "1", edges: [Edge(kind: "layer", target: layer)])
            let demands: [Edit.Requirement] = [.unnamed(Part(of: PackageName(name: "p"), target: "\(layer)")), .loose(path, before: f.now + .seconds(1))]
            try await f.refused(.refused(.requirement(0))) { () throws(MetadataError) in
                try await f.commit([.removeAsset(path)], requiring: [.loose(path, before: f.now)])
            }
            try await f.commit([.put(component)])
            try await f.refused(.refused(.requirement(0))) { () throws(MetadataError) in try await f.commit([.removeAsset(path)], requiring: demands) }
            try await f.commit([.remove(component.coordinates), .renew(path)])
            try await f.commit([.removeAsset(path)], requiring: demands)
            try demandEqual(try await f.digest(at: "l/a"), nil)
            try await f.commit([.renew(path)])
        },
        Case("an upload's record is kept, extended, found when expired, and closed") { f in
            var random = SystemRandomNumberGenerator()
            let records = (1...3).map { number in
                UploadRecord(
                    id: UploadID.random(using: &random), repository: f.repository, scope: "s", owner: "o", expires: f.now + .seconds(number))
            }
            for record in records { try await f.metadata.open(record) }
            try demandEqual(try await f.metadata.upload(records[0].id), records[0])
            try await f.metadata.extend(records[0].id, until: f.now + .seconds(100))
            try demandEqual(try await f.metadata.expired(before: f.now + .seconds(3), limit: 9).map(\.id), [records[1].id])
            try demandEqual(try await f.metadata.expired(before: f.now + .seconds(999), limit: 2).map(\.id), [records[1].id, records[2].id])
            try await f.metadata.close(records[1].id)
            try demandEqual(try await f.metadata.upload(records[1].id), nil)
        },
        Case("repositories keep their numbers, a change raises the revision, and another format is refused") { f in
            var known = try await f.metadata.repositories()
            try demandEqual(known.map(\.id), [f.repository, f.other])
            try demandEqual(known.map(\.revision), [1, 1])
            known[0].declaration.configuration = #"{"a":1}"#
            let adopted = try await f.metadata.adopt(repositories: [known[0].declaration], now: f.now)
            try demandEqual(adopted.map(\.revision), [2])
            try demandEqual(try await f.metadata.adopt(repositories: [known[0].declaration], now: f.now), adopted)
            try demandEqual(try await f.metadata.repositories().map(\.revision), [2, 1])
            var other = known[1].declaration
            other.format = "docker"
            try await f.refused(.corrupt) { () throws(MetadataError) in _ = try await f.metadata.adopt(repositories: [other], now: f.now) }
            try demandEqual(try await f.metadata.adopt(stores: ["default", "second"], now: f.now)["default"], f.store)
        },
    ]
}
