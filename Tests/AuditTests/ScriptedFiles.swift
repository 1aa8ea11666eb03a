import Synchronization

@testable import Audit

/// Files in memory, on a disk that fails as a test says.
final class ScriptedFiles: AuditFiles {
    enum Call: Hashable, Sendable { case open, write, truncate, sync, syncFolder, remove }

    struct State {
        var contents: [String: [UInt8]] = [:]
        /// What the disk has room for, in bytes; nil: anything.
        var room: Int?
        /// These fail until they are taken out.
        var broken: Set<Call> = []
        /// Only this call of all that change something fails, counted from 1.
        var failingCall: Int?
        var calls: [Call] = []
        fileprivate var opened: [CInt: String] = [:]
        fileprivate var next: CInt = 3
    }

    private let state = Mutex(State())

    init(_ contents: [String: [UInt8]] = [:]) { self.state.withLock { $0.contents = contents } }

    func change(_ body: (inout State) -> Void) { self.state.withLock { body(&$0) } }
    var now: State { self.state.withLock { State(contents: $0.contents, room: $0.room, calls: $0.calls) } }
    var sorted: [String] { self.now.contents.keys.sorted() }

    /// The lines of one segment, or of all in order, without their newlines.
    func lines(_ name: String? = nil) -> [String] {
        let contents = self.now.contents
        let names = name.map { [$0] } ?? contents.keys.compactMap(AuditSegment.init(name:)).sorted().map(\.name)
        return names.flatMap { (contents[$0] ?? []).split(separator: UInt8(ascii: "\n")).map { String(decoding: $0, as: UTF8.self) } }
    }

    /// What the lines' subjects are, or their details.
    var subjects: [String] {
        self.lines().compactMap { line in
            line.firstMatch(of: #/"(?:subject|detail)":"([^"]*)"/#).map { String($0.output.1) }
        }
    }

    func report(_ options: AuditVerifier.Options = .init()) throws -> AuditReport { try AuditVerifier(self).verify(options) }

    // MARK: AuditFiles

    func prepare() throws(AuditError) {}
    func names() throws(AuditError) -> [String] { self.sorted }

    func open(_ name: String, for use: AuditFileUse) throws(AuditError) -> OpenedAuditFile? {
        try self.calling(use == .reading ? nil : .open) { state throws(AuditError) in
            if state.contents[name] == nil {
                guard use == .making else { return nil }
                state.contents[name] = []
            }
            state.next += 1
            state.opened[state.next] = name
            return OpenedAuditFile(file: state.next, length: Int64(state.contents[name]?.count ?? 0))
        }
    }

    func isOpen(_ file: CInt, as name: String) throws(AuditError) -> Bool {
        self.state.withLock { $0.contents[name] != nil && $0.opened[file] == name }
    }

    func read(_ file: CInt, at offset: Int64, into bytes: UnsafeMutableRawBufferPointer) throws(AuditError) -> Int {
        let content = self.state.withLock { state in state.opened[file].flatMap { state.contents[$0] } ?? [] }
        let part = content.dropFirst(Int(offset)).prefix(bytes.count)
        bytes.copyBytes(from: part)
        return part.count
    }

    func write(_ file: CInt, _ bytes: UnsafeRawBufferPointer) throws(AuditError) -> Int {
        let new = Array(bytes)
        return try self.calling(.write) { state throws(AuditError) in
            let count = min(new.count, state.room ?? new.count)
            guard count > 0, let name = state.opened[file] else { throw AuditError(.noSpace, "No space left on device", cause: "scripted") }
            state.room = state.room.map { $0 - count }
            state.contents[name]?.append(contentsOf: new[..<count])
            return count
        }
    }

    func truncate(_ file: CInt, to length: Int64) throws(AuditError) {
        try self.calling(.truncate) { state throws(AuditError) in
            guard let name = state.opened[file], let content = state.contents[name] else { return }
            state.room = state.room.map { $0 + content.count - Int(length) }
            state.contents[name] = Array(content.prefix(Int(length)))
        }
    }

    func sync(_ file: CInt) throws(AuditError) { try self.calling(.sync) { _ throws(AuditError) in } }
    func syncFolder() throws(AuditError) { try self.calling(.syncFolder) { _ throws(AuditError) in } }
    func remove(_ name: String) throws(AuditError) { try self.calling(.remove) { state throws(AuditError) in state.contents[name] = nil } }
    func close(_ file: CInt) { self.state.withLock { $0.opened[file] = nil } }

    private func calling<T: Sendable>(_ call: Call?, _ body: (inout State) throws(AuditError) -> T) throws(AuditError) -> T {
        try self.state.withLock { state throws(AuditError) in
            if let call {
                state.calls.append(call)
                if state.broken.contains(call) || state.failingCall == state.calls.count {
                    throw AuditError(.io, "Input/output error", cause: "scripted \(call)")
                }
            }
            return try body(&state)
        }
    }
}
