/// A text from outside that is not what it should be. `rule` says, for people, what is allowed.
public struct InvalidName: Error, Hashable, Sendable, CustomStringConvertible {
    public let kind: String
    public let text: String
    public let rule: String

    public init(kind: String, text: String, rule: String) {
        self.kind = kind
        self.text = String(text.prefix(200))
        self.rule = rule
    }

    public var description: String { "«\(self.text)» is not a \(self.kind): \(self.rule)" }
}
