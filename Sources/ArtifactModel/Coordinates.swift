/// A package: an image, an npm package, G:A, a chart, a model.
/// `namespace` is npm's scope, Maven's groupId, `models`, or empty.
public struct PackageName: Hashable, Sendable {
    public var namespace: String
    public var name: String
    public init(namespace: String = "", name: String) {
        self.namespace = namespace
        self.name = name
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
}
