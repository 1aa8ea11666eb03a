import ArtifactModel
import Crypto
import FormatAPI
import FormatTestKit
import Foundation
import HTTPTypes
import NIOCore
import RepositoryEngine
import Testing

@testable import HelmFormat

@Suite("Charts as OCI artifacts", .timeLimit(.minutes(2)))
struct ArtifactTests {
    private func object(_ answer: TestResponse) throws -> [String: Any] {
        try #require(try JSONSerialization.jsonObject(with: Data(answer.body.readableBytesView)) as? [String: Any])
    }

    @Test("manifest, configuration, archive and provenance, by tag and by digest; the same bytes each time", arguments: ["hosted", "group"])
    func pull(repository: String) async throws {
        let ground = try await Ground(oci: true)
        let chart = Chart(name: "app", version: "1.0.0+b.1", fields: "description: x\nappVersion: '2'")
        try await ground.running { () async throws in
            try await ground.put(chart)
            try await ground.put(Chart(name: "app", version: "0.9.0"))
            let root = "\(repository)/v2/app"
            let tags = try await ground.ask(.get, "\(root)/tags/list")
            #expect(try self.object(tags)["tags"] as? [String] == ["0.9.0", "1.0.0_b.1"])
            let page = try await ground.ask(.get, "\(root)/tags/list?n=1")
            #expect(try self.object(page)["tags"] as? [String] == ["0.9.0"] && page.headers[.link]?.contains("n=1&last=0.9.0") == true)
            let answer = try await ground.ask(.get, "\(root)/manifests/1.0.0_b.1")
            let digest = try #require(answer.headers[.dockerContentDigest])
            #expect(digest == "sha256:" + SHA256.hash(data: Data(answer.body.readableBytesView)).map { String(format: "%02x", $0) }.joined())
            #expect(try await ground.ask(.get, "\(root)/manifests/\(digest)").body == answer.body)
            #expect(answer.headers[.contentType] == "application/vnd.oci.image.manifest.v1+json")
            let manifest = try self.object(answer)
            let layers = try #require(manifest["layers"] as? [[String: Any]])
            #expect(layers.map { $0["digest"] as? String } == ["sha256:\(chart.digest)"] && layers[0]["size"] as? Int == chart.archive.readableBytes)
            let config = try #require(manifest["config"] as? [String: Any])
            let bytes = try await ground.ask(.get, "\(root)/blobs/\(config["digest"] as? String ?? "")")
            #expect(
                bytes.text == #"{"apiVersion":"v2","name":"app","version":"1.0.0+b.1","appVersion":"2","description":"x"}"#
                    && config["size"] as? Int == bytes.body.readableBytes)
            #expect(try await ground.ask(.get, "\(root)/blobs/sha256:\(chart.digest)").body == chart.archive)

            #expect(try await ground.ask(.put, "hosted/app-1.0.0%2Bb.1.tgz.prov", chart.provenance).status == .created)
            let signed = try await ground.ask(.get, "\(root)/manifests/1.0.0_b.1")
            let two = try #require(try self.object(signed)["layers"] as? [[String: Any]])
            // Who knows the digest from before still gets what it is of.
            #expect(try await ground.ask(.get, "\(root)/manifests/\(digest)").body == answer.body)
            #expect(two.count == 2 && two[0]["digest"] as? String == "sha256:\(chart.digest)")
            #expect(try await ground.ask(.get, "\(root)/blobs/\(two[1]["digest"] as? String ?? "")").body == chart.provenance)
            #expect(try self.object(try await ground.ask(.get, "\(root)/tags/list"))["tags"] as? [String] == ["0.9.0", "1.0.0_b.1"])
            #expect(try await ground.ask(.delete, "hosted/app-1.0.0%2Bb.1.tgz.prov").status == .ok)
            #expect(try await ground.ask(.get, "\(root)/manifests/1.0.0_b.1").body == answer.body)
        }
    }

    @Test("what is not there, and where charts are no artifacts, in that API's words")
    func absent() async throws {
        let ground = try await Ground(oci: true)
        try await ground.running { () async throws in
            try await ground.put(Chart(name: "app", version: "1.0.0"))
            for path in ["manifests/2.0.0", "manifests/sha256:\(String(repeating: "0", count: 64))", "blobs/sha256:\(String(repeating: "0", count: 64))"] {
                let answer = try await ground.ask(.get, "hosted/v2/app/\(path)")
                #expect(answer.status == .notFound && answer.text.hasPrefix("{\"errors\":[{\"code\":\"MANIFEST_UNKNOWN\""), "\(path)")
            }
            #expect(try await ground.ask(.get, "hosted/v2/none/tags/list").status == .notFound)
            #expect(try await ground.ask(.put, "hosted/v2/app/manifests/1.0.0").status == .methodNotAllowed)
            #expect(try await ground.ask(.get, "hosted/v2/app/blobs/nothing").status == .badRequest)
        }
        let plain = try await Ground()
        try await plain.running { () async throws in
            try await plain.put(Chart(name: "app", version: "1.0.0"))
            #expect(try await plain.ask(.get, "hosted/v2/app/manifests/1.0.0").status == .notFound)
        }
    }
}
