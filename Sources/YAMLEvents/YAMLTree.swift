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

    /// - Throws: `YAMLFlaw`, also for a key that is no scalar; of a key that comes twice, the last one counts.
    public static func read(_ bytes: [UInt8], deepest: Int = 64) throws -> YAMLTree? {
        let reader = YAMLReader(deepest: deepest, bytes: bytes)
        var builder = YAMLTreeBuilder()
        return try builder.next(reader)
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
    private var anchors: [String: (tree: YAMLTree, values: Int)] = [:]
    /// So far in this one, those that are referred to counted each time: a few lines may stand for billions of values otherwise.
    private var values = 0
    private let mostValues: Int

    public init(mostValues: Int = YAMLTree.mostValues) { self.mostValues = mostValues }

    /// The value that comes next; nil: none does.
    public mutating func next(_ reader: YAMLReader) throws -> YAMLTree? {
        guard let event = try reader.next() else { return nil }
        self.values = 0
        return try self.value(event, reader)
    }

    /// The value that began with this event.
    public mutating func value(beginningWith event: YAMLEvent, _ reader: YAMLReader) throws -> YAMLTree {
        self.values = 0
        return try self.value(event, reader)
    }

    private mutating func value(_ event: YAMLEvent, _ reader: YAMLReader) throws -> YAMLTree {
        let before = self.values
        try self.count(1, reader)
        switch event {
        case .scalar(let text, let isPlain, let anchor): return self.keep(.scalar(text, isPlain: isPlain), anchor, since: before)
        case .beginSequence(let anchor):
            var items: [YAMLTree] = []
            while let inner = try reader.next(), inner != .endSequence { items.append(try self.value(inner, reader)) }
            return self.keep(.sequence(items), anchor, since: before)
        case .beginMapping(let anchor):
            var members: [YAMLTree.Member] = []
            while let inner = try reader.next(), inner != .endMapping {
                guard case .scalar(let key, _) = try self.value(inner, reader) else { throw reader.flaw("a key is neither a word nor a number") }
                guard let event = try reader.next() else { break }
                members.append(YAMLTree.Member(key: key, value: try self.value(event, reader)))
            }
            return self.keep(.mapping(members), anchor, since: before)
        case .alias(let name):
            guard let known = self.anchors[name] else { throw reader.flaw("*\(name) refers to nothing before it") }
            try self.count(known.values - 1, reader)
            return known.tree
        case .endMapping, .endSequence: throw reader.flaw("something ends that did not begin")
        }
    }

    private mutating func keep(_ tree: YAMLTree, _ anchor: String?, since before: Int) -> YAMLTree {
        if let anchor { self.anchors[anchor] = (tree, self.values - before) }
        return tree
    }

    private mutating func count(_ values: Int, _ reader: YAMLReader) throws {
        self.values += values
        guard self.values <= self.mostValues else { throw reader.flaw("it has more than \(self.mostValues) values") }
    }
}
