import FormatAPI

/// The client sent nothing for too long in the middle of a body.
struct BodyStalled: Error {
    static var error: FormatError { FormatError(.cancelled, "no byte of the body came for too long", cause: BodyStalled()) }
}
