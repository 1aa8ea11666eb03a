import ArtifactModel
import StorageAPI

/// An edit on its way to become the steps of one transaction: all requirements, then each change with what it demands.
struct EditSteps {
    let edit: RepositoryEdit
    private(set) var steps: [SQLStep] = []
    private var ids: Range<Int64>

    init(_ edit: RepositoryEdit, ids: Range<Int64>) {
        self.edit = edit
        self.ids = ids
    }

    /// As many as `translate` may draw.
    static func numbersNeeded(for edit: Edit) -> Int {
        edit.changes.reduce(0) { sum, change in
            switch change {
            case .put(let component), .extend(let component, _): sum + 2 + component.assets.count + component.fragments.count
            case .setPackage, .patchPackage, .putAsset, .link, .point: sum + 1
            case .remove, .removeAsset, .removeFragment, .unpoint, .renew: sum
            }
        }
    }

    mutating func translate() throws(MetadataError) {
        for (index, requirement) in self.edit.edit.requirements.enumerated() { self.require(requirement, index) }
        for (index, change) in self.edit.edit.changes.enumerated() {
            if self.edit.policy == .deny { self.require(.never, .someRow, .policy(index)) }
            try self.add(change, index)
        }
        self.bump(self.edit.edit.touches)
        for state in self.edit.states { self.run(.putUpstreamState(state, in: self.edit.repository)) }
    }

    private mutating func require(_ requirement: Edit.Requirement, _ index: Int) {
        switch requirement {
        case .absent(let coordinates):
            self.require(.component(coordinates, in: self.edit.repository), .noRow, .requirement(index))
        case .present(let all):
            for coordinates in all { self.require(.presentComponent(coordinates, in: self.edit.repository), .someRow, .requirement(index)) }
        case .linked(let paths):
            for path in paths { self.require(.presentDigest(path, in: self.edit.repository), .someRow, .requirement(index)) }
        case .asset(let path, let among):
            let digests = Set(among.compactMap { $0.map { SQLValue.bytes($0.bytes) } })
            self.require(.presentDigest(path, in: self.edit.repository), .among(digests, orNoRow: among.contains(nil)), .requirement(index))
        case .pointer(let name, let among):
            let targets = Set(among.compactMap { $0.map { SQLValue.text($0) } })
            self.require(.pointerTarget(name, in: self.edit.repository), .among(targets, orNoRow: among.contains(nil)), .requirement(index))
        case .unnamed(let part): self.require(.naming(part, in: self.edit.repository), .noRow, .requirement(index))
        case .generation(let document, let generation):
            let place = DocumentPlace(self.edit.repository, document)
            self.require(.generation(of: place), .among([.integer(generation)], orNoRow: generation == 0), .requirement(index))
        case .loose(let path, let moment): self.require(.loose(path, before: moment, in: self.edit.repository), .someRow, .requirement(index))
        }
    }

    private mutating func add(_ change: Edit.Change, _ index: Int) throws(MetadataError) {
        switch change {
        case .put(let component): try self.put(component, index)
        case .extend(let component, let redeploy): try self.extend(component, redeploy, index)
        case .removeFragment(let document, let section, let name):
            self.run(.removeFragment(document, section, name, in: self.edit.repository))
            self.bump([document])
        case .remove(let coordinates): self.remove(coordinates, index)
        case .setPackage(let package, let attributes): self.run(.setPackage(package, attributes, self.nextID(), self.edit))
        case .patchPackage(let package, let patch): self.run(.patchPackage(package, patch, self.nextID(), self.edit))
        case .putAsset(let asset, let redeploy): try self.putAsset(asset, redeploy, index)
        case .removeAsset(let path):
            self.require(.assetDigest(path, in: self.edit.repository), .someRow, .missing(index))
            self.run(.removeAsset(path, in: self.edit.repository))
        case .link(let path, let source, let sourcePath, _): self.link(path, source, sourcePath, index)
        case .point(let name, let target, let redeploy): self.point(name, target, redeploy, index)
        case .unpoint(let name):
            self.require(.pointerTarget(name, in: self.edit.repository), .someRow, .missing(index))
            self.run(.removePointer(name, in: self.edit.repository))
            self.run(.removePackage(ifEmpty: name.package, in: self.edit.repository))
        case .renew(let path): self.run(.renew(path, self.edit))
        }
    }

    mutating func run(_ statement: SQLStatement) { self.steps.append(.run(statement)) }

    mutating func require(_ query: SQLStatement, _ expectation: SQLExpectation, _ refused: Edit.Refused) {
        self.require(query, expectation, orElse: .refused(refused))
    }

    mutating func require(_ query: SQLStatement, _ expectation: SQLExpectation, orElse code: MetadataError.Code) {
        self.steps.append(.require(query, expectation, orElse: code))
    }

    mutating func nextID() -> Int64 {
        // `numbersNeeded` counts the same cases: running out is a programmer's error.
        precondition(!self.ids.isEmpty, "an edit drew more row numbers than it asked for")
        return self.ids.removeFirst()
    }
}
