import AccessControl
import ArtifactModel

private enum DatabaseKind: String, CaseIterable { case sqlite, postgresql }
private enum BlobStoreKind: String, CaseIterable { case file, s3 }

extension ConfigurationReader {
    func database(_ section: Section) {
        let kind = section.value("type", .choice(), default: DatabaseKind.sqlite)
        if kind == .postgresql {
            _ = section.required("url", .secret)
            self.findings.error(
                section.entry("type")?.value.position, "database.type", "«postgresql» is not in this version; use sqlite",
                allowed: [DatabaseKind.sqlite.rawValue])
        }
        section.finish { $0 == "url" ? "belongs to type: postgresql, and this database is sqlite" : nil }
    }

    /// `default` is there even where the file does not name it.
    func blobStores(_ section: Section, data: String) -> [BlobStore] {
        var stores = section.members().compactMap { self.blobStore($0.section, name: $0.name, position: $0.position, data: data) }
        if section.entry("default") == nil {
            let path = self.surroundings.absolute("blobs", below: data)
            stores.insert(BlobStore(name: "default", path: path, quota: nil), at: 0)
            section.show("default", .mapping([.init("type", .text("file")), .init("path", .text(path)), .init("quota", .null)]))
        }
        self.checkFolders(stores, section)
        return stores
    }

    private func blobStore(_ section: Section, name: String, position: Position, data: String) -> BlobStore? {
        do {
            _ = try RepositoryName(name)
        } catch {
            self.findings.error(position, section.key, "«\(name)» is not a blob store's name", allowed: [error.rule])
        }
        let kind = section.value("type", .choice(), default: BlobStoreKind.file)
        guard kind == .file else {
            self.findings.error(section.entry("type")?.value.position, section.keyPath("type"), "«s3» is not in this version; use file", allowed: ["file"])
            self.cloudStore(section)
            return nil
        }
        let path = ValueKind<String>.path { self.surroundings.absolute($0, below: data) }
        let folder = name == "default" ? "blobs" : "blobs-\(name)"
        let store = BlobStore(
            name: name, path: section.value("path", path, default: self.surroundings.absolute(folder, below: data)), quota: section.optional("quota", .size))
        let others = ["bucket", "endpoint", "region", "accessKeyID", "secretAccessKey", "prefix", "redirect"]
        section.finish { others.contains($0) ? "belongs to type: s3, and this blob store is file" : nil }
        return store
    }

    /// Checked although it is refused, so that what is wrong with it is told at once.
    private func cloudStore(_ section: Section) {
        _ = section.required("bucket", .nonEmpty)
        _ = section.optional("endpoint", .url)
        _ = section.optional("region", .nonEmpty)
        _ = section.optional("accessKeyID", .nonEmpty)
        _ = section.optional("secretAccessKey", .secret)
        _ = section.optional("prefix", .text)
        _ = section.value("redirect", .bool, default: false)
        _ = section.optional("quota", .size)
        section.finish { $0 == "path" ? "belongs to type: file, and this blob store is s3" : nil }
    }

    /// Two stores in one folder would collect each other's blobs.
    private func checkFolders(_ stores: [BlobStore], _ section: Section) {
        var owners: [String: String] = [:]
        for store in stores {
            if let other = owners.updateValue(store.name, forKey: store.path) {
                self.findings.error(section.position(of: store.name), "blobStores.\(store.name).path", "is the folder of the blob store \(other) too")
            }
        }
    }

    func outbound(_ section: Section) -> Outbound {
        let outbound = Outbound(
            allowPrivate: section.list("allowPrivate", .type { text throws(InvalidName) in try CIDR(text) }).map(\.value),
            proxy: section.optional("proxy", .egressProxy), ca: section.optional("ca", .path { self.surroundings.absolute($0) }))
        section.finish()
        return outbound
    }
}

extension ValueKind where Value == Configuration.Repository.Mirror {
    /// A URL alone: trusted in all.
    static var remoteMirror: Self {
        let address = ValueKind<WebAddress>.remote
        return Self(
            parse: { scalar throws(InvalidName) in Value(address: try address.parse(scalar), digestsOnly: false) }, show: { address.show($0.address) })
    }
}

extension ValueKind where Value == WebAddress {
    static var url: Self { .type { text throws(InvalidName) in try WebAddress(text) } }

    /// Credentials have a key of their own, which is not shown.
    static var remote: Self {
        .type { text throws(InvalidName) in
            let address = try WebAddress(text)
            guard address.userInformation == nil, address.query == nil else {
                throw InvalidName(kind: "remote", text: "", rule: "a URL without query and user; credentials belong to authentication")
            }
            return address
        }
    }

    static var egressProxy: Self {
        .type { text throws(InvalidName) in
            let address = try WebAddress(text)
            guard address.scheme == .http, address.path.isEmpty, address.query == nil else {
                throw InvalidName(kind: "proxy", text: "", rule: "http://[user:password@]host:port")
            }
            return address
        }
    }
}
