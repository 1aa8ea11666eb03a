import ArtifactModel
public import FormatAPI
import FoundationEssentials
import NIOCore

extension OCIFormat {
    /// - Parameter reference: `alpine:3.20`, `team/app@sha256:…`; `latest` where nothing is said.
    /// - Parameter choice: platforms, `linux/arm64` or `linux/arm/v7`.
    public func prefetch(
        _ reference: String, _ choice: [String], in content: any RepositoryContent, _ settings: OCISettings
    ) async throws -> [Prefetch] {
        let (written, wanted) = try Self.parsed(reference)
        let image = written.full(in: content)
        let digest: ContentDigest
        switch wanted {
        case .digest(let known): digest = known
        case .tag(let tag):
            // A target that is no digest names no manifest.
            guard let pointer = try await content.resolve(image.request(tag: tag, on: content.context.compute)),
                let found = try? ContentDigest(image: pointer.target)
            else {
                throw FormatError(.notFound, "there is no \(reference)", detail: "MANIFEST_UNKNOWN")
            }
            digest = found
        }
        return try await PrefetchWalk(image: image, choice: choice, content: content).parts(of: digest, depth: 0)
    }

    private static func parsed(_ text: String) throws -> (ImageName, Reference) {
        do throws(InvalidName) {
            if let at = text.firstIndex(of: "@") {
                let name = text[..<at].split(separator: ":").first.map(String.init) ?? ""
                return (try ImageName(name), .digest(try ContentDigest(image: String(text[text.index(after: at)...]))))
            }
            guard let colon = text.lastIndex(of: ":"), !text[colon...].contains("/") else { return (try ImageName(text), .tag(try Tag("latest"))) }
            return (try ImageName(String(text[..<colon])), .tag(try Tag(String(text[text.index(after: colon)...]))))
        } catch {
            throw FormatError(.invalidRequest, "«\(text)» is no image reference, such as library/alpine:3.20: \(error.description)")
        }
    }
}

/// Goes from a manifest to all that belongs to it.
private struct PrefetchWalk: Sendable {
    /// An index of indexes of indexes is nobody's image.
    private static let deepest = 3

    let image: ImageName
    let choice: [String]
    let content: any RepositoryContent

    private struct Platform: Decodable {
        var os: String?
        var architecture: String?
        var variant: String?
        func fits(_ choice: String) -> Bool {
            let parts = choice.split(separator: "/").map(String.init)
            return parts.count >= 2 && parts[0] == self.os && parts[1] == self.architecture && (parts.count < 3 || parts[2] == self.variant)
        }
    }
    private struct Entry: Decodable {
        /// BuildKit's: the image that an attestation is about.
        static let subjectKey = "vnd.docker.reference.digest"
        var annotations: [String: String]?
        var mediaType: String?
        var digest: String
        var size: Int64
        var platform: Platform?
        var urls: [String]?
    }
    private struct Document: Decodable {
        var config: Entry?
        var layers: [Entry]?
        var manifests: [Entry]?
    }

    func parts(of digest: ContentDigest, depth: Int) async throws -> [Prefetch] {
        guard depth < Self.deepest else { return [] }
        let compute = self.content.context.compute
        guard let found = try await self.content.content(self.image.request(manifest: digest, on: compute)) else {
            throw FormatError(.notFound, "\(self.image) has no manifest \(digest)", detail: "MANIFEST_UNKNOWN")
        }
        let bytes = try await self.read(found.source)
        let document = try await compute.run {
            do { return try JSONDecoder().decode(Document.self, from: Data(bytes.readableBytesView)) } catch {
                throw FormatError(.upstreamFailed, "the manifest \(digest) cannot be read", cause: error)
            }
        }
        var parts = ([document.config].compactMap(\.self) + (document.layers ?? [])).compactMap(self.blob)
        let refused = Set((document.manifests ?? []).filter { !self.isWanted($0) }.map(\.digest))
        for entry in document.manifests ?? [] where !refused.contains(entry.digest) && !refused.contains(entry.annotations?[Entry.subjectKey] ?? "") {
            guard let child = try? ContentDigest(image: entry.digest) else { continue }  // no digest, nothing to ask for
            if Manifest.Kind(rawValue: entry.mediaType ?? Manifest.Kind.image.rawValue) == nil {
                parts += [self.blob(entry)].compactMap(\.self)
            } else {
                parts += try await self.parts(of: child, depth: depth + 1)
            }
        }
        return parts
    }

    private func blob(_ entry: Entry) -> Prefetch? {
        guard entry.urls?.isEmpty ?? true, let digest = try? ContentDigest(image: entry.digest) else { return nil }  // as above
        return Prefetch(self.image.request(blob: digest), size: entry.size)
    }

    /// Attestations have no platform, and go with what they are about.
    private func isWanted(_ entry: Entry) -> Bool {
        guard !self.choice.isEmpty, let platform = entry.platform, platform.os != "unknown" else { return true }
        return self.choice.contains { platform.fits($0) }
    }

    private func read(_ source: any ContentSource) async throws -> ByteBuffer {
        var whole = ByteBuffer()
        while var piece = try await source.read(at: Int64(whole.readableBytes), limit: 1 << 20, on: self.content.context.compute) {
            whole.writeBuffer(&piece)
            guard whole.readableBytes <= Manifest.largest else { throw FormatError(.upstreamFailed, "a manifest may have \(Manifest.largest >> 20) MiB") }
        }
        return whole
    }
}
