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
        var samples: [MetricSample] = []
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
}
