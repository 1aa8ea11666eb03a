/// Space that is kept from everybody, for the moment when something that frees space cannot be written down without it.
///
/// Both calls block, and may come from several threads.
public protocol SpaceReserve: Sendable {
    /// Gives the space to the file system.
    /// - Returns: false: there was none to give.
    func release() -> Bool
    /// Sets it aside, where there is room for it and more.
    /// - Returns: whether it is there now.
    func provide() -> Bool
}
