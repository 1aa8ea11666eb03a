import ArtifactModel
import FormatAPI
import NIOCore

/// A push through a group. Clients leave out what they have seen in any member, and the manifest is to be whole in the one that is written to:
/// what it names is taken over from whoever has it, before the manifest itself comes.
struct Adoption: Sendable {
    private static let atOnce = 4
    /// An index of indexes of indexes is nobody's image.
    private static let deepest = 3

    let image: ImageName
    let content: any RepositoryContent

    /// What nobody has is left to the commit to name.
    func parts(of manifest: Manifest) async throws { _ = try await self.parts(of: manifest, depth: 0) }

    /// - Returns: whether all of it is there now.
    private func parts(of manifest: Manifest, depth: Int) async throws -> Bool {
        var isWhole = true
        for part in manifest.parts where part.demand == .manifest {
            if try await !self.child(part.digest, depth: depth + 1) { isWhole = false }
        }
        let blobs = manifest.parts.filter { $0.demand == .blob }.map(\.digest)
        try await withThrowingTaskGroup(of: Bool.self) { group in
            for (index, digest) in blobs.enumerated() {
                if index >= Self.atOnce, try await group.next() == false { isWhole = false }
                group.addTask { try await self.content.adopt(self.image.request(blob: digest)) }
            }
            for try await taken in group where !taken { isWhole = false }
        }
        return isWhole
    }

    /// A manifest comes after what it names, as in a push.
    private func child(_ digest: ContentDigest, depth: Int) async throws -> Bool {
        guard depth < Self.deepest else { return false }
        let compute = self.content.context.compute
        let request = self.image.request(manifest: digest, on: compute)
        guard let found = try await self.content.content(request) else { return false }
        guard let bytes = try await found.source.readAtMost(Manifest.largest, on: compute) else {
            throw FormatError(.upstreamFailed, "a manifest may have \(Manifest.largest >> 20) MiB")
        }
        let type = found.head.contentType
        let manifest = try await compute.run { try ImageName.parsed(bytes, declared: type) }
        guard try await self.parts(of: manifest, depth: depth) else { return false }
        return try await self.content.adopt(request)
    }
}

extension ContentSource {
    /// nil where it is larger.
    fileprivate func readAtMost(_ limit: Int, on compute: any BlockingPool) async throws -> ByteBuffer? {
        var whole = ByteBuffer()
        while var piece = try await self.read(at: Int64(whole.readableBytes), limit: 1 << 20, on: compute) {
            whole.writeBuffer(&piece)
            guard whole.readableBytes <= limit else { return nil }
        }
        return whole
    }
}
