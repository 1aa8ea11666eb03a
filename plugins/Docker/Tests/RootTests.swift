import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import Testing

@testable import DockerFormat

/// Two proxies and a hosted repository behind the real routing: what was asked of which upstream tells where a request went.
@Suite("The roots of the registry API, first match wins")
struct RootTests {
    private struct Ground {
        let hub = ScriptedUpstream()
        let quay = ScriptedUpstream()
        let site: TestSite

        init() async throws {
            let (hub, quay) = (try RepositoryName("hub"), try RepositoryName("quay"))
            self.site = try await TestSite.make(
                OCIFormat(),
                site: OCISiteSettings(
                    defaultRepository: quay, namespaces: ["docker.io": hub, "127.0.0.1:5000": quay, "images.example": try RepositoryName("local")]),
                [
                    .proxy("hub", of: self.hub, settings: OCISettings()), .proxy("quay", of: self.quay, settings: OCISettings()),
                    .init("local", settings: OCISettings()),
                ])
        }

        func asked() -> [String] {
            self.hub.asked.map { "hub \($0.address)" } + self.quay.asked.map { "quay \($0.address)" }
        }
    }

    /// `own`: the repository whose `listen:` or `host:` the request came to.
    @Test(
        "an image is asked of the repository that the rules of the contract name, by the name that is left",
        arguments: [
            // 1: a root of its own: the whole path is the image, whatever it begins with and whatever `ns` says. So asks dockerd a mirror.
            ("hub", "/v2/library/app/manifests/1", "hub v2/library/app/manifests/1"),
            ("hub", "/v2/quay/app/manifests/1", "hub v2/quay/app/manifests/1"),
            ("hub", "/v2/hub/app/manifests/1", "hub v2/hub/app/manifests/1"),
            ("hub", "/v2/app/manifests/1?ns=127.0.0.1%3A5000", "hub v2/app/manifests/1"),
            ("hub", "/v2/docker/dockerfile/manifests/1", "hub v2/docker/dockerfile/manifests/1"),
            ("hub", "/v2/docker/manifests/dind", "hub v2/docker/manifests/dind"),
            ("hub", "/v2/repository/quay/v2/app/manifests/1", "hub v2/repository/quay/v2/app/manifests/1"),
            // 2: its own URL, whatever `ns` says.
            ("", "/repository/hub/v2/library/app/manifests/1", "hub v2/library/app/manifests/1"),
            ("", "/repository/hub/v2/quay/app/manifests/1", "hub v2/quay/app/manifests/1"),
            ("", "/repository/quay/v2/library/app/manifests/1?ns=docker.io", "quay v2/library/app/manifests/1"),
            // 3: containerd's namespace: the whole path is the image. BuildKit asks for `# syntax=docker/dockerfile:1` so.
            ("", "/v2/library/app/manifests/1?ns=docker.io", "hub v2/library/app/manifests/1"),
            ("", "/v2/quay/app/manifests/1?ns=docker.io", "hub v2/quay/app/manifests/1"),
            ("", "/v2/local/app/manifests/1?ns=docker.io", "hub v2/local/app/manifests/1"),
            ("", "/v2/docker/dockerfile/manifests/1?ns=docker.io", "hub v2/docker/dockerfile/manifests/1"),
            ("", "/v2/docker/dockerfile/manifests/1.7-labs?ns=docker.io", "hub v2/docker/dockerfile/manifests/1.7-labs"),
            ("", "/v2/library/docker/manifests/dind?ns=docker.io", "hub v2/library/docker/manifests/dind"),
            ("", "/v2/hub/app/manifests/1?ns=127.0.0.1:5000", "quay v2/hub/app/manifests/1"),
            // 4: the first segment names a repository and an image remains.
            ("", "/v2/hub/library/app/manifests/1", "hub v2/library/app/manifests/1"),
            ("", "/v2/hub/docker/manifests/dind", "hub v2/docker/manifests/dind"),
            ("", "/v2/hub/docker/dockerfile/manifests/1", "hub v2/docker/dockerfile/manifests/1"),
            ("", "/v2/hub/hub/manifests/1", "hub v2/hub/manifests/1"),
            ("", "/v2/hub/app/manifests/1?ns=ghcr.io", "hub v2/app/manifests/1"),
            // 5: else the default repository, also where only a repository's name is there.
            ("", "/v2/library/app/manifests/1", "quay v2/library/app/manifests/1"),
            ("", "/v2/hub/manifests/1", "quay v2/hub/manifests/1"),
            ("", "/v2/docker/manifests/dind", "quay v2/docker/manifests/dind"),
            ("", "/v2/docker/dockerfile/manifests/1", "quay v2/docker/dockerfile/manifests/1"),
            ("", "/v2/none/app/manifests/1?ns=ghcr.io", "quay v2/none/app/manifests/1"),
        ])
    func manifests(_ own: String, _ target: String, _ expected: String) async throws {
        let ground = try await Ground()
        let root = own.isEmpty ? nil : try RepositoryName(own)
        // A HEAD, as clients resolve tags, and then GET: both are asked for at the same place.
        try await ground.site.running {
            for method in [HTTPRequest.Method.head, .get] {
                let answer = try await ground.site.send(TestRequest(method, target, ownRoot: root))
                #expect(answer.status == .notFound)
            }
        }
        #expect(Set(ground.asked()) == [expected])
    }

    @Test(
        "/v2/ is answered at every root, and names what is there",
        arguments: [
            ("hub", "/v2/", 200), ("hub", "/v2", 200), ("", "/v2/", 200), ("", "/v2/?ns=docker.io", 200), ("", "/repository/hub/v2/", 200),
            ("hub", "/", 404), ("hub", "/repository/hub/v2/", 404), ("", "/repository/none/v2/", 404),
        ])
    func base(_ own: String, _ target: String, _ status: Int) async throws {
        let answer = try await Ground().site.send(TestRequest(.get, target, ownRoot: own.isEmpty ? nil : try RepositoryName(own)))
        #expect(answer.status.code == status)
        #expect(answer.headers[.wwwAuthenticate] == nil)
    }

    @Test(
        "where an upload goes on follows the root that it began at",
        arguments: [
            ("local", "/v2/app", "/v2/app/blobs/uploads/", ""), ("", "/repository/local/v2/app", "/repository/local/v2/app/blobs/uploads/", ""),
            ("", "/v2/local/app", "/v2/local/app/blobs/uploads/", ""), ("", "/v2/local/app", "/v2/local/app/blobs/uploads/", "?ns=ghcr.io"),
            ("", "/v2/hub/app", "/v2/hub/app/blobs/uploads/", "?ns=images.example"),
        ])
    func uploads(_ own: String, _ base: String, _ location: String, _ query: String) async throws {
        let site = try await Ground().site
        let root = own.isEmpty ? nil : try RepositoryName(own)
        let begun = try await site.send(TestRequest(.post, "\(base)/blobs/uploads/\(query)", ownRoot: root))
        let next = try #require(begun.headers[.location])
        #expect(begun.status == .accepted && next.hasPrefix(location) && next.hasSuffix(query), "\(next)")
        let sign = next.contains("?") ? "&" : "?"
        let closed = try await site.send(TestRequest(.put, "\(next)\(sign)digest=\(try digest(""))", ownRoot: root))
        #expect(closed.status == .created)
    }
}
