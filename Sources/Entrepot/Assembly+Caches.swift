import ArtifactModel
import Maintenance
import RepositoryEngine
import ServerConfiguration
import WebServer

extension Assembly {
    /// `cache.maxSize` of those that have one.
    static func bounds(_ configuration: Configuration, _ repositories: [Repository]) -> [RepositoryID: Int64] {
        let sizes = configuration.repositories.compactMap { repository -> (RepositoryName, Int64)? in
            guard case .proxy(let proxy) = repository.kind, let size = proxy.cache.maxSize else { return nil }
            return (repository.name, size)
        }
        let byName = Dictionary(sizes, uniquingKeysWith: { first, _ in first })
        return Dictionary(
            repositories.compactMap { repository in byName[repository.name].map { (repository.id, $0) } }, uniquingKeysWith: { first, _ in first })
    }

    /// How full the bounded caches are; counted where that was not done since the start.
    func cacheReports() async throws -> [StatusReport.Cache] {
        var reports: [StatusReport.Cache] = []
        for repository in self.evictor.repositories {
            guard let bound = self.evictor.meter.bounds[repository.id] else { continue }
            let bytes = if let size = self.evictor.meter.size(of: repository.id) { size } else { try await self.evictor.measure(repository.id) }
            reports.append(StatusReport.Cache(repository: repository.name.text, bytes: bytes, maxSize: bound))
        }
        return reports
    }
}

extension MetricSample {
    /// Of the bounded caches.
    static func caches(_ evictor: Evictor) -> [MetricSample] {
        evictor.repositories.flatMap { repository -> [MetricSample] in
            let labels = [(name: "repository", value: "\(repository.name)")]
            let gone = evictor.figures(of: repository.id)
            var samples = [
                MetricSample(
                    "entrepot_cache_evicted_bytes_total", help: "Bytes that were let go of to keep caches within maxSize.", kind: .counter, labels: labels,
                    value: Double(gone.bytes)),
                MetricSample(
                    "entrepot_cache_evicted_components_total", help: "Components that were let go of, such as an image's manifest.", kind: .counter,
                    labels: labels, value: Double(gone.components)),
                MetricSample(
                    "entrepot_cache_evicted_files_total", help: "Files in no component that were let go of, such as layers.", kind: .counter, labels: labels,
                    value: Double(gone.files)),
            ]
            if let bound = evictor.meter.bounds[repository.id] {
                samples.append(MetricSample("entrepot_cache_max_bytes", help: "maxSize of the cache.", labels: labels, value: Double(bound)))
            }
            // Not counted yet, moments after a start: no figure rather than a wrong one.
            if let size = evictor.meter.size(of: repository.id) {
                samples.append(MetricSample("entrepot_cache_bytes", help: "Bytes that the cache keeps, at most.", labels: labels, value: Double(size)))
            }
            return samples
        }
    }
}
