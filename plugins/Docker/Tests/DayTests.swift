import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import NIOCore
import RepositoryEngine
import TestDice
import Testing

@testable import DockerFormat

/// A day of pulls through a proxy, in simulated time: 40 images, of which few are asked for most, one pull every ten seconds, each as docker does it: HEAD of
/// the tag, then manifest, configuration and two layers by their digests. Of the ten most asked for a new version appears upstream every three hours, of the
/// next ten once, at noon; of all a base layer stays.
@Suite("A day of pulls")
struct DayTests {
    private static let images = 40
    private static let pulls = 8640

    /// What comes of it.
    private struct Day: CustomStringConvertible {
        var maxAge: String
        var requests = 0
        var hits = 0
        var asked: [(second: Int, method: String, isManifest: Bool)] = []
        /// Pulls of a tag that had moved upstream, and by how much at most, in seconds.
        var late = 0
        var latest = 0

        /// Docker Hub counts a GET of a manifest, over six hours; a HEAD is free.
        var counted: [Int] { self.asked.filter { $0.isManifest && $0.method == "GET" }.map(\.second) }
        var mostInSixHours: Int { self.counted.map { start in self.counted.count { (start..<start + 21_600).contains($0) } }.max() ?? 0 }
        var description: String {
            let rate = Double(self.hits * 1000 / self.requests) / 10
            let heads = self.asked.count { $0.method == "HEAD" }
            let figures = "\(self.requests) | \(rate) % | \(heads) | \(self.asked.count - heads) | \(self.mostInSixHours) | \(self.late)"
            return "| \(self.maxAge) | \(figures) | \(self.latest) s |"
        }
    }

    /// What is at the upstream of one image.
    private struct Version {
        var manifest: ContentDigest
        var blobs: [ContentDigest]
        var since: Int
    }

    @Test("hits, requests upstream and what counts against a rate limit, by maxAge; the table is in docs/performance.md")
    func day() async throws {
        var lines: [String] = []
        for (name, age) in [("0", Duration.zero), ("10m", .seconds(600)), ("24h", .seconds(86_400))] {
            lines.append(try await Self.run(name, age).description)
        }
        for line in lines { print(line) }
        #expect(lines == Self.golden)
    }

    private static let golden = [
        "| 0 | 43200 | 79.2 % | 8719 | 361 | 50 | 0 | 0 s |", "| 10m | 43200 | 93.1 % | 2737 | 361 | 50 | 139 | 570 s |",
        "| 24h | 43200 | 99.5 % | 119 | 121 | 40 | 5865 | 42990 s |",
    ]

    private static func run(_ name: String, _ maxAge: Duration) async throws -> Day {
        let upstream = ScriptedUpstream(chunk: 1 << 20)
        let site = try await TestSite.make(
            OCIFormat(), site: OCISiteSettings(),
            [
                TestSite.Plan.proxy("hub", of: upstream, settings: OCISettings()).caching { cache in
                    cache.maxAge = maxAge
                    // Of the machine's own time, which a busy one has none of to spare.
                    cache.revalidateDeadline = .seconds(3600)
                }
            ])
        var day = Day(maxAge: name)
        var random = Dice(state: 42)
        let weights = (1...Self.images).map { 1 / Double($0) }
        var versions: [Int: Version] = [:]
        try await site.running {
            for pull in 0..<Self.pulls {
                let second = pull * 10
                for image in 0..<Self.images {
                    let edition = image < 10 ? second / 10_800 : image < 20 ? second / 43_200 : 0
                    let since = image < 10 ? edition * 10_800 : image < 20 ? edition * 43_200 : 0
                    if versions[image]?.since != since { versions[image] = try Self.publish(image, edition, since, at: upstream) }
                }
                let image = random.place(of: weights)
                let version = try #require(versions[image])
                let before = upstream.asked.count
                try await Self.pull(image, version, second, site, &day)
                for asked in upstream.asked[before...] {
                    day.asked.append((second, asked.method, asked.address.contains("/manifests/")))
                }
                site.clock.advance(by: .seconds(10))
            }
        }
        return day
    }

    private static func pull(_ image: Int, _ version: Version, _ second: Int, _ site: TestSite, _ day: inout Day) async throws {
        func ask(_ method: HTTPRequest.Method, _ path: String) async throws -> TestResponse {
            let answer = try await site.send(TestRequest(method, "/v2/hub/image\(image)/\(path)"))
            #expect(answer.status == .ok)
            // What has come is kept before the next question.
            await site.fills.settled()
            day.requests += 1
            if answer.cache?.outcome == .hit { day.hits += 1 }
            return answer
        }
        let head = try await ask(.head, "manifests/latest")
        let manifest = try #require(head.headers[.contentDigest])
        if manifest != "\(version.manifest)" {
            day.late += 1
            day.latest = max(day.latest, second - version.since)
        }
        let text = try await ask(.get, "manifests/\(manifest)").text
        for blob in text.matches(of: #/sha256:[0-9a-f]{64}/#) { _ = try await ask(.get, "blobs/\(blob.output)") }
    }

    private static func publish(_ image: Int, _ edition: Int, _ since: Int, at upstream: ScriptedUpstream) throws -> Version {
        let texts = ["{\"image\":\(image),\"edition\":\(edition)}", "base layer", "layer \(image) \(edition)"]
        let blobs = try texts.map { try digest($0) }
        for (text, blob) in zip(texts, blobs) { upstream.put("v2/image\(image)/blobs/\(blob)", .init(text)) }
        func part(_ place: Int, _ type: String) -> String { #"{"mediaType":"\#(type)","digest":"\#(blobs[place])","size":\#(texts[place].utf8.count)}"# }
        let layers = [1, 2].map { part($0, "application/vnd.oci.image.layer.v1.tar") }.joined(separator: ",")
        let manifest =
            #"{"schemaVersion":2,"mediaType":"\#(imageType)","config":\#(part(0, "application/vnd.oci.image.config.v1+json")),"layers":[\#(layers)]}"#
        let name = try digest(manifest)
        let file = ScriptedUpstream.File(manifest, contentType: imageType, headers: ["Docker-Content-Digest": "\(name)"])
        for reference in ["latest", "\(name)"] { upstream.put("v2/image\(image)/manifests/\(reference)", file) }
        return Version(manifest: name, blobs: blobs, since: since)
    }
}
