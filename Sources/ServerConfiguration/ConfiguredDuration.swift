extension Duration {
    /// As in the configuration: `500ms`, `12h`, `90d`; nil: no such text.
    public init?(configured text: String) {
        do { self = try DurationText.parse(text) } catch { return nil }
    }
}
