import AccessControl
import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import StorageAPI
import Testing

@testable import RepositoryEngine

/// Names and files that are asked for again, over the real engine.
@Suite struct RefreshTests {
    private struct Fixture {
        let upstream = ScriptedUpstream()
        let site: TestSite
        let name = PointerName(package: PackageName(name: "app"), kind: "tag", name: "1")

        init(_ change: (inout ProxyPart.Cache) throws -> Void = { _ in }) async throws {
            self.site = try await TestSite.make(SilentFormat(), site: NoSettings(), [try .proxy("p", of: self.upstream).caching(change)])
            self.put("sha256:aa")
        }

        func put(_ target: String?) { self.upstream.put("tag", target.map { .init("x", headers: ["Docker-Content-Digest": $0]) }) }

        func resolve() async throws -> Pointer? {
            let want = PointerRequest(self.name, upstream: UpstreamResource(.below("tag"))) {
                $0.first { $0.name.canonicalName == "docker-content-digest" }?.value
            }
            return try await self.site.content(of: "p").resolve(want)
        }

        func file(_ change: Mutability) throws -> ContentRequest {
            ContentRequest(try AssetPath(["f"]), change, upstream: UpstreamResource(.below("f")))
        }

        func get(_ change: Mutability) async throws -> Content? {
            guard let content = try await self.site.content(of: "p").content(try self.file(change)) else { return nil }
            while try await content.source.read(at: 1 << 20, limit: 1, on: self.site.compute) != nil {}
            await self.site.fills.settled()
            return content
        }
    }

    @Test("five hundred who have something in hand wait for one question, and none for longer than the deadline")
    func crowd() async throws {
        let fixture = try await Fixture { $0.revalidateDeadline = .milliseconds(50) }
        try await fixture.site.running {
            #expect(try await fixture.resolve()?.cache?.outcome == .miss)
            fixture.site.clock.advance(by: .seconds(601))
            let before = fixture.upstream.asked.count
            fixture.upstream.hold()
            let outcomes = try await withThrowingTaskGroup(of: CacheReport.Outcome?.self) { group in
                for _ in 0..<500 { group.addTask { try await fixture.resolve()?.cache?.outcome } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(outcomes.count == 500 && outcomes.allSatisfy { $0 == .stale })
            #expect(fixture.upstream.asked.count == before + 1)
            fixture.put("sha256:bb")
            fixture.upstream.release()
            for _ in 0..<200_000 where try await fixture.resolve()?.target != "sha256:bb" { await Task.yield() }
            #expect(fixture.upstream.asked.count == before + 1, "the question that nobody waited for has brought the answer")
        }
    }

    @Test("a name that is gone is let go of; with `keep` it stays, and is asked for again after the negative age", arguments: [true, false])
    func goneName(_ keeps: Bool) async throws {
        let fixture = try await Fixture { $0.goneDocuments = keeps ? .keep : .honour }
        try await fixture.site.running {
            #expect(try await fixture.resolve()?.target == "sha256:aa")
            fixture.put(nil)
            fixture.site.clock.advance(by: .seconds(601))
            for _ in 0..<3 {
                let pointer = try await fixture.resolve()
                #expect(pointer?.target == (keeps ? "sha256:aa" : nil) && pointer?.cache?.outcome == (keeps ? .stale : nil))
            }
            #expect(fixture.upstream.asked.count == 2)
            fixture.site.clock.advance(by: .seconds(61))
            fixture.upstream.script(.fail(UpstreamError(.trouble(.failed), "500")))
            if keeps {
                #expect(try await fixture.resolve()?.target == "sha256:aa")
            } else {
                await #expect(throws: FormatError.self) { _ = try await fixture.resolve() }
            }
        }
    }

    @Test("a fixed name is asked for once, whatever the upstream says later")
    func fixed() async throws {
        let fixture = try await Fixture { $0.fixedTags = [try Glob("app:*")] }
        try await fixture.site.running {
            for target in ["sha256:aa", "sha256:bb", nil] {
                fixture.put(target)
                let pointer = try await fixture.resolve()
                #expect(pointer?.target == "sha256:aa")
                fixture.site.clock.advance(by: .seconds(1_000_000))
            }
        }
        #expect(fixture.upstream.asked.count == 1)
    }

    @Test("a file that never changes outlives its original, unless its deletion is to be honoured", arguments: [true, false])
    func goneFile(_ honours: Bool) async throws {
        let fixture = try await Fixture { $0.goneImmutable = honours ? .honour : .keep }
        fixture.upstream.put("f", .init("bytes"))
        try await fixture.site.running {
            #expect(try await fixture.get(.immutable)?.cache?.outcome == .miss)
            fixture.site.clock.advance(by: .seconds(601))
            let again = try await fixture.get(.immutable)
            #expect(again?.cache?.outcome == (honours ? .revalidated : .hit))
            fixture.site.clock.advance(by: .seconds(601))
            fixture.upstream.put("f", nil)
            let content = try await fixture.get(.immutable)
            #expect(content?.cache?.outcome == (honours ? nil : .hit))
            let asset = try await fixture.site.metadata.asset(at: try AssetPath(["f"]), in: fixture.site.repositories[0].id)
            #expect((asset == nil) == honours)
        }
        #expect(fixture.upstream.asked.map(\.method) == (honours ? ["GET", "HEAD", "HEAD"] : ["GET"]))
    }
}
