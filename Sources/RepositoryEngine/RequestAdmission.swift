public import FormatAPI

/// One request's way past the limits on who sends it: asked by the engine once it knows who that is.
///
/// What is taken here belongs to the exchange that carries the request, which gives it back when the last byte of the answer is sent or the
/// connection is gone: who asks has nothing to release.
public protocol RequestAdmission: Sendable {
    /// Counts the request as this principal's; a second time for one request changes nothing. Does not wait.
    /// - Parameter principal: empty for nobody in particular, for whom only the limits of an address hold.
    /// - Throws: `.throttled`, with the time after which to come again.
    func admit(principal: String) throws(FormatError)
}

/// Where nothing is limited.
public struct UnlimitedAdmission: RequestAdmission {
    public init() {}
    public func admit(principal: String) throws(FormatError) {}
}
