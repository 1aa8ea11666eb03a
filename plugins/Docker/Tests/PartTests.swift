import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import Testing

@testable import DockerFormat

@Suite("A layer that no manifest names")
struct PartTests {
    @Test("is told by its path, under either digest, and nothing else is a part")
    func paths() throws {
        for algorithm in [ContentDigest.Algorithm.sha256, .sha512] {
            let digest = try digest("x", algorithm)
            for name in ["app", "team/app", "a/blobs/b", "blobs"] {
                let image = try ImageName(name)
                #expect(OCIFormat.part(at: image.blob(digest)) == Part(of: image.package, target: "\(digest)"))
                #expect(OCIFormat.part(at: image.manifest(digest)) == nil)
            }
            #expect(OCIFormat.part(at: AssetPath(checked: "blobs/\(digest)")) == nil)
            #expect(OCIFormat.part(at: AssetPath(checked: "UPPER/blobs/\(digest)")) == nil)
        }
        #expect(OCIFormat.part(at: AssetPath(checked: "app/blobs/sha256:abc")) == nil)
        #expect(OCIFormat.part(at: AssetPath(checked: "app/blobs/md5:9e107d9d372bb6826bd81d3542a419d6")) == nil)
    }

    @Test("is kept for the repository's own time, a week by default")
    func age() throws {
        #expect(OCIFormat.unusedPartAge(OCISettings()) == .seconds(7 * 86_400))
        #expect(OCIFormat.unusedPartAge(OCISettings(unusedBlobAge: try #require(Age("0")))) == .zero)
    }

    @Test("every part of a manifest is named by an edge: config, layers, foreign layers and an index's children")
    func edges() async throws {
        let client = try await client()
        let foreign = try digest("elsewhere")
        let extra = #","annotations":{}"#
        let text = try image(extra: extra).replacing(
            #""layers":["#,
            with: #""layers":[{"mediaType":"application/vnd.oci.image.layer.nondistributable.v1.tar","digest":"\#(foreign)","size":9,"urls":["http://x/y"]},"#)
        #expect(await client.put(text, "1").status == .created)
        for named in [try digest("{}"), try digest("layer"), foreign] {
            let part = Part(of: PackageName(name: "app"), target: "\(named)")
            await #expect(throws: Edit.Refused.requirement(0)) { try await client.content.commit(Edit(requiring: [.unnamed(part)], [])) }
        }
        let unused = Part(of: PackageName(name: "app"), target: "\(try digest("unused"))")
        try await client.content.commit(Edit(requiring: [.unnamed(unused)], []))
    }
}
