/// Every single value that a configuration's file says, by its place, secrets too. Prints none of them.
struct WrittenValues: Sendable, CustomStringConvertible, CustomReflectable {
    private let values: [(place: String, text: String)]

    init() { self.values = [] }
    init(_ node: ConfigurationNode) { self.values = Self.values(of: node, at: "") }

    var description: String { "\(self.values.count) values" }
    var customMirror: Mirror { Mirror(self, children: []) }

    /// One line a value, in an order that is not the file's, with what `hash` makes of it in its place.
    func lines(_ hash: (String) -> String) -> [String] { self.values.map { "\($0.place)=\(hash($0.text))" }.sorted() }

    private static func values(of node: ConfigurationNode, at place: String) -> [(place: String, text: String)] {
        switch node.content {
        case .broken: []
        case .scalar(let scalar): [(place, scalar.text)]
        case .list(let members): members.enumerated().flatMap { Self.values(of: $0.element, at: "\(place)[\($0.offset)]") }
        case .mapping(let entries): entries.flatMap { Self.values(of: $0.value, at: "\(place)/\($0.key)") }
        }
    }
}

extension Configuration {
    /// Changes with all that `config show` prints, and with every value of the file, also with a secret, of which only what `hash` makes is in it.
    /// - Parameter hash: one that nobody can undo.
    public func fingerprint(_ hash: (String) -> String) -> String { ([self.shown.json] + self.written.lines(hash)).joined(separator: "\n") }
}
