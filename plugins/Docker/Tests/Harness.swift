import ArtifactModel
import Crypto
import FormatAPI
import FormatTestKit
import NIOCore
import Testing

/// A hosted repository of the real engine, in memory.
func makeContent(policy: WritePolicy = .allow, repository: String = "local") async throws -> any RepositoryContent {
    try await TestSite.make(SilentFormat(), site: NoSettings(), [.init(repository, policy: policy)]).content(of: repository)
}

func body(_ text: String, declared: Bool = true) -> ByteStream {
    .chunks(text.isEmpty ? [] : [ByteBuffer(string: text)], declaresLength: declared)
}

func digest(_ text: String, _ algorithm: ContentDigest.Algorithm = .sha256) throws -> ContentDigest {
    func hash<H: HashFunction>(by type: H.Type) -> ContentDigest? { ContentDigest(algorithm, type.hash(data: Array(text.utf8))) }
    let found =
        switch algorithm {
        case .sha256: hash(by: SHA256.self)
        case .sha512: hash(by: SHA512.self)
        case .sha1: hash(by: Insecure.SHA1.self)
        case .md5: hash(by: Insecure.MD5.self)
        }
    return try #require(found)
}
