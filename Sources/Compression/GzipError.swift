/// Why bytes are not what gzip or zlib writes.
public enum GzipError: Error, Hashable, Sendable {
    /// They end in the middle.
    case truncated
    /// They are none from the start, are damaged, or their checksum says so.
    case corrupt
    /// Something else comes after the end.
    case trailing
}
