import ArtifactModel

/// Makes the lines of a trail, each an object of JSON with its newline, chained by `seq` and `prev`:
///
///     2026-11-26.jsonl     …
///                          {"time":"2026-11-26T23:59:58.004Z","kind":"pull",…,"seq":41,"prev":"c1…"} ── SHA-256 ─┐
///                                                                                                              │
///     2026-11-27.jsonl     {"time":"…","kind":"segment","version":1,"after":"2026-11-26.jsonl","seq":42,"prev":"…"} ─┐
///                          {"time":"…","kind":"login",…,"seq":43,"prev":"…"}    ◀── SHA-256 of the line above ───────┘
///
/// Every line but the very first names in `prev` the SHA-256 of the whole line before it, without that one's newline; the first names 64
/// zeros. `seq` counts all lines, those that begin a segment too, from 1 on and through all segments. So `sed -n 41p FILE | tr -d '\n' |
/// sha256sum` gives the `prev` of line 42. `time` and `kind` come first and `seq` and `prev` last in every line; members that say nothing are left out.
struct LineMaker: Sendable {
    static let version = 1
    /// A longer line is none of the trail's: eleven texts at their bounds, every byte of them escaped, and the rest.
    static let mostBytes = 128 << 10
    /// Of a text, in bytes; `subject` and `detail` may have more.
    static let mostText = 1 << 10
    static let mostLongText = 4 << 10

    private(set) var end: ChainEnd
    private var time = UTCText()

    init(after end: ChainEnd) { self.end = end }

    /// Lines made since were not kept: goes on after an earlier end.
    mutating func goBack(to end: ChainEnd) { self.end = end }

    /// The first line of a segment.
    /// - Parameter previous: the segment before it; empty: there is none.
    mutating func addHeader(after previous: String, at moment: Timestamp, to bytes: inout [UInt8]) {
        let start = self.begin("segment", moment, &bytes)
        Self.add(",\"version\":", Int64(Self.version), &bytes)
        Self.add(",\"after\":\"", previous, &bytes)
        self.finish(start, &bytes)
    }

    mutating func add(_ event: AuditEvent, to bytes: inout [UInt8]) {
        let start = self.begin(event.kind.rawValue, event.time, &bytes)
        Self.add(",\"request\":\"", event.request, &bytes)
        Self.add(",\"principal\":\"", event.principal, &bytes)
        Self.add(",\"means\":\"", event.means, &bytes)
        Self.add(",\"client\":\"", event.client, &bytes)
        Self.add(",\"repository\":\"", event.repository, &bytes)
        Self.add(",\"operation\":\"", event.operation, &bytes)
        Self.add(",\"subject\":\"", event.subject, most: Self.mostLongText, &bytes)
        Self.add(",\"digest\":\"", event.digest, &bytes)
        Self.add(",\"status\":", Int64(event.status), &bytes)
        Self.add(",\"bytes\":", event.bytes, &bytes)
        Self.add(",\"rule\":\"", event.rule, &bytes)
        if event.cut { bytes.append(",\"cut\":true" as StaticString) }
        Self.add(",\"detail\":\"", event.detail, most: Self.mostLongText, &bytes)
        self.finish(start, &bytes)
    }

    /// - Returns: where the line begins.
    private mutating func begin(_ kind: String, _ moment: Timestamp, _ bytes: inout [UInt8]) -> Int {
        let start = bytes.count
        bytes.append("{\"time\":\"" as StaticString)
        self.time.append(moment, to: &bytes)
        bytes.append("\",\"kind\":\"" as StaticString)
        bytes.append(contentsOf: kind.utf8)
        bytes.append(UInt8(ascii: "\""))
        return start
    }

    private mutating func finish(_ start: Int, _ bytes: inout [UInt8]) {
        let seq = self.end.seq + 1
        bytes.append(",\"seq\":" as StaticString)
        bytes.append(decimal: seq)
        bytes.append(",\"prev\":\"" as StaticString)
        self.end.hash.append(to: &bytes)
        bytes.append("\"}" as StaticString)
        self.end = ChainEnd(seq: seq, hash: bytes.withUnsafeBytes { LineHash(of: UnsafeRawBufferPointer(rebasing: $0[start...])) })
        bytes.append(UInt8(ascii: "\n"))
    }

    private static func add(_ name: StaticString, _ text: String, most: Int = Self.mostText, _ bytes: inout [UInt8]) {
        if text.utf8.isEmpty { return }
        bytes.append(name)
        bytes.append(escaped: text, most: most)
        bytes.append(UInt8(ascii: "\""))
    }

    private static func add(_ name: StaticString, _ number: Int64, _ bytes: inout [UInt8]) {
        if number == 0 { return }
        bytes.append(name)
        bytes.append(decimal: number)
    }
}
