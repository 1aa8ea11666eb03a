import Foundation
import Testing

/// The built binary against the programs that people use. One at a time: they share two cores, and memory is measured.
@Suite(.serialized) enum Clients {}

/// What the tests are told by their surroundings.
enum Surroundings {
    private static let environment = ProcessInfo.processInfo.environment

    /// There, a client that is missing is a failure and not a reason to skip.
    static let isCI = environment["CI"] == "true"
    /// `make soak`: the full size of each load.
    static let isFull = environment["ENTREPOT_FULL"] == "1"
    static let root = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    /// Beside the test bundle, unless `ENTREPOT_BINARY` says where.
    static let binary: String = {
        if let path = environment["ENTREPOT_BINARY"] { return path }
        let bundle = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath().deletingLastPathComponent().appending(path: "entrepot").path
        return FileManager.default.isExecutableFile(atPath: bundle) ? bundle : root.appending(path: ".build/release/entrepot").path
    }()

    /// Where a program is; nil where it is not installed. Python clients are in the tests' own environment.
    static func program(_ name: String) -> String? {
        let path = environment["PATH"] ?? ""
        let folders = [root.appending(path: ".build-venv/bin").path] + path.split(separator: ":").map(String.init) + ["/usr/sbin", "/sbin"]
        return folders.lazy.map { "\($0)/\(name)" }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// The interpreter that sees the clients from PyPI; scripts/python-clients makes it.
    static let pythonClients = root.appending(path: ".build-venv/bin/python").path
    /// Likewise, for helm, which wants a newer Python.
    static let pythonHelm = root.appending(path: ".build-venv-helm/bin/python").path
    /// Whether it is to be used: a client that is missing is a failure where tests decide.
    static func isThere(_ python: String) -> Bool { isCI || FileManager.default.fileExists(atPath: python) }

    static func script(_ name: String) -> String { root.appending(path: "scripts/clients/\(name)").path }
}

extension Trait where Self == ConditionTrait {
    /// Skips, with a word, where a program is missing; in CI the test runs, and fails for want of it.
    static func needs(_ programs: String...) -> Self {
        let missing = programs.filter { Surroundings.program($0) == nil }
        return .enabled(if: Surroundings.isCI || missing.isEmpty, "not installed: \(missing.joined(separator: ", ")); see scripts/packages")
    }

    /// Engines that mount file systems.
    static var needsRoot: Self { .enabled(if: geteuid() == 0, "only root may do this") }
}

/// Removed with everything below when `body` is done.
@discardableResult
func withTemporaryFolder<Result>(_ body: (URL) async throws -> Result) async throws -> Result {
    // Short: the path of a UNIX socket has 108 bytes.
    let folder = FileManager.default.temporaryDirectory.appending(path: "ec-\(UInt32.random(in: 0...UInt32.max))")
    try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
    // Best effort: a mount that an engine left behind must not hide the test's own failure.
    defer { try? FileManager.default.removeItem(at: folder) }
    return try await body(folder)
}

/// Prints what a suite took: all of them together have a bound to keep.
struct Timed: SuiteTrait, TestScoping {
    func provideScope(for test: Test, testCase: Test.Case?, performing function: @concurrent @Sendable () async throws -> Void) async throws {
        let taken = try await ContinuousClock().measure { try await function() }
        print("\(test.displayName ?? test.name): \(taken.formatted(.units(allowed: [.seconds], fractionalPart: .show(length: 1))))")
    }
}

extension Trait where Self == Timed {
    static var timed: Self { Timed() }
}
