/// A value that is larger than is taken. It was read to its end, so that what follows it can be.
public struct YAMLTooLarge: Error, Hashable, Sendable {
    public let flaw: YAMLFlaw
}

/// A small document of YAML, whole.
public indirect enum YAMLTree: Hashable, Sendable {
    case mapping([Member])
    case sequence([YAMLTree])
    case scalar(String, isPlain: Bool)

    public struct Member: Hashable, Sendable {
        public var key: String
        public var value: YAMLTree
    }

    /// Values in it at most, each as often as it is referred to.
    public static let mostValues = 20_000
    /// Of its texts, in bytes, likewise.
    public static let mostBytes = 1 << 20

    /// - Throws: `YAMLFlaw`, also for a key that is no scalar; of a key that comes twice, the last one counts.
    public static func read(_ bytes: [UInt8], deepest: Int = 200) throws -> YAMLTree? {
        let reader = YAMLReader(deepest: deepest, bytes: bytes)
        var builder = YAMLTreeBuilder()
        do { return try builder.next(reader) } catch let error as YAMLTooLarge { throw error.flaw }
    }

    /// Of a mapping.
    public subscript(key: String) -> YAMLTree? {
        guard case .mapping(let members) = self else { return nil }
        return members.last { $0.key == key }?.value
    }

    /// Nothing, as it is written: `key:`, `key: ~`, `key: null`.
    public var isNull: Bool {
        guard case .scalar(let text, true) = self else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// Whatever it looks like; nil: it is none, or nothing.
    public var text: String? {
        guard case .scalar(let text, _) = self, !self.isNull else { return nil }
        return text
    }

    public var items: [YAMLTree]? {
        guard case .sequence(let items) = self else { return nil }
        return items
    }

    public var members: [Member]? {
        guard case .mapping(let members) = self else { return nil }
        return members
    }

    /// As readers of YAML 1.1 take it.
    public var flag: Bool? {
        guard case .scalar(let text, true) = self else { return nil }
        switch text.lowercased() {
        case "true", "yes", "on", "y": return true
        case "false", "no", "off", "n": return false
        default: return nil
        }
    }
}

/// Puts trees together of events: one after the other, as their reader has them.
public struct YAMLTreeBuilder {
    private struct Anchored {
        var tree: YAMLTree
        var size: Size
    }
    private struct Size {
        var values = 0
        /// Of texts.
        var bytes = 0
        static func - (a: Self, b: Self) -> Self { Size(values: a.values - b.values, bytes: a.bytes - b.bytes) }
    }

    private var anchors: [String: Anchored] = [:]
    /// So far in this one, what is referred to counted each time: a few lines may stand for billions of values otherwise, or for gigabytes.
    private var size = Size()
    private let mostValues: Int
    private let mostBytes: Int
    private static let mostAnchors = 200_000
    private var isTooLarge = false
    /// Values that were referred to, in all trees: see `refer`.
    private var referred = 0

    public init(mostValues: Int = YAMLTree.mostValues, mostBytes: Int = YAMLTree.mostBytes) {
        self.mostValues = mostValues
        self.mostBytes = mostBytes
    }

    /// The value that comes next; nil: none does.
    /// - Throws: `YAMLFlaw`, `YAMLTooLarge`, and what the source threw.
    public mutating func next(_ reader: YAMLReader) throws -> YAMLTree? {
        guard let event = try reader.next() else { return nil }
        return try self.value(beginningWith: event, reader)
    }

    /// The value that began with this event.
    /// - Throws: as `next` does.
    public mutating func value(beginningWith event: YAMLEvent, _ reader: YAMLReader) throws -> YAMLTree {
        (self.size, self.isTooLarge) = (Size(), false)
        let value = try self.value(event, reader)
        guard !self.isTooLarge else {
            throw YAMLTooLarge(
                flaw: reader.flaw("it has more than \(self.mostValues) values or \(self.mostBytes >> 10) KiB, each as often as it is referred to"))
        }
        return value
    }

    private mutating func value(_ event: YAMLEvent, _ reader: YAMLReader) throws -> YAMLTree {
        let before = self.size
        switch event {
        case .scalar(let text, let isPlain, let anchor):
            let isTaken = self.count(Size(values: 1, bytes: text.utf8.count))
            return try self.keep(isTaken ? .scalar(text, isPlain: isPlain) : Self.nothing, anchor, since: before, reader)
        case .beginSequence(let anchor):
            self.count(Size(values: 1))
            var items: [YAMLTree] = []
            while let inner = try reader.next(), inner != .endSequence {
                let item = try self.value(inner, reader)
                if !self.isTooLarge { items.append(item) }
            }
            return try self.keep(.sequence(items), anchor, since: before, reader)
        case .beginMapping(let anchor):
            self.count(Size(values: 1))
            return try self.keep(.mapping(try self.members(reader)), anchor, since: before, reader)
        case .alias(let name):
            guard let known = self.anchors[name] else { throw reader.flaw("*\(name) refers to nothing before it") }
            try self.refer(to: known.size, reader)
            return self.count(known.size) ? known.tree : Self.nothing
        case .endMapping, .endSequence: throw reader.flaw("something ends that did not begin")
        }
    }

    /// With those of the mappings that it merges (`<<`, <https://yaml.org/type/merge.html>), where it has none of the name itself.
    private mutating func members(_ reader: YAMLReader) throws -> [YAMLTree.Member] {
        var (members, merged) = ([YAMLTree.Member](), [YAMLTree.Member]())
        while let inner = try reader.next(), inner != .endMapping {
            guard case .scalar(let key, let isPlain) = try self.value(inner, reader) else { throw reader.flaw("a key is neither a word nor a number") }
            guard let event = try reader.next() else { break }
            let value = try self.value(event, reader)
            if self.isTooLarge { continue }
            if isPlain, key == "<<" { merged += Self.merged(value) } else { members.append(YAMLTree.Member(key: key, value: value)) }
        }
        guard !merged.isEmpty else { return members }
        var known = Set(members.map(\.key))
        for member in merged where known.insert(member.key).inserted { members.append(member) }
        return members
    }

    private static func merged(_ value: YAMLTree) -> [YAMLTree.Member] { value.members ?? (value.items ?? []).flatMap { $0.members ?? [] } }

    private mutating func keep(_ tree: YAMLTree, _ anchor: String?, since before: Size, _ reader: YAMLReader) throws -> YAMLTree {
        guard let anchor else { return tree }
        guard self.anchors.count < Self.mostAnchors else { throw reader.flaw("it has more than \(Self.mostAnchors) anchors") }
        // Who refers to what was left out is too large as well.
        self.anchors[anchor] =
            self.isTooLarge
            ? Anchored(tree: Self.nothing, size: Size(values: self.mostValues + 1)) : Anchored(tree: tree, size: self.size - before)
        return tree
    }

    /// What is referred to must bear some proportion to what was read, in all trees together: each of them may be of a size that is taken, and still be one of
    /// thousands that a few bytes stand for.
    private mutating func refer(to size: Size, _ reader: YAMLReader) throws {
        guard !self.isTooLarge else { return }
        self.referred += min(size.values, self.mostValues)
        guard self.referred <= 100_000 + 2 * reader.consumed else { throw reader.flaw("it refers to the same again and again") }
    }

    private static let nothing = YAMLTree.scalar("", isPlain: true)

    /// - Returns: whether all of it is still as large as is taken.
    @discardableResult private mutating func count(_ more: Size) -> Bool {
        self.size = Size(values: self.size.values + more.values, bytes: self.size.bytes + more.bytes)
        if self.size.values > self.mostValues || self.size.bytes > self.mostBytes { self.isTooLarge = true }
        return !self.isTooLarge
    }
}
