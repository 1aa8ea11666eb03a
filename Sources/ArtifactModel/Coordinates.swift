/// A package, compared byte by byte: an image, an npm package, G:A, a chart, a model.
/// `namespace` is npm's scope, Maven's groupId, `models`, or empty.
public struct PackageName: Hashable, Sendable {
    public var namespace: String
    public var name: String
    public init(namespace: String = "", name: String) {
        self.namespace = namespace
        self.name = name
    }

    public static func == (a: Self, b: Self) -> Bool { ByteText.equal(a.name, b.name) && ByteText.equal(a.namespace, b.namespace) }
    public func hash(into hasher: inout Hasher) {
        ByteText.hash(self.namespace, into: &hasher)
        ByteText.hash(self.name, into: &hasher)
    }
}

/// One version of one package. The version of an OCI image is its manifest's digest, of a model its commit.
public struct Coordinates: Hashable, Sendable {
    public var package: PackageName
    public var version: String
    public init(package: PackageName, version: String) {
        self.package = package
        self.version = version
    }

    public static func == (a: Self, b: Self) -> Bool { a.package == b.package && ByteText.equal(a.version, b.version) }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.package)
        ByteText.hash(self.version, into: &hasher)
    }
}

/// A movable name: tag, dist-tag, branch, alias. `kind` is the format's word for it.
public struct PointerName: Hashable, Sendable {
    public var package: PackageName
    public var kind: String
    public var name: String
    public init(package: PackageName, kind: String, name: String) {
        self.package = package
        self.kind = kind
        self.name = name
    }

    public static func == (a: Self, b: Self) -> Bool { a.package == b.package && ByteText.equal(a.kind, b.kind) && ByteText.equal(a.name, b.name) }
    public func hash(into hasher: inout Hasher) {
        hasher.combine(self.package)
        ByteText.hash(self.kind, into: &hasher)
        ByteText.hash(self.name, into: &hasher)
    }
}
