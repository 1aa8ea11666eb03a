import ArtifactModel
import FormatAPI

/// What a scanner hears of a packument, and makes of it.
struct PackumentReader: JSONVisitor, Sendable {
    /// Of an upstream, in bytes: longer ones stay as they are.
    static let longestAddress = 8 << 10
    /// Versions, times, dist-tags and other members together: an outline of as many takes about 60 MB.
    static let mostEntries = 400_000
    private static let mostSlots = 8

    /// The object whose members come.
    private enum Place { case outside, packument, versions, time, tags, version, dist, attestations }

    /// The member whose value comes.
    private enum Member { case versions, time, tags, name, modified, dist, tarball, attestations, url, other }

    var outline = Outline()
    /// Members of the packument, its versions, times and dist-tags, those that have none of the outline's entries too.
    private(set) var keys: Int64 = 0
    /// Whether it says what it is.
    private(set) var isPackument = false
    private let package: NpmName
    private var place = Place.outside
    private var member = Member.other
    /// Whether the value that ends next is one that nothing was heard of.
    private var isLeaf = false
    private var name = ""
    private var start: Int64 = 0
    private var version: NpmVersion?
    private var versionStart: Int64 = 0
    private var slots: [DocumentSlot] = []
    /// Where the last one of each begins; before it there was another, under the same key.
    private var begins: (versions: Int64?, time: Int64?, tags: Int64?) = (nil, nil, nil)
    private var isReplaced = false

    init(_ package: NpmName) { self.package = package }

    mutating func key(_ text: UnsafeRawBufferPointer) throws(JSONFlaw) {
        switch self.place {
        case .version: self.member = Self.isEqual(text, "dist") ? .dist : .other
        case .dist: self.member = Self.isEqual(text, "tarball") ? .tarball : Self.isEqual(text, "attestations") ? .attestations : .other
        case .attestations: self.member = Self.isEqual(text, "url") ? .url : .other
        case .packument:
            self.member = Self.topMember(text)
            self.name = String(decoding: text, as: UTF8.self)
        case .versions:
            self.name = String(decoding: text, as: UTF8.self)
            self.version = NpmVersion(bytes: text)
        case .time, .tags: self.name = String(decoding: text, as: UTF8.self)
        case .outside: return
        }
    }

    mutating func begin(_ kind: JSONKind, at offset: Int64) throws(JSONFlaw) -> JSONInterest {
        switch (self.place, self.member, kind) {
        case (.outside, _, .object): return self.enter(.packument)
        case (.outside, _, _): throw JSONFlaw(message: "it is not an object", offset: offset)
        case (.packument, _, _): return self.beginMember(kind, at: offset)
        case (.versions, _, .object):
            self.keys += 1
            self.versionStart = offset
            self.slots = []
            return self.enter(.version)
        case (.version, .dist, .object): return self.enter(.dist)
        case (.dist, .attestations, .object): return self.enter(.attestations)
        case (.versions, _, _): self.keys += 1
        case (.time, _, _), (.tags, _, _):
            self.keys += 1
            self.start = offset
            self.isLeaf = true
            return .text(limit: NpmVersion.longest)
        case (.dist, .tarball, .string), (.attestations, .url, .string): self.start = offset
        case (.dist, .tarball, _): self.member = .other
        case (.attestations, .url, _): self.member = .other
        default: break
        }
        self.isLeaf = true
        return .nothing
    }

    private mutating func beginMember(_ kind: JSONKind, at offset: Int64) -> JSONInterest {
        switch (self.member, kind) {
        case (.versions, .object):
            self.isPackument = true
            self.begins.versions = self.begun(self.begins.versions, at: offset)
            return self.enter(.versions)
        case (.time, .object):
            self.begins.time = self.begun(self.begins.time, at: offset)
            return self.enter(.time)
        case (.tags, .object):
            self.begins.tags = self.begun(self.begins.tags, at: offset)
            return self.enter(.tags)
        case (.versions, _): self.begins.versions = self.begun(self.begins.versions, at: offset)
        case (.time, _): self.begins.time = self.begun(self.begins.time, at: offset)
        case (.tags, _): self.begins.tags = self.begun(self.begins.tags, at: offset)
        default: break
        }
        self.keys += 1
        self.start = offset
        self.isLeaf = true
        return self.member == .name || self.member == .modified ? .text(limit: 1024) : .nothing
    }

    private mutating func enter(_ place: Place) -> JSONInterest {
        self.place = place
        return .members
    }
}

// What ends.
extension PackumentReader {
    mutating func end(at offset: Int64, text: UnsafeRawBufferPointer?) throws(JSONFlaw) {
        if self.isLeaf {
            self.isLeaf = false
            return try self.endLeaf(at: offset, text)
        }
        switch self.place {
        case .attestations: self.place = .dist
        case .dist: self.place = .version
        case .version:
            self.place = .versions
            try self.add("versions", self.version?.sortKey ?? [], self.versionStart..<offset, self.slots)
        case .versions, .time, .tags: self.place = .packument
        case .packument, .outside: self.place = .outside
        }
    }

    private mutating func endLeaf(at offset: Int64, _ text: UnsafeRawBufferPointer?) throws(JSONFlaw) {
        let range = self.start..<offset
        switch (self.place, self.member) {
        case (.packument, .name):
            guard let text, text.elementsEqual(self.package.text.utf8) else { throw JSONFlaw(message: "it is another package's", offset: self.start) }
            self.isPackument = true
            try self.add("top", [], range)
        case (.packument, .versions), (.packument, .time), (.packument, .tags): return
        case (.packument, _): try self.add("top", text.map(Array.init) ?? [], range)
        case (.time, _): try self.add("time", text.map(Array.init) ?? [], range)
        case (.tags, _): if let text { try self.add(Outline.pointers, Array(text), range) }
        case (.dist, .tarball): try self.addSlot(range) { [package] in package.tarballPath($0) }
        case (.attestations, .url): try self.addSlot(range) { [package] in package.attestationsPath($0) }
        default: return
        }
    }

    private mutating func add(_ section: String, _ sortKey: [UInt8], _ bytes: Range<Int64>, _ slots: [DocumentSlot] = []) throws(JSONFlaw) {
        guard self.keys <= Self.mostEntries else {
            throw JSONFlaw(message: "it has more than \(Self.mostEntries) versions and times", offset: bytes.lowerBound)
        }
        self.outline.add(Outline.Entry(section: section, name: self.name, sortKey: sortKey, bytes: bytes, slots: slots))
    }

    /// - Parameter range: of the string, its quotes among it. What is no version cannot be asked of us, and keeps its address.
    private mutating func addSlot(_ range: Range<Int64>, _ path: (NpmVersion) -> String) throws(JSONFlaw) {
        guard let version = self.version, range.count <= Self.longestAddress + 2 else { return }
        guard self.slots.count < Self.mostSlots else { throw JSONFlaw(message: "«\(version)» names its tarball again and again", offset: range.lowerBound) }
        self.slots.append(DocumentSlot(range.lowerBound + 1..<range.upperBound - 1, path: path(version)))
    }

    // MARK: Keys that come twice

    private mutating func begun(_ before: Int64?, at offset: Int64) -> Int64 {
        if before != nil {
            self.isReplaced = true
            self.keys += 1
        }
        return offset
    }

    /// What stands in an object whose key comes again later is not said at all.
    func leaveOutReplaced(_ outline: inout Outline) {
        guard self.isReplaced else { return }
        let begins = self.begins
        outline = outline.filter { entry in
            switch entry.section {
            case "versions": entry.bytes.lowerBound >= begins.versions ?? 0
            case "time": entry.bytes.lowerBound >= begins.time ?? 0
            case Outline.pointers: entry.bytes.lowerBound >= begins.tags ?? 0
            default: true
            }
        }
    }

    private static func topMember(_ text: UnsafeRawBufferPointer) -> Member {
        if Self.isEqual(text, "versions") { return .versions }
        if Self.isEqual(text, "dist-tags") { return .tags }
        if Self.isEqual(text, "time") { return .time }
        if Self.isEqual(text, "name") { return .name }
        return Self.isEqual(text, "modified") ? .modified : .other
    }

    @inline(__always) private static func isEqual(_ text: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
        text.count == word.utf8CodeUnitCount && text.elementsEqual(UnsafeRawBufferPointer(start: word.utf8Start, count: word.utf8CodeUnitCount))
    }
}
