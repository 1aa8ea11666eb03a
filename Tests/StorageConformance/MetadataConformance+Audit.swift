import ArtifactModel
import StorageAPI

extension MetadataConformance {
    static let audit: [Case] = [
        Case("rows are listed in the order of their digests, page by page, each as it is looked up alone") { f in
            for number in 0..<10 { _ = try await f.blob("blob \(number)") }
            var rows: [BlobRow] = []
            while true {
                let page = try await f.metadata.blobs(in: f.store, after: rows.last?.digest, limit: 3)
                rows += page
                if page.count < 3 { break }
            }
            let digests = try (0..<10).map { try Bytes.digest(of: "blob \($0)") }.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
            try demandEqual(rows.map(\.digest), digests)
            for row in rows {
                try demandEqual(row, BlobRow(id: row.id, digest: row.digest, size: 6, state: .there, heldUntil: f.now + .seconds(10)))
                try demandEqual(try await f.metadata.blob(row.digest, in: f.store), row)
            }
            try demandEqual(try await f.metadata.blob(try Bytes.digest(of: "no"), in: f.store), nil)
        },
        Case("all that names a blob is counted, in every repository, and as many as are asked for are named") { f in
            for path in ["a", "b", "c"] { try await f.put(path, "same") }
            try await f.commit([.putAsset(try await f.asset("d", "same"), .byPolicy)], into: f.other)
            let row = try await f.row("same")
            let all = try await f.metadata.referrers(of: row.id, limit: 9)
            try demandEqual(all.count, 4)
            try demandEqual(Set(all.places.map { "\($0.repository)/\($0.path)" }), ["main/a", "main/b", "main/c", "other/d"])
            let some = try await f.metadata.referrers(of: row.id, limit: 2)
            try demandEqual([some.count, Int64(some.places.count)], [4, 2])
            _ = try await f.blob("free")
            try demandEqual(try await f.metadata.referrers(of: try await f.row("free").id, limit: 9), BlobReferrers(count: 0, places: []))
        },
        Case("a lost blob is absent for readers, links and requirements, and its leases have ended; who brings it again heals every link") { f in
            try await f.put("a", "bytes")
            try await f.put("b", "bytes")
            let late = try await f.asset("c", "bytes")
            try await f.metadata.amend(try await f.row("bytes").id, .lost)
            try demandEqual(try await f.row("bytes").state, .lost)
            try demandEqual(try await f.digest(at: "a"), nil)
            try await f.refused(.refused(.requirement(0))) { () throws(MetadataError) in
                try await f.commit([], requiring: [.linked([AssetPath(checked: "a")])])
            }
            try await f.refused(.blobGone) { () throws(MetadataError) in try await f.commit([.putAsset(late, .byPolicy)]) }
            let other = try RepositoryName("other")
            try await f.refused(.refused(.link(0))) { () throws(MetadataError) in
                try await f.commit([.link(AssetPath(checked: "x"), from: other, AssetPath(checked: "a"))], sources: [other: f.repository])
            }
            try await f.put("c", "bytes")
            for path in ["a", "b", "c"] { try demandEqual(try await f.digest(at: path), try Bytes.digest(of: "bytes")) }
            try demandEqual(try await f.row("bytes").state, .there)
        },
        Case("a component with lost bytes is not present, and is still there to be removed or written again") { f in
            let one = Coordinates(package: PackageName(name: "p"), version: "1")
            let component = f.component("p", "1", [try await f.asset("p/1", "one"), try await f.asset("p/2", "two")])
            try await f.commit([.put(component)])
            try await f.commit([], requiring: [.present([one])])
            try await f.metadata.amend(try await f.row("two").id, .lost)
            try await f.refused(.refused(.requirement(0))) { () throws(MetadataError) in try await f.commit([], requiring: [.present([one])]) }
            try await f.put("elsewhere", "two")
            try await f.commit([], requiring: [.present([one])])
            try await f.metadata.amend(try await f.row("two").id, .lost)
            try await f.commit([.remove(one)])
        },
        Case("an amendment corrects a size and finds what was lost, and leaves alone what the collector has marked") { f in
            _ = try await f.blob("bytes")
            let row = try await f.row("bytes")
            try await f.metadata.amend(row.id, .there(size: 99))
            try demandEqual(try await f.row("bytes").size, 99)
            try await f.metadata.amend(row.id, .lost)
            try await f.metadata.amend(row.id, .there(size: 5))
            try demandEqual(try await f.row("bytes").state, .there)
            try demandEqual(try await f.row("bytes").size, 5)
            try await f.metadata.amend(row.id + 1000, .lost)
            let doomed = try await f.metadata.doom(in: f.store, after: 0, limit: 9, now: f.now + .seconds(60))
            try demandEqual(doomed.blobs.count, 1)
            for amendment in [BlobAmendment.lost, .there(size: 7)] {
                try await f.metadata.amend(row.id, amendment)
                try demandEqual(try await f.row("bytes").state, .doomed)
            }
        },
        Case("a lost blob that nothing names is the collector's") { f in
            _ = try await f.blob("bytes")
            try await f.metadata.amend(try await f.row("bytes").id, .lost)
            let doomed = try await f.metadata.doom(in: f.store, after: 0, limit: 9, now: f.now + .seconds(1))
            try demandEqual(doomed.blobs.map(\.digest), [try Bytes.digest(of: "bytes")])
        },
    ]
}

extension MetadataFixture {
    fileprivate func row(_ text: String) async throws -> BlobRow {
        try demandValue(try await self.metadata.blob(try Bytes.digest(of: text), in: self.store))
    }
}
