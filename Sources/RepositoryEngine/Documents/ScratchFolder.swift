import ArtifactModel
import Dispatch
import FormatAPI
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

/// Files without a name, which end with the process that made them: nothing is left to be swept, and nothing is ever made durable.
public struct ScratchFolder: Sendable {
    private let path: String
    /// The last close of a file without a name frees its blocks, which takes long where it is large.
    private let closing = DispatchQueue(label: "scratch")

    /// - Parameter path: a folder that exists.
    public init(_ path: String) { self.path = path }

    /// Blocks: for the pool.
    func create() throws -> OpenFile {
        let name = "\(self.path)/scratch-\(String(UInt64.random(in: .min ... .max), radix: 16))"
        let descriptor = open(name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else { throw ScratchFolder.failure() }
        unlink(name)
        return OpenFile(descriptor) { [closing] descriptor in closing.async { _ = close(descriptor) } }
    }

    fileprivate static func failure() -> FormatError {
        let cause = ScratchError(errno: errno)
        return errno == ENOSPC || errno == EDQUOT
            ? FormatError(.noSpace, "the server has no space left to put this document together", cause: cause)
            : FormatError(.internalFailure, "the server cannot write its temporary files; its log says more", cause: cause)
    }
}

private struct ScratchError: Error { var errno: CInt }

extension OpenFile {
    /// Blocks: for the pool.
    func append(_ bytes: ByteBuffer) throws {
        try bytes.withUnsafeReadableBytes { bytes in
            var rest = bytes[...]
            while !rest.isEmpty {
                let count = write(self.descriptor, UnsafeRawBufferPointer(rebasing: rest).baseAddress, rest.count)
                if count < 0, errno == EINTR { continue }
                guard count > 0 else { throw ScratchFolder.failure() }
                rest = rest.dropFirst(count)
            }
        }
    }
}
