import Testing

/// The graph of docs/ARCHITECTURE.md: what each module may import. A new module needs a row, a new arrow a reason.
@Suite struct ImportTests {
    /// The toolchain's own, for every module but the plugins.
    private static let platform: Set<String> = ["Foundation", "FoundationEssentials", "Synchronization", "Dispatch", "Glibc", "Musl", "Darwin"]

    /// All that a plugin may see.
    private static let plugin: Set<String> = [
        "ArtifactModel", "FormatAPI", "Compression", "YAMLEvents", "NIOCore", "HTTPTypes", "Foundation", "FoundationEssentials", "Synchronization",
    ]

    private static let core: Set<String> = [
        "ArtifactModel", "FormatAPI", "StorageAPI", "BlockingWork", "BlobStores", "SQLMetadata", "SQLiteDriver", "AccessControl", "RepositoryEngine",
        "Outbound", "Upstream", "Maintenance", "ServerConfiguration", "WebServer", "Audit", "AdminAPI",
    ]

    private static let allowed: [String: Set<String>] = [
        "ArtifactModel": ["NIOCore"],
        "FormatAPI": ["ArtifactModel", "NIOCore", "HTTPTypes", "FoundationEssentials"],
        "StorageAPI": ["ArtifactModel", "NIOCore"],
        "AccessControl": ["ArtifactModel", "StorageAPI", "Crypto", "CryptoExtras", "Logging", "ServiceLifecycle"],
        "Audit": ["ArtifactModel", "StorageAPI", "Crypto", "Logging", "ServiceLifecycle"],
        "BlockingWork": ["ArtifactModel", "NIOPosix"],
        "BlobStores": ["ArtifactModel", "StorageAPI", "NIOCore"],
        "SQLMetadata": ["ArtifactModel", "StorageAPI", "NIOCore"],
        "CSQLite": [],
        "CZlib": [],
        "Compression": ["NIOCore", "CZlib"],
        "YAMLEvents": ["CYaml"],
        "SQLiteDriver": ["ArtifactModel", "StorageAPI", "SQLMetadata", "CSQLite"],
        "RepositoryEngine": ["ArtifactModel", "FormatAPI", "StorageAPI", "AccessControl", "Compression", "NIOCore", "HTTPTypes", "Crypto", "Logging"],
        "Outbound": ["ArtifactModel", "NIOCore", "NIOPosix", "HTTPTypes", "NIOHTTP1", "NIOSSL", "AsyncHTTPClient"],
        "AdminAPI": ["ArtifactModel", "FormatAPI", "StorageAPI", "RepositoryEngine", "AccessControl", "NIOCore", "HTTPTypes"],
        "Upstream": ["ArtifactModel", "FormatAPI", "RepositoryEngine", "Outbound", "Compression", "NIOCore", "HTTPTypes", "Logging"],
        "Maintenance": ["ArtifactModel", "StorageAPI", "RepositoryEngine", "ServiceLifecycle", "Logging"],
        "ServerConfiguration": ["ArtifactModel", "FormatAPI", "AccessControl", "Yams"],
        "WebServer": [
            "ArtifactModel", "FormatAPI", "RepositoryEngine", "AccessControl", "Audit", "Compression", "NIOCore", "NIOPosix", "HTTPTypes", "Logging",
            "ServiceLifecycle", "HummingbirdCore", "NIOHTTP1", "NIOHTTPTypes", "NIOHTTPTypesHTTP1", "NIOSSL",
        ],
        "Entrepot": core.union(["NIOCore", "NIOPosix", "HTTPTypes", "Logging", "ServiceLifecycle", "UnixSignals", "ArgumentParser"]),
        "FormatTestKit": [
            "ArtifactModel", "FormatAPI", "StorageAPI", "RepositoryEngine", "AccessControl", "BlockingWork", "BlobStores", "SQLMetadata", "SQLiteDriver",
            "NIOCore", "HTTPTypes", "Logging",
        ],
    ]

    /// Libraries with one owner. The others are the words that modules speak in: NIOCore, HTTPTypes, Logging, ServiceLifecycle.
    private static let owners: [String: Set<String>] = [
        "Hummingbird": ["WebServer"], "HummingbirdCore": ["WebServer"], "NIOSSL": ["WebServer", "Outbound"],
        "NIOHTTP1": ["WebServer", "Outbound"], "NIOHTTPTypes": ["WebServer"], "AsyncHTTPClient": ["Outbound"],
        "NIOHTTPTypesHTTP1": ["WebServer"], "NIOHTTP2": ["WebServer"], "Yams": ["ServerConfiguration"], "CSQLite": ["SQLiteDriver"],
        "CZlib": ["Compression"], "CYaml": ["YAMLEvents"],
        "Compression": ["RepositoryEngine", "Upstream", "WebServer", "HelmFormat"],
        "Crypto": ["RepositoryEngine", "AccessControl", "Audit"], "CryptoExtras": ["AccessControl"], "ArgumentParser": ["Entrepot"],
        "NIOPosix": ["BlockingWork", "WebServer", "Outbound", "Entrepot"],
    ]

    @Test("no module imports what the graph does not give it")
    func graph() throws {
        for file in try Package.product() {
            guard let module = file.module else { continue }
            let isPlugin = file.path.hasPrefix("plugins/")
            guard var allowed = isPlugin ? Self.plugin : Self.allowed[module] else {
                Issue.record("\(module) has no row in the table of \(#fileID)")
                continue
            }
            if !isPlugin { allowed.formUnion(Self.platform) }
            // The composition root names the formats, and it alone.
            let extra = file.imports.filter { !allowed.contains($0) && !(module == "Entrepot" && $0.hasSuffix("Format")) }
            #expect(extra.isEmpty, "\(file.path) imports \(extra.joined(separator: ", "))")
        }
    }

    @Test("a library with an owner is imported by its owner only")
    func libraries() throws {
        for file in try Package.product() {
            for library in file.imports {
                guard let owners = Self.owners[library], let module = file.module else { continue }
                #expect(owners.contains(module), "\(file.path) imports \(library), which belongs to \(owners.sorted().joined(separator: ", "))")
            }
        }
    }

    @Test("the table names no library outside its owners")
    func tableAgrees() {
        for (module, imports) in Self.allowed {
            for library in imports where Self.owners[library] != nil {
                #expect(Self.owners[library]?.contains(module) == true, "\(module) → \(library)")
            }
        }
    }
}
