import Audit
import RepositoryEngine
import SQLMetadata
import StorageAPI
import WebServer

extension ServerProbes {
    init(_ assembly: Assembly) {
        self.init(
            problems: {
                do {
                    _ = try await assembly.metadata.repositories()
                    return []
                } catch {
                    return ["the database does not answer"]
                }
            },
            samples: { await Self.samples(assembly) })
    }

    private static func samples(_ assembly: Assembly) async -> [MetricSample] {
        var samples = Self.upstreams(assembly.repositories) + Self.fills(assembly.contents.fills) + MetricSample.caches(assembly.evictor)
        if let figures = assembly.audit?.figures { samples += Self.audit(figures) }
        for shelf in assembly.shelves {
            let labels = [(name: "store", value: shelf.name)]
            // Not counted yet, moments after a start: no figure rather than a wrong one.
            if let totals = shelf.used {
                samples.append(MetricSample("entrepot_blob_store_blobs", help: "Blobs in the store.", labels: labels, value: Double(totals.count)))
                samples.append(MetricSample("entrepot_blob_store_bytes", help: "Bytes of the store's blobs.", labels: labels, value: Double(totals.bytes)))
            }
            // A store that cannot say has no figure at this scrape.
            guard let free = try? await shelf.store.freeSpace() else { continue }
            samples.append(MetricSample("entrepot_blob_store_free_bytes", help: "Bytes that the store has space for.", labels: labels, value: Double(free)))
        }
        return samples
    }

    private static func audit(_ figures: AuditFigures) -> [MetricSample] {
        [
            MetricSample("entrepot_audit_events_total", help: "Lines of the audit trail.", kind: .counter, value: Double(figures.written)),
            MetricSample("entrepot_audit_lost_total", help: "Events that could not be recorded.", kind: .counter, value: Double(figures.lost)),
            MetricSample("entrepot_audit_failing", help: "1: the trail cannot be written.", value: figures.isFailing ? 1 : 0),
            MetricSample("entrepot_audit_waiting", help: "Events that wait to be written.", value: Double(figures.waiting)),
        ]
    }

    private static func upstreams(_ repositories: [Repository]) -> [MetricSample] {
        repositories.flatMap { repository -> [MetricSample] in
            guard case .proxy(let part) = repository.part else { return [] }
            let (figures, label) = (part.upstream.figures, (name: "repository", value: "\(repository.name)"))
            let requests = figures.requests.sorted { $0.key < $1.key }.map { outcome, count in
                MetricSample(
                    "entrepot_upstream_requests_total", help: "Requests to upstreams, by what became of them.", kind: .counter,
                    labels: [label, (name: "outcome", value: outcome)], value: Double(count))
            }
            let bytes = MetricSample(
                "entrepot_upstream_received_bytes_total", help: "Bytes of bodies that upstreams have sent.", kind: .counter, labels: [label],
                value: Double(figures.bytes))
            return requests + [bytes] + figures.sites.flatMap { Self.site($0, label) }
        }
    }

    private static func site(_ site: UpstreamFigures.Site, _ label: (name: String, value: String)) -> [MetricSample] {
        let labels = [label, (name: "upstream", value: site.origin)]
        func gauge(_ name: String, _ help: String, _ value: Double) -> MetricSample {
            MetricSample("entrepot_upstream_\(name)", help: help, labels: labels, value: value)
        }
        var samples = [gauge("breaker_state", "0: asked; 1: asked once, to see whether it is well again; 2: left alone.", Double(site.breaker.rawValue))]
        if let latency = site.latency {
            samples.append(gauge("latency_seconds", "Until the head of an answer, smoothed.", latency / .seconds(1)))
        }
        if let budget = site.budget {
            samples.append(gauge("rate_limit", "Requests that the upstream permits in a window.", Double(budget.limit)))
            samples.append(gauge("rate_limit_remaining", "Of these, what is left.", Double(budget.remaining)))
            samples.append(gauge("rate_limit_window_seconds", "How long the window is; 0: not said.", Double(budget.window)))
        }
        return samples
    }

    private static func fills(_ fills: Fills) -> [MetricSample] {
        let (name, help) = ("entrepot_fill_first_byte_seconds", "From a first byte's arrival, or the request, to its being written to a client.")
        let counts = fills.times.now
        var below: Int64 = 0
        var samples = [MetricSample("entrepot_fills", help: "Files that are being fetched, or are there in parts.", value: Double(fills.count))]
        for (index, count) in counts.buckets.enumerated() {
            below += count
            let bound = index < FillTimes.bounds.count ? "\(Double(FillTimes.bounds[index]) / 1000)" : "+Inf"
            samples.append(
                MetricSample(name, help: help, kind: .histogram, labels: [(name: "le", value: bound)], value: Double(below), suffix: "_bucket"))
        }
        samples.append(MetricSample(name, help: help, kind: .histogram, value: counts.sum, suffix: "_sum"))
        return samples + [MetricSample(name, help: help, kind: .histogram, value: Double(below), suffix: "_count")]
    }
}
