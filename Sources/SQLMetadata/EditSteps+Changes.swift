import ArtifactModel
import StorageAPI

extension EditSteps {
    mutating func put(_ component: Component, _ index: Int) throws(MetadataError) {
        let coordinates = component.coordinates
        if self.edit.policy == .allowOnce {
            let paths = Set(component.assets.map { SQLValue.text($0.path.text) })
            self.require(.assetPaths(of: coordinates, in: self.edit.repository), .among(paths, orNoRow: true), .policy(index))
            for asset in component.assets { self.requireEqual(asset, index) }
        }
        self.run(.addPackage(coordinates.package, self.nextID(), self.edit))
        let editID = self.nextID()
        self.run(.putComponent(component, editID, self.edit))
        self.run(.removeEdges(of: coordinates, in: self.edit.repository))
        for edge in component.edges { self.run(.putEdge(edge, of: coordinates, in: self.edit.repository)) }
        for (position, asset) in component.assets.enumerated() {
            self.link(asset.blob)
            let row = AssetRow(asset: asset, id: self.nextID(), editID: editID, position: position, component: coordinates)
            self.run(try .putAsset(row, self.edit))
        }
        self.run(.removeAssets(of: coordinates, notOf: editID, in: self.edit.repository))
        self.put(component.fragments, of: coordinates)
    }

    mutating func extend(_ component: Component, _ redeploy: Edit.Redeploy, _ index: Int) throws(MetadataError) {
        let coordinates = component.coordinates
        if self.edit.policy == .allowOnce, redeploy == .byPolicy { for asset in component.assets { self.requireEqual(asset, index) } }
        self.run(.addPackage(coordinates.package, self.nextID(), self.edit))
        let editID = self.nextID()
        self.run(.putComponent(component, editID, self.edit, extending: true))
        for edge in component.edges { self.run(.putEdge(edge, of: coordinates, in: self.edit.repository)) }
        for asset in component.assets {
            self.link(asset.blob)
            self.run(try .putAsset(AssetRow(asset: asset, id: self.nextID(), editID: editID, position: 0, component: coordinates), self.edit))
        }
        self.add(component.fragments, to: coordinates)
    }

    /// Those that it had and those that it has now: the clocks of both go on.
    private mutating func put(_ fragments: [Fragment], of coordinates: Coordinates) {
        self.run(.bumpDocuments(of: coordinates, in: self.edit.repository))
        self.run(.removeFragments(of: coordinates, in: self.edit.repository))
        self.add(fragments, to: coordinates)
    }

    private mutating func add(_ fragments: [Fragment], to coordinates: Coordinates) {
        for fragment in fragments {
            self.run(.removeFragment(fragment.document, fragment.section, fragment.name, in: self.edit.repository))
            self.run(.putFragment(fragment, self.nextID(), of: coordinates, in: self.edit.repository))
        }
        self.bump(Set(fragments.map(\.document)))
    }

    /// In the order of their names, so that two writers never wait for each other in a circle.
    mutating func bump(_ documents: Set<DocumentID>) {
        for document in documents.sorted(by: { $0.text.utf8.lexicographicallyPrecedes($1.text.utf8) }) {
            self.run(.bump(document, in: self.edit.repository))
        }
    }

    mutating func remove(_ coordinates: Coordinates, _ index: Int) {
        self.require(.component(coordinates, in: self.edit.repository), .someRow, .missing(index))
        self.run(.bumpDocuments(of: coordinates, in: self.edit.repository))
        self.run(.removePointers(to: coordinates, in: self.edit.repository))
        self.run(.removeComponent(coordinates, in: self.edit.repository))
        self.run(.removePackage(ifEmpty: coordinates.package, in: self.edit.repository))
    }

    mutating func putAsset(_ asset: NewAsset, _ redeploy: Edit.Redeploy, _ index: Int) throws(MetadataError) {
        if self.edit.policy == .allowOnce, redeploy == .byPolicy { self.requireEqual(asset, index) }
        self.link(asset.blob)
        let id = self.nextID()
        self.run(try .putAsset(AssetRow(asset: asset, id: id, editID: id, position: 0, component: nil), self.edit))
    }

    mutating func link(_ path: AssetPath, _ source: RepositoryName, _ sourcePath: AssetPath, _ index: Int) {
        guard let source = self.edit.sources[source] else {
            self.require(.never, .someRow, .link(index))
            return
        }
        self.require(.linkable(sourcePath, in: source, self.edit.store), .someRow, .link(index))
        if self.edit.policy == .allowOnce {
            self.require(.otherBytes(at: path, in: self.edit.repository, than: sourcePath, in: source), .noRow, .policy(index))
        }
        self.run(.link(path, from: sourcePath, in: source, self.nextID(), self.edit))
    }

    mutating func point(_ name: PointerName, _ target: String, _ redeploy: Edit.Redeploy, _ index: Int) {
        if self.edit.policy == .allowOnce, redeploy == .byPolicy {
            self.require(.pointerTarget(name, in: self.edit.repository), .among([.text(target)], orNoRow: true), .policy(index))
        }
        self.run(.addPackage(name.package, self.nextID(), self.edit))
        self.run(.point(name, target, self.edit))
    }

    /// The path is free, or names equal bytes.
    private mutating func requireEqual(_ asset: NewAsset, _ index: Int) {
        let equal: Set<SQLValue> = asset.blob.digests.first(.sha256).map { [.bytes($0.bytes)] } ?? []
        self.require(.assetDigest(asset.path, in: self.edit.repository), .among(equal, orNoRow: true), .policy(index))
    }

    /// A blob that the collector took, or whose row is gone, is never linked: looked at under the write lock. One that was lost is there
    /// again where its bytes came after that was found out, and with it all that refers to it.
    private mutating func link(_ blob: StagedBlob) {
        self.require(.sealedBlob(blob, in: self.edit.store), .someRow, orElse: .blobGone)
        self.run(.findBlob(blob, in: self.edit.store))
        if blob.digests.count > 1 { self.run(.addDigests(blob.digests, in: self.edit.store)) }
    }
}

/// An asset's row on its way into the database.
struct AssetRow {
    var asset: NewAsset
    var id: Int64
    var editID: Int64
    var position: Int
    var component: Coordinates?
}
