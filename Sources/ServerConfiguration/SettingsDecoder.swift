import ArtifactModel

/// Thrown inside this module only: what is wrong is among the findings already.
struct ReportedError: Error {}

/// Decodes a format's own keys from placed nodes. Wrong values are reported where they stand and replaced by an empty one, so that decoding
/// goes on and finds the next; the result of a decoding that reported something is never used.
struct SettingsDecoder: Decoder {
    let node: ConfigurationNode
    let key: String
    let scope: Scope
    var codingPath: [any CodingKey] = []
    var userInfo: [CodingUserInfoKey: Any] { [:] }

    /// Which keys of the outermost mapping were asked for.
    final class Scope {
        let findings: Findings
        /// Keys that are not the format's.
        let reserved: Set<String>
        private(set) var asked: [String] = []
        init(findings: Findings, reserved: Set<String>) {
            self.findings = findings
            self.reserved = reserved
        }

        func ask(_ key: String) {
            if !self.asked.contains(key) { self.asked.append(key) }
        }
    }

    func container<Key: CodingKey>(keyedBy type: Key.Type) throws -> KeyedDecodingContainer<Key> {
        let entries: [ConfigurationNode.Entry]
        switch self.node.content {
        case .mapping(let found): entries = found
        case .scalar(let scalar) where scalar.isNull: entries = []
        case .broken: throw ReportedError()
        case .scalar, .list: throw self.report("\(self.node.sort), where a mapping is wanted")
        }
        return KeyedDecodingContainer(SettingsKeyedContainer<Key>(entries: entries, decoder: self))
    }

    func unkeyedContainer() throws -> any UnkeyedDecodingContainer {
        switch self.node.content {
        case .list(let members): return SettingsListContainer(members: members, decoder: self)
        case .broken: throw ReportedError()
        case .scalar, .mapping: throw self.report("\(self.node.sort), where a list is wanted")
        }
    }

    func singleValueContainer() throws -> any SingleValueDecodingContainer { SettingsScalarContainer(decoder: self) }

    /// - Returns: what to throw.
    func report(_ message: String, allowed: [String] = []) -> ReportedError {
        self.scope.findings.error(self.node.position, self.key, message, allowed: allowed)
        return ReportedError()
    }

    /// Any type at this node. Every error of the type's own is reported here, at the node.
    func decode<Value: Decodable>(_ type: Value.Type) throws -> Value { try self.decode(with: { try Value(from: $0) }) }

    func decode<Value>(with run: (any Decoder) throws -> Value) throws -> Value {
        do {
            return try run(self)
        } catch let error as ReportedError {
            throw error
        } catch DecodingError.keyNotFound(let key, _) {
            throw self.report("the key \(key.stringValue) is missing")
        } catch DecodingError.dataCorrupted(let context) {
            let place = self.descendant(at: context.codingPath.dropFirst(self.codingPath.count))
            throw place.report(self.node.withoutInterpolated(context.debugDescription))
        } catch let error as InvalidName {
            throw self.report("«\(self.written)» is not a \(error.kind)", allowed: [error.rule])
        } catch {
            throw self.report("«\(self.written)» is not allowed here: \(self.node.withoutInterpolated("\(error)"))")
        }
    }

    /// A choice of words gets the words, instead of the standard library's text.
    func decode<Value: Decodable & CaseIterable & RawRepresentable>(choice type: Value.Type) throws -> Value where Value.RawValue == String {
        let text = try self.text()
        guard let value = Value(rawValue: text) else { throw self.report("«\(self.written)» is not a choice", allowed: Value.allCases.map(\.rawValue)) }
        return value
    }

    /// The node that a coding path leads to, as far as it leads.
    private func descendant(at path: ArraySlice<any CodingKey>) -> SettingsDecoder {
        guard let key = path.first else { return self }
        switch self.node.content {
        case .mapping(let entries):
            guard let entry = entries.first(where: { $0.key == key.stringValue }) else { return self }
            return self.child(entry.value, key).descendant(at: path.dropFirst())
        case .list(let members):
            guard let index = key.intValue, members.indices.contains(index) else { return self }
            return self.child(members[index], key).descendant(at: path.dropFirst())
        case .scalar, .broken: return self
        }
    }

    func child(_ node: ConfigurationNode, _ key: any CodingKey) -> SettingsDecoder {
        let isMember = key.intValue != nil
        return SettingsDecoder(
            node: node, key: isMember ? self.key : "\(self.key).\(key.stringValue)", scope: self.scope, codingPath: self.codingPath + [key])
    }

    var written: String {
        if case .scalar(let scalar) = self.node.content { scalar.written } else { self.node.sort }
    }

    func text() throws -> String {
        switch self.node.content {
        case .scalar(let scalar) where !scalar.isNull: return scalar.text
        case .broken: throw ReportedError()
        case .scalar, .list, .mapping: throw self.report("\(self.node.sort), where a single value is wanted")
        }
    }

    func bool() throws -> Bool {
        let text = try self.text()
        switch text {
        case "true": return true
        case "false": return false
        default: throw self.report("«\(self.written)» is not a boolean", allowed: ["true", "false"])
        }
    }

    func number<Number: LosslessStringConvertible>(_ type: Number.Type, rule: String) throws -> Number {
        let text = try self.text()
        guard let number = Number(text) else { throw self.report("«\(self.written)» is not a number", allowed: [rule]) }
        return number
    }
}

/// The words of an enum of words, where the type is one; the cast has no other way to be said.
extension SettingsDecoder {
    func decodeWithWords<Value: Decodable>(_ type: Value.Type) throws -> Value {
        if let choice = type as? any (Decodable & CaseIterable & RawRepresentable<String>).Type, let value = try self.decode(choice: choice) as? Value {
            return value
        }
        return try self.decode(type)
    }
}
