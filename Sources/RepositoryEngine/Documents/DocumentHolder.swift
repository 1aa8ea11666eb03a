import ArtifactModel
import FormatAPI
import NIOCore
import StorageAPI

/// A hosted or proxy repository: what a document is made of.
protocol DocumentHolder: RepositoryContent {
    var repository: Repository { get }
    var maker: ContentMaker { get }
    /// nil: it has nothing to say in this document.
    func part<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand) async throws -> DocumentPart?
    /// The same of what is here, however old it is; nobody is asked.
    func heldPart<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key) async throws -> DocumentPart?
}

extension DocumentHolder {
    func document<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand) async throws -> Content? {
        let order = Documents.Order<Document>(key: key, repository: self.repository, context: self.context)
        return try await self.maker.documents.content(order, start: self.maker.fills.start) {
            Gathered(try await self.part(type, key, demand).map { [$0] } ?? [])
        }
    }

    func outlines<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand) async throws -> Gathered<Outline>? {
        guard let part = try await self.part(type, key, demand) else { return nil }
        return Gathered([try await part.read().outline])
    }

    func entry<Document: DerivedDocument>(
        _ type: Document.Type, _ key: Document.Key, section: String, name: String
    ) async throws -> DocumentEntry? {
        for _ in 0..<5 {
            do {
                // An entry is looked for in what is here first: what a version is does not change with the list that it is in.
                if let held = try await self.heldPart(type, key), let entry = try await held.entry(section, name, on: self.context.compute) { return entry }
                guard let part = try await self.part(type, key, .containing(section: section, name: name)) else { return nil }
                return try await part.entry(section, name, on: self.context.compute)
            } catch is DocumentChanged {
                continue
            }
        }
        throw FormatError(.unavailable, "this document changes faster than it can be read; try again", retryAfter: .seconds(1))
    }
}

extension DocumentPart {
    /// Of an entry, in bytes: it is read into memory.
    private static let largestEntry: Int64 = 16 << 20

    /// nil: it has no such entry.
    func entry(_ section: String, _ name: String, on compute: any BlockingPool) async throws -> DocumentEntry? {
        let source = try await self.read()
        guard let entry = source.outline.entry(section, name) else { return nil }
        guard Int64(entry.bytes.count) <= Self.largestEntry else { throw FormatError(.upstreamFailed, "«\(name)» is longer than any entry may be") }
        var bytes = ByteBuffer()
        while Int64(bytes.readableBytes) < entry.bytes.count {
            let at = entry.bytes.lowerBound + Int64(bytes.readableBytes)
            guard var piece = try await source.bytes.read(at: at, limit: entry.bytes.upperBound - at, on: compute) else { throw DocumentChanged() }
            bytes.writeBuffer(&piece)
        }
        let originals = entry.slots.map { slot in
            let at = bytes.readerIndex + Int(slot.bytes.lowerBound - entry.bytes.lowerBound)
            return bytes.getString(at: at, length: slot.bytes.count) ?? ""
        }
        let slots = entry.slots.map { slot in
            DocumentSlot(slot.bytes.lowerBound - entry.bytes.lowerBound..<slot.bytes.upperBound - entry.bytes.lowerBound, path: slot.path)
        }
        return DocumentEntry(bytes: bytes, originals: originals, sortKey: entry.sortKey, slots: slots, member: self.member)
    }
}

extension HostedContent: DocumentHolder {
    func heldPart<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key) async throws -> DocumentPart? {
        try await self.part(type, key, .asConfigured)
    }

    func part<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand) async throws -> DocumentPart? {
        let place = DocumentPlace(self.repository.id, Document.identifier(key))
        guard let generation = try await self.maker.metadata.generations(of: [place]).first, generation > 0 else { return nil }
        let stamp = DocumentStamp.Part(repository: self.repository.id, version: .generation(generation))
        let maker = self.maker
        return DocumentPart(stamp: stamp, member: self.repository.name) {
            let rows = try await maker.documents.outline(type, key, stamp, start: maker.fills.start) {
                // Of one moment where that can be had: pages of two are right in each entry, and the next GET has another stamp.
                for _ in 0..<2 {
                    let before = try await maker.metadata.generations(of: [place])
                    let rows = try await FragmentContent.rows(of: place, generation, Document.pointers(key), Document.package(key), maker.metadata)
                    if try await maker.metadata.generations(of: [place]) == before { return rows }
                }
                return try await FragmentContent.rows(of: place, generation, Document.pointers(key), Document.package(key), maker.metadata)
            }
            return DocumentSource(outline: rows.outline, bytes: FragmentContent(rows: rows, ledger: maker.metadata))
        }
    }
}

extension GroupContent {
    func document<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand) async throws -> Content? {
        var order = Documents.Order<Document>(key: key, repository: self.repository, context: self.context)
        if Document.name(key) == nil, !self.links.catalogue.owners.isEmpty { order.isShown = { self.isShown($1, of: $0, in: type, key) } }
        return try await self.maker.documents.content(order, start: self.maker.fills.start) { try await self.parts(type, key, demand) }
    }

    func entry<Document: DerivedDocument>(
        _ type: Document.Type, _ key: Document.Key, section: String, name: String
    ) async throws -> DocumentEntry? {
        let entry = Outline.Entry(section: section, name: name, bytes: 0..<0)
        for _ in 0..<5 {
            do {
                for member in try await self.members(about: Document.name(key)) where self.isShown(entry, of: member.repository.name, in: type, key) {
                    guard let part = try await (member.content() as? any DocumentHolder)?.heldPart(type, key) else {
                        // What it has is not known: nobody behind it may answer in its place.
                        if member.repository.isProxy { break }
                        continue
                    }
                    if let entry = try await part.entry(section, name, on: self.context.compute) { return entry }
                }
                // Nobody's upstream is asked about what another member has.
                for demand in [DocumentDemand.asConfigured, .containing(section: section, name: name)] {
                    let gathered = try await self.parts(type, key, demand)
                    for part in gathered.parts where self.isShown(entry, of: part.member, in: type, key) {
                        if let entry = try await part.entry(section, name, on: self.context.compute) { return entry }
                    }
                    if let trouble = gathered.trouble { throw trouble }
                }
                return nil
            } catch is DocumentChanged {
                continue
            }
        }
        throw FormatError(.unavailable, "this document changes faster than it can be read; try again", retryAfter: .seconds(1))
    }

    /// Whether an entry may be shown of this member: not of one that may not be asked about the package that it is of.
    private func isShown<Document: DerivedDocument>(_ entry: Outline.Entry, of member: RepositoryName, in type: Document.Type, _ key: Document.Key) -> Bool {
        let catalogue = self.links.catalogue
        guard Document.name(key) == nil, !catalogue.owners.isEmpty, let name = Document.name(of: entry, key), let repository = catalogue.repositories[member]
        else { return true }
        return catalogue.mayAsk(repository, about: name)
    }

    /// A member whose upstream must be asked again for what another has is not: the members' own answer stands first.
    func outlines<Document: DerivedDocument>(_ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand) async throws -> Gathered<Outline>? {
        var outlines = Gathered<Outline>([])
        for attempt in demand == .asConfigured ? [demand] : [.asConfigured, demand] {
            let gathered = try await self.parts(type, key, attempt)
            outlines = Gathered([], skippedMembers: gathered.skippedMembers, trouble: gathered.trouble)
            for part in gathered.parts {
                let outline = try await part.read().outline
                let isWhole = Document.name(key) != nil || self.links.catalogue.owners.isEmpty
                outlines.parts.append(isWhole ? outline : outline.filter { self.isShown($0, of: part.member, in: type, key) })
            }
            guard case .containing(let section, let name) = demand, !outlines.parts.contains(where: { $0.entry(section, name) != nil }) else {
                return outlines.parts.isEmpty ? try Self.nothing(but: outlines.trouble) : outlines
            }
        }
        if let trouble = outlines.trouble { throw trouble }
        return outlines.parts.isEmpty ? nil : outlines
    }

    private static func nothing<Part>(but trouble: FormatError?) throws -> Gathered<Part>? {
        if let trouble { throw trouble }
        return nil
    }

    private func parts<Document: DerivedDocument>(
        _ type: Document.Type, _ key: Document.Key, _ demand: DocumentDemand
    ) async throws -> Gathered<DocumentPart> {
        let gathered = try await self.gather(Document.name(key)) { member -> MemberPart in
            do {
                return MemberPart(part: try await (member as? any DocumentHolder)?.part(type, key, demand))
            } catch let error as FormatError where Document.goesOnWithoutBroken && error.isOfBrokenDocument {
                return MemberPart(broken: (member.context.repository, error))
            }
        }
        let broken = gathered.parts.compactMap(\.broken)
        return Gathered(
            gathered.parts.compactMap(\.part), skippedMembers: gathered.skippedMembers + self.shown(broken.map(\.member)),
            trouble: gathered.trouble ?? broken.first?.error)
    }

    private struct MemberPart: Sendable {
        var part: DocumentPart?
        /// What its upstream sent is no such document; the log says so where it was refused.
        var broken: (member: RepositoryName, error: FormatError)?
    }
}
