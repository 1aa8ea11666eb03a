import ArtifactModel
import FormatAPI
import NIOCore

/// Finds the versions, times, dist-tags and other members of an upstream's packument, in either form.
struct PackumentScanner: OutlineScanner {
    private let package: NpmName
    private var tokenizer = JSONTokenizer()
    private var reader: PackumentReader
    private var length: Int64 = 0

    init(_ package: NpmName) {
        self.package = package
        self.reader = PackumentReader(package)
    }

    /// - Throws: `.upstreamFailed`.
    mutating func feed(_ chunk: ByteBuffer, at offset: Int64, into outline: inout Outline) throws(FormatError) {
        // Moved and not copied: it may be large.
        self.reader.outline = outline
        outline = Outline()
        defer {
            outline = self.reader.outline
            self.reader.outline = Outline()
        }
        do { _ = try chunk.withUnsafeReadableBytes { bytes in try self.tokenizer.feed(bytes, at: offset, &self.reader) } } catch { throw self.refused(error) }
        self.length = offset + Int64(chunk.readableBytes)
    }

    /// - Throws: `.upstreamFailed`.
    mutating func finish(into outline: inout Outline) throws(FormatError) {
        do { try self.tokenizer.finish(at: self.length, &self.reader) } catch { throw self.refused(error) }
        guard self.reader.isPackument else { throw self.refused(JSONFlaw(message: "it has neither a name nor versions", offset: self.length)) }
        self.reader.leaveOutReplaced(&outline)
        outline.add(Packument.documentEntry(length: self.length, keys: self.reader.keys))
    }

    private func refused(_ error: any Error) -> FormatError {
        let reason = (error as? JSONFlaw)?.message ?? "it could not be read"
        return FormatError(.upstreamFailed, "what the upstream sent for \(self.package) is no packument: \(reason)", cause: error)
    }
}
