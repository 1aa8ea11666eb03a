import ArtifactModel

/// What is searched for: `express scope:acme keywords:web,http author:"Ann Example"`. Words must all be found, in a name, a keyword, the description or a
/// person; of several keywords one. `not:`, `is:` and `boost-exact:` are the public registry's own and mean nothing here.
///
/// Pure: one text and one set of packages give one order.
struct SearchText: Hashable, Sendable {
    /// In bytes. What is longer is cut.
    static let longest = 1024
    /// Words and qualifiers. What comes after them is not looked at.
    static let most = 32

    private(set) var words: [String] = []
    /// Without its `@`.
    private(set) var scopes: [String] = []
    private(set) var authors: [String] = []
    private(set) var maintainers: [String] = []
    /// Of each group one must be there.
    private(set) var keywords: [[String]] = []

    init(_ text: String) {
        for part in Self.parts(String(decoding: text.utf8.prefix(Self.longest), as: UTF8.self)).prefix(Self.most) { self.add(part) }
    }

    private mutating func add(_ part: String) {
        let halves = part.split(separator: ":", maxSplits: 1)
        guard halves.count == 2 else { return self.words.append(part) }
        let value = String(halves[1])
        switch halves[0] {
        case "scope": self.scopes.append(value.hasPrefix("@") ? String(value.dropFirst()) : value)
        case "author": self.authors.append(value)
        case "maintainer": self.maintainers.append(value)
        case "keywords", "keyword": self.keywords.append(value.split(separator: ",").map(Self.trimmed))
        case "not", "is", "boost-exact": return
        default: self.words.append(part)
        }
    }

    /// Split at spaces that are not within quotes, in small letters.
    private static func parts(_ text: String) -> [String] {
        var parts: [String] = []
        var (part, isQuoted) = ("", false)
        for character in text.lowercased() {
            if character == "\"" {
                isQuoted.toggle()
            } else if character.isWhitespace, !isQuoted {
                parts.append(part)
                part = ""
            } else {
                part.append(character)
            }
        }
        return (parts + [part]).filter { !$0.isEmpty }
    }

    private static func trimmed(_ text: Substring) -> String { String(text.drop(while: \.isWhitespace).reversed().drop(while: \.isWhitespace).reversed()) }

    // MARK: Finding

    /// How well a package is what is searched for, from 0 on; nil: it is not.
    func score(_ package: SearchedPackage) -> Int? {
        guard self.scopes.isEmpty || self.scopes.contains(package.scope) else { return nil }
        guard self.authors.allSatisfy({ author in package.author.contains { Self.holds($0, author) } }) else { return nil }
        guard self.maintainers.allSatisfy({ person in package.maintainers.contains { Self.holds($0, person) } }) else { return nil }
        guard self.keywords.allSatisfy({ group in package.keywords.contains { group.contains($0) } }) else { return nil }
        var sum = 0
        for word in self.words {
            guard let score = Self.score(word, package) else { return nil }
            sum += score
        }
        return sum
    }

    private static func score(_ word: String, _ package: SearchedPackage) -> Int? {
        if package.name == word || package.fullName == word || package.fullName == "@" + word { return 1000 }
        if package.name.hasPrefix(word) || package.fullName.hasPrefix(word) { return 300 }
        if Self.holds(package.fullName, word) { return 200 }
        if package.keywords.contains(word) { return 100 }
        if package.keywords.contains(where: { Self.holds($0, word) }) { return 40 }
        if Self.holds(package.description, word) { return 20 }
        return (package.author + package.maintainers).contains { Self.holds($0, word) } ? 10 : nil
    }

    private static func holds(_ text: String, _ word: String) -> Bool { text.utf8.count >= word.utf8.count && text.utf8.contains(word.utf8) }

    /// Those that are found, the best first, and where two are as good, by name.
    func found(among packages: some Sequence<SearchedPackage>) -> [(package: SearchedPackage, score: Int)] {
        let found = packages.compactMap { package in self.score(package).map { (package: package, score: $0) } }
        return found.sorted { $0.score != $1.score ? $0.score > $1.score : ByteText.precedes($0.package.package.text, $1.package.package.text) }
    }
}

/// What is searched of a package, in small letters.
struct SearchedPackage: Hashable, Sendable {
    /// As it is written.
    let package: NpmName
    fileprivate let fullName: String
    fileprivate let name: String
    fileprivate let scope: String
    fileprivate let description: String
    fileprivate let keywords: [String]
    /// Names and addresses.
    fileprivate let author: [String]
    fileprivate let maintainers: [String]

    init(_ package: NpmName, _ attributes: PackageAttributes) {
        self.package = package
        self.fullName = package.text.lowercased()
        self.name = package.base.lowercased()
        self.scope = String(package.scope.dropFirst()).lowercased()
        self.description = attributes.latest?["description"]?.string?.lowercased() ?? ""
        self.keywords = Self.keywords(attributes.latest?["keywords"])
        self.author = Self.person(attributes.latest?["author"])
        self.maintainers = (attributes.maintainers?.elements ?? []).flatMap { Self.person($0) }
    }

    /// A list, or, in old manifests, a text with commas or spaces.
    private static func keywords(_ value: JSONValue?) -> [String] {
        if let elements = value?.elements { return elements.compactMap { $0.string?.lowercased() } }
        return (value?.string ?? "").lowercased().split { $0 == "," || $0.isWhitespace }.map(String.init)
    }

    /// `{"name":…,"email":…}`, or `Ann <ann@example.com>`.
    private static func person(_ value: JSONValue?) -> [String] {
        if let text = value?.string { return [text.lowercased()] }
        return ["name", "username", "email"].compactMap { value?[$0]?.string?.lowercased() }
    }
}
