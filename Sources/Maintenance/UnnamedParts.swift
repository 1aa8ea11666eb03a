import ArtifactModel
import RepositoryEngine
import StorageAPI

extension MetadataStore {
    /// Removes those of the parts that no edge names and that were linked before `moment`, in one transaction. One that is used by now, or gone, is left
    /// out, and the rest tried again.
    /// - Returns: those that went.
    func remove(unnamed parts: [LoosePart], before moment: Timestamp, in repository: Repository, now: Timestamp) async throws -> [LoosePart] {
        var parts = parts
        while !parts.isEmpty {
            let requirements = parts.flatMap { [Edit.Requirement.unnamed($0.part), .loose($0.path, before: moment)] }
            let edit = Edit(requiring: requirements, parts.map { .removeAsset($0.path) })
            do {
                try await self.commit(RepositoryEdit(repository: repository.id, store: repository.shelf.id, edit: edit, now: now))
                return parts
            } catch {
                guard case .refused(let refusal) = error.code else { throw error }
                switch refusal {
                case .requirement(let index): parts.remove(at: index / 2)
                case .missing(let index): parts.remove(at: index)
                case .link, .policy: throw error
                }
            }
        }
        return []
    }
}
