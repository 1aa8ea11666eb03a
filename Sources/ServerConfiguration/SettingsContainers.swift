struct SettingsKeyedContainer<Key: CodingKey>: KeyedDecodingContainerProtocol {
    let entries: [ConfigurationNode.Entry]
    let decoder: SettingsDecoder

    var codingPath: [any CodingKey] { self.decoder.codingPath }
    var allKeys: [Key] { self.entries.compactMap { Key(stringValue: $0.key) } }

    /// Asking is what makes a key known.
    private func entry(_ key: Key) -> ConfigurationNode? {
        let isOutermost = self.decoder.codingPath.isEmpty
        if isOutermost { self.decoder.scope.ask(key.stringValue) }
        if isOutermost, self.decoder.scope.reserved.contains(key.stringValue) { return nil }
        return self.entries.first { $0.key == key.stringValue }?.value
    }

    private func child(_ key: Key) throws -> SettingsDecoder {
        guard let node = self.entry(key) else { throw self.decoder.report("the key \(key.stringValue) is missing") }
        return self.decoder.child(node, key)
    }

    func contains(_ key: Key) -> Bool { self.entry(key) != nil }
    func decodeNil(forKey key: Key) throws -> Bool { self.entry(key)?.isNull ?? true }

    func decode<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value { try self.child(key).decodeWithWords(type) }

    /// A wrong value is reported, then taken as absent: decoding goes on and finds the next.
    func decodeIfPresent<Value: Decodable>(_ type: Value.Type, forKey key: Key) throws -> Value? {
        guard let node = self.entry(key), !node.isNull else { return nil }
        do {
            return try self.decoder.child(node, key).decodeWithWords(type)
        } catch is ReportedError {
            return nil
        }
    }
    func decodeIfPresent(_ type: Bool.Type, forKey key: Key) throws -> Bool? { try self.ifPresent(key) }
    func decodeIfPresent(_ type: String.Type, forKey key: Key) throws -> String? { try self.ifPresent(key) }
    func decodeIfPresent(_ type: Double.Type, forKey key: Key) throws -> Double? { try self.ifPresent(key) }
    func decodeIfPresent(_ type: Float.Type, forKey key: Key) throws -> Float? { try self.ifPresent(key) }
    func decodeIfPresent(_ type: Int.Type, forKey key: Key) throws -> Int? { try self.ifPresent(key) }
    func decodeIfPresent(_ type: Int64.Type, forKey key: Key) throws -> Int64? { try self.ifPresent(key) }

    private func ifPresent<Value: Decodable>(_ key: Key) throws -> Value? {
        guard let node = self.entry(key), !node.isNull else { return nil }
        do {
            return try self.decoder.child(node, key).decode(Value.self)
        } catch is ReportedError {
            return nil
        }
    }

    func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type, forKey key: Key) throws -> KeyedDecodingContainer<Nested> {
        try self.child(key).container(keyedBy: type)
    }
    func nestedUnkeyedContainer(forKey key: Key) throws -> any UnkeyedDecodingContainer { try self.child(key).unkeyedContainer() }
    func superDecoder() throws -> any Decoder { self.decoder }
    func superDecoder(forKey key: Key) throws -> any Decoder { try self.child(key) }
}

struct SettingsListContainer: UnkeyedDecodingContainer {
    let members: [ConfigurationNode]
    let decoder: SettingsDecoder
    private(set) var currentIndex = 0

    init(members: [ConfigurationNode], decoder: SettingsDecoder) {
        self.members = members
        self.decoder = decoder
    }

    var codingPath: [any CodingKey] { self.decoder.codingPath }
    var count: Int? { self.members.count }
    var isAtEnd: Bool { self.currentIndex >= self.members.count }

    private struct Index: CodingKey {
        var intValue: Int?
        var stringValue: String
        init(intValue: Int) {
            self.intValue = intValue
            self.stringValue = String(intValue)
        }
        init?(stringValue: String) { nil }
    }

    private mutating func next() throws -> SettingsDecoder {
        guard !self.isAtEnd else { throw self.decoder.report("the list is too short") }
        defer { self.currentIndex += 1 }
        return self.decoder.child(self.members[self.currentIndex], Index(intValue: self.currentIndex))
    }

    mutating func decodeNil() throws -> Bool {
        guard !self.isAtEnd, self.members[self.currentIndex].isNull else { return false }
        self.currentIndex += 1
        return true
    }
    mutating func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try self.next().decodeWithWords(type) }
    mutating func nestedContainer<Nested: CodingKey>(keyedBy type: Nested.Type) throws -> KeyedDecodingContainer<Nested> {
        try self.next().container(keyedBy: type)
    }
    mutating func nestedUnkeyedContainer() throws -> any UnkeyedDecodingContainer { try self.next().unkeyedContainer() }
    mutating func superDecoder() throws -> any Decoder { try self.next() }
}

struct SettingsScalarContainer: SingleValueDecodingContainer {
    private static let whole = "a whole number"
    let decoder: SettingsDecoder
    var codingPath: [any CodingKey] { self.decoder.codingPath }

    func decodeNil() -> Bool { self.decoder.node.isNull }
    func decode(_ type: Bool.Type) throws -> Bool { try self.decoder.bool() }
    func decode(_ type: String.Type) throws -> String { try self.decoder.text() }
    func decode(_ type: Double.Type) throws -> Double { try self.decoder.number(type, rule: "a number") }
    func decode(_ type: Float.Type) throws -> Float { try self.decoder.number(type, rule: "a number") }
    func decode(_ type: Int.Type) throws -> Int { try self.decoder.number(type, rule: Self.whole) }
    func decode(_ type: Int8.Type) throws -> Int8 { try self.decoder.number(type, rule: Self.whole) }
    func decode(_ type: Int16.Type) throws -> Int16 { try self.decoder.number(type, rule: Self.whole) }
    func decode(_ type: Int32.Type) throws -> Int32 { try self.decoder.number(type, rule: Self.whole) }
    func decode(_ type: Int64.Type) throws -> Int64 { try self.decoder.number(type, rule: Self.whole) }
    func decode(_ type: UInt.Type) throws -> UInt { try self.decoder.number(type, rule: Self.whole) }
    func decode(_ type: UInt8.Type) throws -> UInt8 { try self.decoder.number(type, rule: Self.whole) }
    func decode(_ type: UInt16.Type) throws -> UInt16 { try self.decoder.number(type, rule: Self.whole) }
    func decode(_ type: UInt32.Type) throws -> UInt32 { try self.decoder.number(type, rule: Self.whole) }
    func decode(_ type: UInt64.Type) throws -> UInt64 { try self.decoder.number(type, rule: Self.whole) }
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try self.decoder.decodeWithWords(type) }
}
