import ArtifactModel
import BlockingWork
import FormatAPI
import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#endif

@testable import NpmFormat
@testable import RepositoryEngine

/// Measures what a packument costs between the upstream's bytes and the client's, step by step, on one thread and with all bytes in memory.
///
/// usage: rewriting FILE NAME ROUNDS. Prints medians in milliseconds, a line for each step.
@main
struct Rewriting {
    static func main() async throws {
        let arguments = CommandLine.arguments
        guard arguments.count == 4, let rounds = Int(arguments[3]), let bytes = Self.read(arguments[1]) else {
            fatalError("usage: rewriting FILE NAME ROUNDS")
        }
        let key = Packument.Key(package: try NpmName(arguments[2]), form: .full)
        let pool = ThreadPool(threads: 1)
        var steps: [(name: String, times: [Double])] = [("scan", []), ("compose and copy", []), ("hash and keep", [])]
        for _ in 0..<rounds {
            let (outline, scan) = try Self.timed { try Self.scan(bytes, key) }
            let (copy, composed) = try Self.timed { try Self.copy(bytes, outline, key) }
            let began = ContinuousClock.now
            let kept = try await Self.render(bytes, outline, key, pool)
            let all = (ContinuousClock.now - began) / .milliseconds(1)
            precondition(kept == copy, "the same bytes")
            steps[0].times.append(scan)
            steps[1].times.append(composed)
            steps[2].times.append(all - composed)
        }
        try await pool.shutdown()
        for step in steps { print("\(step.name)\t\(step.times.sorted()[step.times.count / 2])") }
    }

    private static func scan(_ bytes: ByteBuffer, _ key: Packument.Key) throws -> Outline {
        var (scanner, outline, rest, at) = (Packument.scanner(key), Outline(), bytes, Int64(0))
        while let piece = rest.readSlice(length: min(1 << 20, rest.readableBytes)), piece.readableBytes > 0 {
            try scanner.feed(piece, at: at, into: &outline)
            at += Int64(piece.readableBytes)
        }
        try scanner.finish(into: &outline)
        outline.seal()
        return outline
    }

    /// What a client gets, in pieces as the renderer fills them: how many bytes.
    private static func copy(_ bytes: ByteBuffer, _ outline: Outline, _ key: Packument.Key) throws -> Int64 {
        var plan = DocumentPlan()
        try Packument.compose([outline], key, into: &plan)
        var (buffer, length) = (ByteBuffer(), Int64(0))
        buffer.reserveCapacity(256 << 10)
        for piece in plan.pieces {
            switch piece {
            case .text(let range): buffer.writeBytes(plan.text[range])
            case .publicBase: buffer.writeString("https://packages.example.com/repository/npm")
            case .publicPath: buffer.writeString("/repository/npm")
            case .slice(_, let range):
                buffer.writeImmutableBuffer(bytes.getSlice(at: bytes.readerIndex + Int(range.lowerBound), length: range.count) ?? ByteBuffer())
            }
            guard buffer.readableBytes >= 256 << 10 else { continue }
            length += Int64(buffer.readableBytes)
            buffer.clear()
        }
        return length + Int64(buffer.readableBytes)
    }

    private static func render(_ bytes: ByteBuffer, _ outline: Outline, _ key: Packument.Key, _ pool: ThreadPool) async throws -> Int64 {
        var plan = DocumentPlan()
        try Packument.compose([outline], key, into: &plan)
        return try await DocumentRenderer.render(
            plan, of: [MemoryContent(bytes)], base: "https://packages.example.com/repository/npm", compute: pool, scratch: ScratchFolder("/var/tmp")
        ).size
    }

    private static func timed<T>(_ work: () throws -> T) rethrows -> (T, milliseconds: Double) {
        let began = ContinuousClock.now
        let result = try work()
        return (result, (ContinuousClock.now - began) / .milliseconds(1))
    }

    private static func read(_ path: String) -> ByteBuffer? {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var all = ByteBuffer()
        while true {
            let count = all.writeWithUnsafeMutableBytes(minimumWritableBytes: 1 << 20) { max(0, Glibc.read(descriptor, $0.baseAddress, $0.count)) }
            if count == 0 { return all }
        }
    }
}
