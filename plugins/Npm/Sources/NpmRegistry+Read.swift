import ArtifactModel
public import FormatAPI
import HTTPTypes
import NIOCore

extension NpmRegistry {
    func packument(_ name: NpmName, _ form: Packument.Key.Form, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        guard let document = try await content.document(Packument.self, Packument.Key(package: name, form: form)) else { throw Self.absent(name) }
        return ArtifactResponse(.ok, headers: [.vary: "Accept"], body: .content(document)).repeatable
    }

    /// Of the repository that takes the writes.
    func packumentToWrite(_ name: NpmName, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let key = Packument.Key(package: name, form: .full)
        guard let document = try await content.writable().document(Packument.self, key) else { throw Self.absent(name) }
        return ArtifactResponse(.ok, headers: [.vary: "Accept", .cacheControl: "no-store"], body: .content(document))
    }

    /// `GET /<package>/<version>`, or a dist-tag.
    func manifest(_ name: NpmName, _ wanted: String, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let key = Packument.Key(package: name, form: .full)
        var version = wanted
        var skipped: [RepositoryName] = []
        if NpmVersion(bytes: wanted.utf8) == nil {
            let demand = DocumentDemand.containing(section: Outline.pointers, name: wanted)
            guard let outlines = try await content.outlines(Packument.self, key, demand) else { throw Self.absent(name) }
            guard let target = PackumentMerge.tags(of: outlines.parts).first(where: { $0.name == wanted })?.version else {
                throw FormatError(.notFound, "\(name) has no version and no dist-tag «\(wanted.prefix(100))»")
            }
            (version, skipped) = (target, outlines.skippedMembers)
        }
        guard let entry = try await content.entry(Packument.self, key, section: "versions", name: version) else { throw Self.absent(name, version) }
        let outlines = try await content.outlines(Packument.self, key, .containing(section: "versions", name: version))
        let reason = outlines?.parts.compactMap { PackumentSource($0, number: 0).attributes?.deprecated[version] }.first
        let bytes = entry.shown(below: content.context.publicBase, deprecated: reason)
        var response = ArtifactResponse(.ok, headers: [.contentType: "application/json"], body: .bytes(bytes))
        response.mark(skipped: skipped.isEmpty ? outlines?.skippedMembers ?? [] : skipped)
        return response
    }

    // MARK: Tarballs

    /// What a repository of its own keeps is served without a look into the packument. Of a group the tarball is the member's whose manifest is shown: two may have
    /// other bytes under one name and version.
    func tarball(_ name: NpmName, _ version: NpmVersion, _ content: any RepositoryContent) async throws -> ArtifactResponse {
        let kept = ContentRequest(AssetPath(checked: name.tarballPath(version)), .immutable)
        if !content.adopts, let file = try await content.content(kept) { return ArtifactResponse(.ok, body: .content(file)).repeatable }
        let want: ContentRequest
        do {
            want = try await self.request(for: name, version, content)
        } catch let error as FormatError where content.adopts && error.code != .notFound {
            // Nobody can say whose it is: what is kept of it is better than nothing.
            guard let file = try await content.content(kept) else { throw error }
            return ArtifactResponse(.ok, body: .content(file))
        }
        let member = want.from
        let found = try await content.gather(name.text) { content in
            content.context.repository == member ? try await content.content(want) : nil
        }
        guard let file = found.parts.compactMap({ $0 }).first else { throw found.trouble ?? Self.absent(name, version.text) }
        return ArtifactResponse(.ok, body: .content(file)).repeatable
    }

    /// The address and the hash are the packument's.
    func request(for name: NpmName, _ version: NpmVersion, _ content: any RepositoryContent) async throws -> ContentRequest {
        let path = AssetPath(checked: name.tarballPath(version))
        let key = Packument.Key(package: name, form: .abbreviated)
        guard let entry = try await content.entry(Packument.self, key, section: "versions", name: version.text) else { throw Self.absent(name, version.text) }
        let bytes = entry.bytes
        let manifest: JSONValue
        do {
            manifest = try await content.context.compute.run { try JSONValue(bytes.readableBytesView) }
        } catch let flaw as JSONFlaw {
            throw FormatError(.upstreamFailed, "the upstream's manifest of \(name)@\(version) cannot be read: \(flaw.message)", cause: flaw)
        }
        var want = ContentRequest(path, .immutable, contentType: "application/octet-stream")
        want.from = entry.member
        guard let address = manifest["dist"]?["tarball"]?.string, !address.isEmpty else { return want }
        let integrity = Integrity(manifest["dist"])
        guard !integrity.isHopeless else {
            throw FormatError(.upstreamFailed, "what the upstream says of the hash of \(name)@\(version) cannot be checked: nothing is taken from it")
        }
        // A web page is not what is asked for.
        want.upstream = UpstreamResource(.absolute(address), accept: ["application/octet-stream", "application/*"])
        if integrity.strongest.count == 1 {
            want.expecting = integrity.strongest
        } else if let first = integrity.strongest.first {
            want.computing = [first.algorithm]
            want.record = { arrival in
                guard integrity.strongest.contains(where: { $0 == arrival.blob.digests.first($0.algorithm) }) else {
                    throw FormatError(.upstreamFailed, "the upstream's tarball of \(name)@\(version) is not what its packument says")
                }
                return Edit([.putAsset(arrival.asset, .always)])
            }
        }
        return want
    }

    /// `express@4.18.2`, `@acme/hello@next`, `express`: a version, a dist-tag, or what `latest` is.
    public func prefetch(
        _ reference: String, _ choice: [String], in content: any RepositoryContent, _ settings: NoSettings
    ) async throws -> [Prefetch] {
        let at = reference.dropFirst().lastIndex(of: "@")
        let name = try NpmName(at.map { String(reference[..<$0]) } ?? reference)
        let wanted = at.map { String(reference[reference.index(after: $0)...]) } ?? "latest"
        if let version = NpmVersion(bytes: wanted.utf8) { return [Prefetch(try await self.request(for: name, version, content))] }
        let key = Packument.Key(package: name, form: .abbreviated)
        guard let outlines = try await content.outlines(Packument.self, key, .containing(section: Outline.pointers, name: wanted)),
            let target = PackumentMerge.tags(of: outlines.parts).first(where: { $0.name == wanted })?.version
        else { throw FormatError(.notFound, "\(name) has no dist-tag «\(wanted.prefix(100))»") }
        return [Prefetch(try await self.request(for: name, try NpmVersion(target), content))]
    }

    static func absent(_ name: NpmName, _ version: String? = nil) -> FormatError {
        FormatError(.notFound, version.map { "\(name) has no version \($0.prefix(100))" } ?? "there is no package «\(name)» here, or nothing that you may see")
    }
}

extension DocumentEntry {
    /// The entry as a client sees it.
    func shown(below base: String, deprecated reason: String?) -> ByteBuffer {
        var out = ByteBuffer()
        var at = 0
        for slot in self.slots {
            out.writeImmutableBuffer(self.bytes.getSlice(at: self.bytes.readerIndex + at, length: Int(slot.bytes.lowerBound) - at) ?? ByteBuffer())
            out.writeString("\(base)/\(slot.path)")
            at = Int(slot.bytes.upperBound)
        }
        out.writeImmutableBuffer(self.bytes.getSlice(at: self.bytes.readerIndex + at, length: self.bytes.readableBytes - at) ?? ByteBuffer())
        guard let reason, out.readableBytes > 1 else { return out }
        // It ends with the object's brace.
        out.moveWriterIndex(to: out.writerIndex - 1)
        out.writeString(",\"deprecated\":")
        out.writeBytes(JSONValue.quoted(reason))
        out.writeString("}")
        return out
    }
}
