import ArtifactModel
import NIOCore
import Testing

@testable import RepositoryEngine

@Suite struct MultiHasherTests {
    @Test("all four digests of a known text come out, however it is cut")
    func known() throws {
        var hasher = MultiHasher([.sha512, .sha1, .md5])
        hasher.update([ByteBuffer(string: "a"), ByteBuffer(string: "")])
        hasher.update([ByteBuffer(string: "bc")])
        let digests = hasher.digests()
        #expect(hasher.length == 3)
        #expect(digests.first(.sha256)?.hex == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad")
        #expect(digests.first(.sha1)?.hex == "a9993e364706816aba3e25717850c26c9cd0d89d")
        #expect(digests.first(.md5)?.hex == "900150983cd24fb0d6963f7d28e17f72")
        #expect(digests.first(.sha512)?.hex.hasPrefix("ddaf35a193617abacc417349ae204131") == true)
    }

    @Test("a copy goes its own way")
    func copies() {
        var first = MultiHasher([])
        first.update([ByteBuffer(string: "ab")])
        var second = first
        second.update([ByteBuffer(string: "c")])
        #expect(first.digests() != second.digests())
        first.update([ByteBuffer(string: "c")])
        #expect(first.digests() == second.digests())
    }

    @Test("only what was asked for is computed")
    func frugal() { #expect(MultiHasher([]).digests().map(\.algorithm) == [.sha256]) }
}
