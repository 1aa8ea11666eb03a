import ArtifactModel
public import FormatAPI

extension OCIFormat {
    /// Which repository's registry an address belongs to; the first that fits:
    ///
    ///     /repository/<name>/v2/…     that one; the same below a root of the repository's own
    ///     /v2/…?ns=docker.io          the namespace's repository; the whole path is the image
    ///     /v2/<name>/<image>/…        the repository of that name, where an image remains
    ///     /v2/<image>/…               the default repository
    public func locate(
        _ head: RequestHead, at entrance: Entrance, among repositories: any RepositoryDirectory, _ site: OCISiteSettings
    ) -> Location? {
        switch entrance {
        case .repository(let name):
            switch head.path.first == "v2" ? Address(Array(head.path.dropFirst()))?.place : nil {
            case .base, .token: Location(.site, consumed: 1)
            default: head.path.first == "v2" ? Location(.repository(name), consumed: 1) : nil
            }
        case .door: self.locate(head, among: repositories, site)
        }
    }

    private func locate(_ head: RequestHead, among repositories: any RepositoryDirectory, _ site: OCISiteSettings) -> Location? {
        switch Address(head.path)?.place {
        case .base, .catalog, .token: return Location(.site, consumed: 0)
        default: break
        }
        if let host = head.query("ns"), let name = site.namespaces[host] { return Location(.repository(name), consumed: 0) }
        if let first = head.path.first, let rest = Address(Array(head.path.dropFirst())), !rest.image.isEmpty,
            let name = try? RepositoryName(first),  // no repository has a name that is none
            repositories.has(name, of: Self.id)
        {
            return Location(.repository(name), consumed: 1)
        }
        return site.defaultRepository.map { Location(.repository($0), consumed: 0) }
    }
}
