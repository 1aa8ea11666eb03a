import AccessControl
import ArtifactModel
import FormatAPI
import NIOCore
import StorageAPI
import Synchronization

/// Writes go to one hosted member, as if they had been sent to it.
extension GroupContent {
    private var target: Member? {
        guard let name = self.part.writeTo else { return nil }
        return self.members.first { $0.repository.name == name }
    }

    /// - Throws: `.methodNotAllowed` without `writeTo`; `.readOnly` for a name that another repository owns: nobody could read it here.
    private func writing(_ name: String?) throws -> any RepositoryContent {
        guard let target = self.target else {
            if let left = self.part.writeTo {
                throw FormatError(.forbidden, "the routing rule of «\(left)», which this group writes to, does not allow this path")
            }
            throw FormatError(.methodNotAllowed, "«\(self.repository.name)» is a group without writeTo: write to one of its members")
        }
        guard let name, !self.links.catalogue.mayAsk(target.repository, about: name) else { return target.content() }
        throw FormatError(
            .readOnly, "«\(name)» is owned by another repository than «\(target.repository.name)», which this group writes to; write to its owner")
    }

    func stage(_ body: ByteStream, _ demand: StageDemand) async throws -> StagedBlob {
        try await self.writing(demand.target.map(self.name)).stage(body, demand)
    }

    func uploads(in scope: String) -> any UploadSessions {
        do { return try self.writing(scope).uploads(in: scope) } catch { return NoUploads(error: FormatError(error)) }
    }

    func commit(_ edit: Edit) async throws {
        for change in edit.changes { _ = try self.writing(self.name(of: change)) }
        try await self.writing(nil).commit(edit)
    }

    private func name(of change: Edit.Change) -> String? {
        switch change {
        case .put(let component): component.coordinates.package.path
        case .extend(let component, _): component.assets.first.map { self.name(at: $0.path) } ?? component.coordinates.package.path
        case .removeFragment: nil
        case .remove(let coordinates): coordinates.package.path
        case .setPackage(let package, _), .patchPackage(let package, _): package.path
        case .putAsset(let asset, _): self.name(at: asset.path)
        case .removeAsset(let path), .renew(let path), .link(let path, _, _, _): self.name(at: path)
        case .point(let name, _, _), .unpoint(let name): name.package.path
        }
    }

    func writable() throws -> any RepositoryContent { try self.writing(nil) }

    func generation(of document: DocumentID) async throws -> Int64 { try await self.writing(nil).generation(of: document) }

    var adopts: Bool { true }

    /// Bytes that the target's store holds are linked, and not copied.
    func adopt(_ want: ContentRequest) async throws -> Bool {
        let name = self.name(at: want.path)
        let writing = try self.writing(name)
        guard let target = self.target else { return false }
        if try await self.maker.metadata.asset(at: want.path, in: target.repository.id) != nil { return true }
        let members = try await self.members(about: name).filter { $0.repository.id != target.repository.id && self.mayRead(name, $0.repository) }
        var want = want
        want.delivery = .whole
        guard let found = try await self.content(want, of: members), let member = members.first(where: { $0.repository.name == found.member }) else {
            return false
        }
        let blob: StagedBlob
        if let held = try await self.kept(found, want.named(by: member.repository), of: member.repository, for: target.repository) {
            blob = held
        } else {
            let demand = StageDemand(expecting: want.expecting, computing: Set(want.expecting.map(\.algorithm)))
            blob = try await writing.stage(ByteStream(found.source, on: self.context.compute), demand)
        }
        let arrival = Arrival(path: want.path, blob: blob, contentType: found.head.contentType, attributes: [:])
        try await writing.commit(try await want.record?(arrival) ?? Edit([.putAsset(arrival.asset, .always)]))
        return true
    }

    private func mayRead(_ name: String, _ member: Repository) -> Bool {
        [self.repository.name, member.name].contains {
            self.links.authorizer.refused([Access(.read, path: name)], of: $0, by: self.links.principal).isEmpty
        }
    }

    /// Waits until a member has all of it, and holds the bytes for the target; nil: they are in another store, or nobody keeps them.
    private func kept(_ found: Content, _ want: ContentRequest, of member: Repository, for target: Repository) async throws -> StagedBlob? {
        guard member.shelf.id == target.shelf.id else { return nil }
        if try await self.maker.metadata.asset(at: want.path, in: member.id) == nil { try await found.source.drain() }
        let key = Fill.Key(repository: member.id, path: want.path)
        // Who reads has the last byte before it is committed; that takes as long as a transaction.
        for _ in 0..<200 {
            let isRunning = self.maker.fills.running(key) != nil
            if let asset = try await self.maker.metadata.asset(at: want.path, in: member.id) {
                guard let digest = asset.digests.first(.sha256), let held = try await target.shelf.held(digest) else { return nil }
                return StagedBlob(digests: asset.digests, size: held.size, heldUntil: held.heldUntil, source: held.source)
            }
            guard isRunning else { return nil }
            try await Task.sleep(for: .milliseconds(50))
        }
        return nil
    }
}

extension ContentSource {
    /// Reading is what waits for the bytes; of a file no byte is copied for it.
    fileprivate func drain() async throws {
        var at: Int64 = 0
        while let piece = try await self.next(at: at, limit: 4 << 20) { at += piece.length }
    }
}

extension ContentPiece {
    /// In bytes.
    fileprivate var length: Int64 {
        switch self {
        case .bytes(let bytes): Int64(bytes.readableBytes)
        case .file(_, let range): Int64(range.count)
        }
    }
}

extension ByteStream {
    /// All that a source has.
    fileprivate init(_ source: any ContentSource, on compute: any BlockingPool) {
        let reading = SourceReading(source, on: compute)
        self.init(length: source.length) { try await reading.next() }
    }
}

/// How far a source has been read.
private final class SourceReading: Sendable {
    private let source: any ContentSource
    private let compute: any BlockingPool
    private let at = Mutex<Int64>(0)

    init(_ source: any ContentSource, on compute: any BlockingPool) {
        self.source = source
        self.compute = compute
    }

    func next() async throws -> ByteBuffer? {
        let at = self.at.withLock { $0 }
        guard let bytes = try await self.source.read(at: at, limit: 256 << 10, on: self.compute) else { return nil }
        self.at.withLock { $0 = at + Int64(bytes.readableBytes) }
        return bytes
    }
}

extension LinkSources {
    /// Links from a group, as links from the first of its members that has the bytes and may be asked about them; with the members that are
    /// readable for the group's sake.
    func traced(
        _ edit: Edit, to repository: Repository, _ metadata: any MetadataStore
    ) async throws -> (edit: Edit, granted: [RepositoryName: RepositoryID]) {
        var traced = edit
        var granted: [RepositoryName: RepositoryID] = [:]
        for (index, change) in edit.changes.enumerated() {
            guard case .link(let path, let name, let source, let subject) = change, let members = self.catalogue.members[name],
                let format = self.catalogue.formats[repository.format]
            else { continue }
            let isReadable = self.authorizer.refused([Access(.read, path: subject ?? source.text)], of: name, by: self.principal).isEmpty
            for member in members where member.shelf.id == repository.shelf.id && member.format == repository.format {
                let (name, own) = (format.name(at: source), format.structure.path(source, namedBy: member))
                guard self.catalogue.mayAsk(member, about: name), self.catalogue.mayAsk(member, about: member.fullName(name)),
                    member.allows(AskedPath(own.text)), try await metadata.asset(at: own, in: member.id) != nil
                else { continue }
                traced.changes[index] = .link(path, from: member.name, own, reading: subject)
                if isReadable { granted[member.name] = member.id }
                break
            }
        }
        return (traced, granted)
    }
}
