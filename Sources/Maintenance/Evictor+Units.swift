import ArtifactModel
import RepositoryEngine
import StorageAPI

/// What hangs together, and goes together.
extension Evictor {
    /// An index of indexes of a hundred platforms is nobody's image.
    private static let largestUnit = 200

    /// nil: it is gone by now.
    func weight(of coordinates: Coordinates, in ground: Ground) async throws -> Eviction.Weight? {
        let repository = ground.repository.id
        guard let component = try await self.ledger.component(coordinates, in: repository), let lastUsed = component.lastUsed else { return nil }
        var weight = Eviction.Weight(lastUsed: lastUsed, isInUse: self.isInUse(component, in: ground))
        for kind in ground.structure.containing {
            let holders = try await self.ledger.holders(of: coordinates.version, in: coordinates.package, kind: kind, repository, limit: 100)
            weight.holderUsed = ([weight.holderUsed] + holders.map(\.lastUsed)).compactMap(\.self).max()
            for holder in holders where !weight.isInUse {
                let name = Coordinates(package: coordinates.package, version: holder.version)
                if let component = try await self.ledger.component(name, in: repository) { weight.isInUse = self.isInUse(component, in: ground) }
            }
        }
        let parts = self.parts(of: component, in: ground)
        let late = try await self.ledger.loose(parts.map(\.path), in: repository).filter { $0.lastUsed > lastUsed + Eviction.explains }
        for asset in late.sorted(by: { $0.lastUsed > $1.lastUsed }) {
            guard let part = ground.structure.part(asset.path) else { continue }
            if try await !self.ledger.isHeld(part, since: asset.lastUsed - Eviction.explains, in: repository) {
                weight.partUsed = asset.lastUsed
                break
            }
        }
        return weight
    }

    /// Whether one of its files or parts is being read, or a part is arriving.
    private func isInUse(_ component: CachedComponent, in ground: Ground) -> Bool {
        let paths = component.assets.map(\.path) + self.parts(of: component, in: ground).map(\.path)
        return paths.contains { self.contents.isInUse($0, in: ground.repository.id) }
    }

    /// What its edges name, kept or not.
    private func parts(of component: CachedComponent, in ground: Ground) -> [LoosePart] {
        Set(component.links.map(\.target)).compactMap { target in
            let part = Part(of: component.coordinates.package, target: target)
            return ground.structure.path(part).map { LoosePart($0, part) }
        }
    }

    /// A part goes only where nothing names it: before that it goes with the last that does.
    func isFree(_ asset: CachedAsset, in ground: Ground) async throws -> Bool {
        guard !self.contents.isInUse(asset.path, in: ground.repository.id) else { return false }
        guard let part = ground.structure.part(asset.path) else { return true }
        return try await !self.ledger.unnamed([LoosePart(asset.path, part)], in: ground.repository.id).isEmpty
    }

    // MARK: Going

    /// The component, what it contains and nobody else wants, the pointers to them, and then the parts that nothing names any more.
    /// - Returns: how many bytes the repository keeps less.
    func evict(_ coordinates: Coordinates, from ground: Ground) async throws -> Int64 {
        let repository = ground.repository
        guard let component = try await self.ledger.component(coordinates, in: repository.id) else { return 0 }
        let unit = try await self.unit(of: component, in: ground)
        let cutoff = self.moment() + .milliseconds(1)
        let gone = try await self.removeComponents(unit, from: ground)
        guard !gone.isEmpty else { return 0 }
        var blobs = gone.flatMap(\.assets).map(\.blob)
        var files = 0
        var parts = try await self.freeParts(of: gone, in: ground)[...]
        let kept = try await self.ledger.loose(parts.map(\.path), in: repository.id)
        while !parts.isEmpty {
            let batch = Array(parts.prefix(Eviction.most))
            parts = parts.dropFirst(batch.count)
            let removed = try await self.metadata.remove(unnamed: batch, before: cutoff, in: repository, now: self.moment())
            let paths = Set(removed.map(\.path))
            blobs += kept.filter { paths.contains($0.path) }.map(\.blob)
            files += removed.count
        }
        let bytes = try await self.ledger.released(blobs, from: repository.id)
        self.count(repository.id, bytes: bytes, components: gone.count, files: files)
        return bytes
    }

    /// The component first, then what it contains, at any depth: what is pointed to, what another one contains, what was used on its own since,
    /// and what is being read stays.
    private func unit(of component: CachedComponent, in ground: Ground) async throws -> [CachedComponent] {
        var unit = [component]
        var names: Set<Coordinates> = [component.coordinates]
        let latest = (component.lastUsed ?? self.moment()) + Eviction.explains
        var at = 0
        while at < unit.count, unit.count < Self.largestUnit {
            for link in unit[at].links where ground.structure.containing.contains(link.kind) {
                let name = Coordinates(package: component.coordinates.package, version: link.target)
                guard !names.contains(name), let child = try await self.ledger.component(name, in: ground.repository.id), !child.isPointedTo,
                    child.lastUsed.map({ $0 <= latest }) ?? true, !self.isInUse(child, in: ground), try await self.isHeld(child, by: names, in: ground)
                else { continue }
                names.insert(name)
                unit.append(child)
            }
            at += 1
        }
        return unit
    }

    /// Whether nothing contains it but these.
    private func isHeld(_ child: CachedComponent, by names: Set<Coordinates>, in ground: Ground) async throws -> Bool {
        for kind in ground.structure.containing {
            let (name, package) = (child.coordinates.version, child.coordinates.package)
            let holders = try await self.ledger.holders(of: name, in: package, kind: kind, ground.repository.id, limit: names.count + 1)
            guard holders.allSatisfy({ names.contains(Coordinates(package: package, version: $0.version)) }) else { return false }
        }
        return true
    }

    /// In one transaction; those that are gone by now are left out.
    private func removeComponents(_ unit: [CachedComponent], from ground: Ground) async throws -> [CachedComponent] {
        var unit = unit
        while !unit.isEmpty {
            let edit = Edit(unit.map { .remove($0.coordinates) })
            do {
                try await self.metadata.commit(
                    RepositoryEdit(repository: ground.repository.id, store: ground.repository.shelf.id, edit: edit, now: self.moment()))
                return unit
            } catch {
                guard case .refused(.missing(let index)) = error.code else { throw error }
                unit.remove(at: index)
            }
        }
        return []
    }

    /// Those that nobody reads and nothing names, now that these are gone.
    private func freeParts(of gone: [CachedComponent], in ground: Ground) async throws -> [LoosePart] {
        let named = Set(gone.flatMap { self.parts(of: $0, in: ground) })
        let kept = Set(try await self.ledger.loose(named.map(\.path), in: ground.repository.id).map(\.path))
        let parts = named.filter { kept.contains($0.path) && !self.contents.isInUse($0.path, in: ground.repository.id) }
        return try await self.ledger.unnamed(Array(parts), in: ground.repository.id)
    }

    /// Files in no component.
    /// - Returns: how many bytes the repository keeps less.
    func remove(_ files: [CachedAsset], from ground: Ground) async throws -> Int64 {
        var files = files
        while !files.isEmpty {
            let edit = Edit(requiring: self.demands(files, in: ground).map(\.requirement), files.map { .removeAsset($0.path) })
            do {
                try await self.metadata.commit(
                    RepositoryEdit(repository: ground.repository.id, store: ground.repository.shelf.id, edit: edit, now: self.moment()))
                break
            } catch {
                switch error.code {
                case .refused(.missing(let index)): files.remove(at: index)
                case .refused(.requirement(let index)): files.remove(at: self.demands(files, in: ground)[index].file)
                default: throw error
                }
            }
        }
        let bytes = try await self.ledger.released(files.map(\.blob), from: ground.repository.id)
        self.count(ground.repository.id, bytes: bytes, files: files.count)
        return bytes
    }

    /// That nothing names a part still.
    private func demands(_ files: [CachedAsset], in ground: Ground) -> [(file: Int, requirement: Edit.Requirement)] {
        files.enumerated().compactMap { index, file in ground.structure.part(file.path).map { (index, .unnamed($0)) } }
    }
}
