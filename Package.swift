// swift-tools-version: 6.2
import PackageDescription

/// Every folder of `plugins/` that is compiled in. A new format adds one word here and one line in `Sources/Entrepot/Formats.swift`.
let formats = ["Docker", "Helm", "Maven", "Npm", "Raw"]

let strict: [SwiftSetting] = [
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .treatAllWarnings(as: .error),
]

let model: Target.Dependency = "ArtifactModel"
let formatAPI: Target.Dependency = "FormatAPI"
let storageAPI: Target.Dependency = "StorageAPI"
let nio: Target.Dependency = .product(name: "NIOCore", package: "swift-nio")
let posix: Target.Dependency = .product(name: "NIOPosix", package: "swift-nio")
let http: Target.Dependency = .product(name: "HTTPTypes", package: "swift-http-types")
let crypto: Target.Dependency = .product(name: "Crypto", package: "swift-crypto")
let logging: Target.Dependency = .product(name: "Logging", package: "swift-log")
let lifecycle: Target.Dependency = .product(name: "ServiceLifecycle", package: "swift-service-lifecycle")

func module(_ name: String, _ dependencies: [Target.Dependency], path: String? = nil) -> Target {
    .target(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}
func tests(_ name: String, _ dependencies: [Target.Dependency], path: String? = nil) -> Target {
    .testTarget(name: name, dependencies: dependencies, path: path, swiftSettings: strict)
}

let formatTargets: [Target] = formats.flatMap { name in
    [
        module("\(name)Format", [model, formatAPI, "Compression", "YAMLEvents", nio, http], path: "plugins/\(name)/Sources"),
        tests(
            "\(name)FormatTests",
            [.target(name: "\(name)Format"), "FormatTestKit", "TestDice", "AccessControl", model, formatAPI, "Compression", nio, http, crypto],
            path: "plugins/\(name)/Tests"),
    ]
}

let package = Package(
    name: "entrepot",
    platforms: [.macOS(.v15)],
    products: [.executable(name: "entrepot", targets: ["Entrepot"])],
    dependencies: [
        .package(url: "https://github.com/apple/swift-nio.git", from: "2.101.2"),
        .package(url: "https://github.com/apple/swift-nio-extras.git", from: "1.35.2"),
        .package(url: "https://github.com/apple/swift-nio-ssl.git", from: "2.37.6"),
        .package(url: "https://github.com/apple/swift-http-types.git", from: "1.8.0"),
        .package(url: "https://github.com/apple/swift-crypto.git", from: "4.5.2"),
        .package(url: "https://github.com/apple/swift-log.git", from: "1.16.2"),
        .package(url: "https://github.com/apple/swift-argument-parser.git", from: "1.8.2"),
        .package(url: "https://github.com/swift-server/async-http-client.git", from: "1.37.0", traits: []),
        .package(url: "https://github.com/hummingbird-project/hummingbird.git", from: "2.28.1", traits: []),
        .package(url: "https://github.com/swift-server/swift-service-lifecycle.git", from: "2.13.0"),
        .package(url: "https://github.com/jpsim/Yams.git", from: "6.2.2"),
    ],
    targets: [
        module("ArtifactModel", [nio]),
        module("FormatAPI", [model, nio, http]),
        module("StorageAPI", [model, nio]),
        module("BlockingWork", [model, posix]),
        module("BlobStores", [model, storageAPI, nio]),
        module("SQLMetadata", [model, storageAPI, nio]),
        .systemLibrary(name: "CSQLite", path: "Sources/CSQLite"),
        .systemLibrary(name: "CZlib", path: "Sources/CZlib"),
        module("Compression", ["CZlib", nio]),
        // Of that package, its C library alone, which comes with it.
        module("YAMLEvents", ["Yams"]),
        module("SQLiteDriver", [model, storageAPI, "SQLMetadata", "CSQLite"]),
        module("AccessControl", [model, storageAPI, crypto, .product(name: "CryptoExtras", package: "swift-crypto"), logging, lifecycle]),
        module("Audit", [model, storageAPI, crypto, logging, lifecycle]),
        module("RepositoryEngine", [model, formatAPI, storageAPI, "AccessControl", "Compression", nio, http, crypto, logging]),
        module(
            "Outbound",
            [
                model, nio, posix, http,
                .product(name: "AsyncHTTPClient", package: "async-http-client"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        module("AdminAPI", [model, formatAPI, storageAPI, "RepositoryEngine", "AccessControl", nio, http]),
        module("Upstream", [model, formatAPI, "RepositoryEngine", "Outbound", "Compression", nio, http, logging]),
        module("Maintenance", [model, storageAPI, "RepositoryEngine", lifecycle, logging]),
        module("ServerConfiguration", [model, formatAPI, "AccessControl", "Yams"]),
        module(
            "WebServer",
            [
                model, formatAPI, "RepositoryEngine", "AccessControl", "Audit", "Compression", nio, posix, http, logging, lifecycle,
                .product(name: "HummingbirdCore", package: "hummingbird"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOHTTPTypes", package: "swift-nio-extras"),
                .product(name: "NIOHTTPTypesHTTP1", package: "swift-nio-extras"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        .executableTarget(
            name: "Entrepot",
            dependencies: [
                model, formatAPI, storageAPI, "BlockingWork", "BlobStores", "SQLMetadata", "SQLiteDriver", "AccessControl", "RepositoryEngine",
                "Maintenance", "ServerConfiguration", "Outbound", "Upstream", "WebServer", "Audit", "AdminAPI", nio, posix, http, logging, lifecycle,
                .product(name: "ArgumentParser", package: "swift-argument-parser"),
                .product(name: "UnixSignals", package: "swift-service-lifecycle"),
            ] + formats.map { .target(name: "\($0)Format") },
            swiftSettings: strict),

        // What `make bench` measures within one process.
        .executableTarget(
            name: "rewriting", dependencies: [model, formatAPI, "RepositoryEngine", "BlockingWork", "NpmFormat", nio], path: "Benchmarks/Rewriting",
            swiftSettings: strict),

        // What a format's tests need: the real engine over a memory blob store and SQLite's `:memory:`.
        module(
            "FormatTestKit",
            [
                model, formatAPI, storageAPI, "RepositoryEngine", "AccessControl", "BlockingWork", "BlobStores", "SQLMetadata", "SQLiteDriver", nio, http,
                logging,
            ]),
        module("StorageConformance", [model, storageAPI, nio, crypto], path: "Tests/StorageConformance"),

        module("TestDice", [], path: "Tests/TestDice"),

        tests("ArtifactModelTests", [model, nio]),
        tests("CompressionTests", ["Compression", nio]),
        tests("BlobStoresTests", [model, storageAPI, "BlobStores", "BlockingWork", "StorageConformance", nio]),
        tests("SQLMetadataTests", [model, storageAPI, "SQLMetadata", "SQLiteDriver", "BlockingWork", "StorageConformance", nio]),
        tests("SQLiteDriverTests", [model, storageAPI, "SQLMetadata", "SQLiteDriver", "BlockingWork", nio]),
        tests("AccessControlTests", [model, storageAPI, "AccessControl", "TestDice", "BlockingWork", "SQLMetadata", "SQLiteDriver", crypto, logging]),
        tests("AuditTests", [model, storageAPI, "Audit", "TestDice", "BlockingWork", "SQLMetadata", "SQLiteDriver", logging, lifecycle]),
        tests(
            "RepositoryEngineTests",
            [
                model, formatAPI, storageAPI, "RepositoryEngine", "FormatTestKit", "BlockingWork", "BlobStores", "SQLMetadata", "SQLiteDriver", "AccessControl",
                "Compression", nio, http, logging,
            ]),
        tests(
            "MaintenanceTests",
            [
                model, formatAPI, storageAPI, http, "Maintenance", "RepositoryEngine", "FormatTestKit", "BlobStores", "BlockingWork", "SQLMetadata",
                "SQLiteDriver", "AccessControl", "DockerFormat", nio, logging, lifecycle, crypto,
            ]),
        tests(
            "FaultTests",
            [
                model, formatAPI, storageAPI, "RepositoryEngine", "Maintenance", "FormatTestKit", "BlobStores", "BlockingWork", "SQLMetadata", "SQLiteDriver",
                "DockerFormat", nio, http, crypto,
            ], path: "Tests/Faults"),
        tests("ServerConfigurationTests", [model, formatAPI, "ServerConfiguration", "AccessControl", http]),
        tests(
            "WebServerTests",
            [
                model, formatAPI, "WebServer", "RepositoryEngine", "AccessControl", "Audit", "BlockingWork", "Compression", "TestDice", nio, posix, http,
                logging, lifecycle,
                .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        tests(
            "OutboundTests",
            [
                model, "Outbound", "BlockingWork", nio, posix, http, .product(name: "NIOEmbedded", package: "swift-nio"),
                .product(name: "NIOHTTP1", package: "swift-nio"),
            ]),
        tests(
            "UpstreamTests",
            [
                model, formatAPI, "RepositoryEngine", "Upstream", "Outbound", "BlockingWork", "Compression", nio, posix, http, logging,
                .product(name: "NIOSSL", package: "swift-nio-ssl"),
            ]),
        tests("AdminAPITests", [model, formatAPI, storageAPI, "AdminAPI", "RepositoryEngine", "AccessControl", "FormatTestKit", nio, http]),
        tests("ArchitectureTests", []),
        tests("ClientTests", [], path: "Tests/Clients"),
    ] + formatTargets
)
