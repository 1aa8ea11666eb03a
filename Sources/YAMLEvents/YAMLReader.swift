import CYaml

/// What comes in a YAML document, in order. Scalars are texts as they are written, their quotes and escapes resolved: what a plain one means is for who
/// knows what it should be.
public enum YAMLEvent: Hashable, Sendable {
    case beginMapping(anchor: String?)
    case endMapping
    case beginSequence(anchor: String?)
    case endSequence
    /// - Parameter isPlain: neither in quotes nor a block, so that it may be meant as a number, as true or as nothing.
    case scalar(String, isPlain: Bool, anchor: String?)
    case alias(String)
}

/// Why a text is no YAML that is taken here.
public struct YAMLFlaw: Error, Hashable, Sendable {
    public let message: String
    /// From 1; 0: not known.
    public let line: Int
}

/// Reads one document of YAML as events, from bytes that it asks for as it needs them: what it remembers does not grow with the document, but with its longest
/// scalar and its depth. By libyaml; YAML 1.1, of which JSON is a part. Used by one task at a time. Takes the processor, and waits for its source: for the pool.
public final class YAMLReader {
    /// Fills the space, and says how many bytes it got; 0: the end.
    public typealias Source = (UnsafeMutableRawBufferPointer) throws -> Int

    private let parser = UnsafeMutablePointer<yaml_parser_t>.allocate(capacity: 1)
    private let source: Source
    private let deepest: Int
    private var depth = 0
    private var isOver = false
    /// Why there is no more: libyaml says nothing sensible after an error.
    private var failure: (any Error)?
    private var sourceFailure: (any Error)?
    /// Since the last event, in bytes: one value must not take the memory of all.
    private var unheard = 0
    /// What came of the source so far, in bytes.
    public private(set) var consumed = 0
    static let longestValue = 4 << 20

    /// - Parameter deepest: of mappings and sequences within each other.
    public init(deepest: Int = 200, _ source: @escaping Source) {
        self.source = source
        self.deepest = deepest
        precondition(yaml_parser_initialize(self.parser) == 1, "libyaml has no memory")
        // It is asked for bytes in `next` only, and this object owns it.
        let me = Unmanaged.passUnretained(self).toOpaque()
        yaml_parser_set_input(
            self.parser,
            { me, space, size, count in
                guard let me, let space, let count else { return 0 }
                return Unmanaged<YAMLReader>.fromOpaque(me).takeUnretainedValue().fill(UnsafeMutableRawBufferPointer(start: space, count: size), count)
            }, me)
    }

    /// - Parameter bytes: all of it.
    public convenience init(deepest: Int = 200, bytes: [UInt8]) {
        var rest = bytes[...]
        self.init(deepest: deepest) { space in
            let count = min(space.count, rest.count)
            space.copyBytes(from: rest.prefix(count))
            rest = rest.dropFirst(count)
            return count
        }
    }

    deinit {
        yaml_parser_delete(self.parser)
        self.parser.deallocate()
    }

    private func fill(_ space: UnsafeMutableRawBufferPointer, _ count: UnsafeMutablePointer<Int>) -> CInt {
        do {
            count.pointee = try self.source(space)
            self.unheard += count.pointee
            self.consumed += count.pointee
            guard self.unheard <= Self.longestValue else { throw self.flaw("a value of it is longer than \(Self.longestValue >> 20) MiB") }
            return 1
        } catch {
            self.sourceFailure = error
            return 0
        }
    }

    /// nil: the document is over. What follows it is not looked at.
    /// - Throws: `YAMLFlaw`, and what the source threw.
    public func next() throws -> YAMLEvent? {
        if let failure = self.failure { throw failure }
        while !self.isOver {
            var event = yaml_event_t()
            guard yaml_parser_parse(self.parser, &event) == 1 else {
                let failure = self.parserFailure()
                self.failure = failure
                throw failure
            }
            defer { yaml_event_delete(&event) }
            self.unheard = 0
            switch event.type {
            case YAML_STREAM_END_EVENT, YAML_DOCUMENT_END_EVENT, YAML_NO_EVENT: self.isOver = true
            case YAML_MAPPING_START_EVENT:
                try self.descend()
                return .beginMapping(anchor: Self.text(event.data.mapping_start.anchor))
            case YAML_SEQUENCE_START_EVENT:
                try self.descend()
                return .beginSequence(anchor: Self.text(event.data.sequence_start.anchor))
            case YAML_MAPPING_END_EVENT:
                self.depth -= 1
                return .endMapping
            case YAML_SEQUENCE_END_EVENT:
                self.depth -= 1
                return .endSequence
            case YAML_ALIAS_EVENT: return .alias(Self.text(event.data.alias.anchor) ?? "")
            case YAML_SCALAR_EVENT: return Self.scalar(event.data.scalar)
            default: continue
            }
        }
        return nil
    }

    private func descend() throws {
        self.depth += 1
        guard self.depth <= self.deepest else { throw self.flaw("it is more than \(self.deepest) levels deep") }
    }

    private static func scalar(_ scalar: yaml_event_s.__Unnamed_union_data.__Unnamed_struct_scalar) -> YAMLEvent {
        let bytes = UnsafeBufferPointer(start: scalar.value, count: scalar.length)
        // A tag says that it is meant otherwise than it looks: `!!str 1.0`.
        let isPlain = scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.tag == nil
        return .scalar(String(decoding: bytes, as: UTF8.self), isPlain: isPlain, anchor: Self.text(scalar.anchor))
    }

    private static func text(_ pointer: UnsafeMutablePointer<yaml_char_t>?) -> String? {
        pointer.map { String(decodingCString: $0, as: UTF8.self) }
    }

    public func flaw(_ message: String) -> YAMLFlaw { YAMLFlaw(message: message, line: Int(self.parser.pointee.mark.line) + 1) }

    private func parserFailure() -> any Error {
        if let failure = self.sourceFailure { return failure }
        let problem = self.parser.pointee.problem.map { String(cString: $0) } ?? "it cannot be read"
        return YAMLFlaw(message: problem, line: Int(self.parser.pointee.problem_mark.line) + 1)
    }
}
