import ArtifactModel
public import StorageAPI

extension SQLMetadataStore: MetadataStore {
    /// `policy` says what `Edit.Redeploy` leaves open:
    /// - `.allowOnce`: a path keeps its bytes, a pointer its target, and a component its assets; sending equal ones again is fine.
    ///   A component's attributes and edges follow from its assets and are written anew.
    /// - `.deny`: every change is refused, as `.policy` of its index.
    public func commit(_ edit: RepositoryEdit) async throws(MetadataError) {
        let ids = try await self.ids.take(EditSteps.numbersNeeded(for: edit.edit))
        var steps = EditSteps(edit, ids: ids)
        try steps.translate()
        if edit.edit.onlyRemoves { try await self.database.commitFreeing(steps.steps) } else { try await self.database.commit(steps.steps) }
    }
}
