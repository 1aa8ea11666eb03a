public import ArtifactModel
public import Logging

/// Writes each message as a JSON object on a line of its own: `time`, `level`, `logger`, `message`, then the metadata by their names.
public struct JSONLineLogHandler: LogHandler {
    public var logLevel: Logger.Level = .info
    public var metadata: Logger.Metadata = [:]
    public var metadataProvider: Logger.MetadataProvider?
    private let label: String
    private let lines: LineWriter
    private let now: WallClock

    public init(label: String, lines: LineWriter, now: @escaping WallClock) {
        self.label = label
        self.lines = lines
        self.now = now
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { self.metadata[key] }
        set { self.metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        var line = JSONLine()
        line.add("time", self.now())
        line.add("level", event.level.rawValue)
        line.add("logger", self.label)
        line.add("message", event.message.description)
        var all = event.metadata ?? [:]
        // What is nearer to the message wins.
        if let provided = self.metadataProvider?.get() { all.merge(provided) { given, _ in given } }
        if !self.metadata.isEmpty { all.merge(self.metadata) { given, _ in given } }
        for (name, value) in all.sorted(by: { $0.key < $1.key }) { line.add(metadata: name, value) }
        if let error = event.error { line.add("error", "\(error)") }
        self.lines.write(line.finished(), urgent: event.level >= .critical)
    }
}
