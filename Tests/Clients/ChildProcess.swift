import Foundation
import Testing

/// A program that was started here, and is ended here, by its own process id or that of its group.
struct ChildProcess {
    private let process: Process
    private let output: URL
    private let errors: URL

    var pid: Int32 { self.process.processIdentifier }
    var isRunning: Bool { self.process.isRunning }
    /// What it wrote so far.
    var outputText: String { Self.text(self.output) }
    var errorText: String { Self.text(self.errors) }

    /// - Parameter line: the program, by name or path, and its arguments. Output goes to files, so that no pipe fills.
    /// - Parameter pipe: takes the standard output instead; `outputText` then stays empty.
    init(_ line: [String], environment: [String: String] = [:], in folder: URL, input: URL? = nil, pipe: Pipe? = nil) throws {
        let name = try #require(line.first)
        let path = name.contains("/") ? name : try #require(Surroundings.program(name), "\(name) is not installed; see scripts/packages")
        let number = UInt32.random(in: 0...UInt32.max)
        self.output = folder.appending(path: "out-\(number)")
        self.errors = folder.appending(path: "err-\(number)")
        for file in [self.output, self.errors] { try Data().write(to: file) }
        self.process = Process()
        self.process.executableURL = URL(filePath: path)
        self.process.arguments = Array(line.dropFirst())
        self.process.currentDirectoryURL = folder
        self.process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        self.process.standardInput = try input.map { try FileHandle(forReadingFrom: $0) } ?? FileHandle.nullDevice
        if let pipe { self.process.standardOutput = pipe } else { self.process.standardOutput = try FileHandle(forWritingTo: self.output) }
        self.process.standardError = try FileHandle(forWritingTo: self.errors)
        try Self.withSignalsOpen { try self.process.run() }
    }

    /// The threads that tests run on block all signals, and a child inherits that: SIGTERM would never reach it.
    private static func withSignalsOpen(_ body: () throws -> Void) rethrows {
        var none = sigset_t()
        var before = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, &before)
        defer { pthread_sigmask(SIG_SETMASK, &before, nil) }
        try body()
    }

    func signal(_ number: Int32) { if self.process.isRunning { kill(self.pid, number) } }

    /// The exit status; 128 + signal where a signal ended it. After the deadline it is killed, and nil comes back.
    func wait(atMost deadline: Duration) async -> Int32? {
        let ended = await eventually(within: deadline) { !self.process.isRunning }
        if !ended {
            // With what it started, where it leads a group of its own.
            kill(getpgid(self.pid) == self.pid ? -self.pid : self.pid, SIGKILL)
            self.process.waitUntilExit()
            return nil
        }
        return self.process.terminationReason == .exit ? self.process.terminationStatus : 128 + self.process.terminationStatus
    }

    private static func text(_ file: URL) -> String {
        // Absent only where the test removed its own folder.
        String(decoding: (try? Data(contentsOf: file)) ?? Data(), as: UTF8.self)
    }
}

/// What a program that ended has left.
struct Ended {
    var status: Int32
    var output: String
    var errors: String
}

/// Looks every few milliseconds; false once the deadline has passed.
func eventually(within deadline: Duration, _ isSo: () -> Bool) async -> Bool {
    let clock = ContinuousClock()
    let end = clock.now.advanced(by: deadline)
    while !isSo() {
        if clock.now >= end { return false }
        // Cancelled by the test's own limit: the loop then ends by its deadline at the latest.
        try? await clock.sleep(for: .milliseconds(4))
    }
    return true
}

/// Runs a program to its end; any status is an answer.
func run(_ line: [String], environment: [String: String] = [:], in folder: URL, input: URL? = nil, deadline: Duration = .seconds(60)) async throws -> Ended {
    let child = try ChildProcess(line, environment: environment, in: folder, input: input)
    let status = try #require(
        await child.wait(atMost: deadline), "\(line.joined(separator: " ")) was not done in \(deadline): \(child.errorText.suffix(2000))")
    return Ended(status: status, output: child.outputText, errors: child.errorText)
}

/// Runs a program that must succeed, and gives what it printed.
@discardableResult
func succeed(
    _ line: [String], environment: [String: String] = [:], in folder: URL, deadline: Duration = .seconds(60), sourceLocation: SourceLocation = #_sourceLocation
) async throws -> String {
    let ended = try await run(line, environment: environment, in: folder, deadline: deadline)
    try #require(
        ended.status == 0, "\(line.joined(separator: " ")): \(ended.status)\n\(ended.output.suffix(2000))\n\(ended.errors.suffix(3000))",
        sourceLocation: sourceLocation)
    return ended.output
}
