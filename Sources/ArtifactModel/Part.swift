/// What an asset outside every component is a piece of: it is used while an edge of the package names `target`.
public struct Part: Hashable, Sendable {
    public var package: PackageName
    /// As edges have it: a digest's text.
    public var target: String
    public init(of package: PackageName, target: String) {
        self.package = package
        self.target = target
    }
}
