import ArtifactModel

extension ConfigurationReader {
    func audit(_ section: Section) -> Audit {
        let audit = Audit(
            enabled: section.value("enabled", .bool, default: true), sync: section.value("fsync", .auditSync, default: .every(.seconds(1))),
            retention: section.value("retention", .retention, default: .seconds(365 * 86400)),
            segmentBytes: section.value("segmentSize", .size(from: 64 << 10, to: 16 << 30), default: 256 << 20),
            onFailure: section.value("onFailure", .choice(), default: .continue))
        section.finish()
        return audit
    }
}

extension ValueKind where Value == Configuration.Audit.Sync {
    fileprivate static var auditSync: Self {
        Self(
            parse: { scalar throws(InvalidName) in
                switch scalar.text {
                case "always": return .always
                case "never": return .never
                default: break
                }
                // What it says of durations would be only a part of what is allowed.
                if let interval = try? DurationText.parse(scalar.text), interval > .zero, interval <= .seconds(3600) { return .every(interval) }
                throw InvalidName(kind: "choice", text: scalar.text, rule: "always, never, or how long a line may wait: more than 0, at most 1h, such as 1s")
            },
            show: { sync in
                switch sync {
                case .always: .text("always")
                case .never: .text("never")
                case .every(let interval): .text(DurationText.text(interval))
                }
            })
    }
}

extension ValueKind where Value == Duration? {
    /// `0` and `unlimited` are nil.
    fileprivate static var retention: Self {
        let duration = Self.durationOrUnlimited
        return Self(
            parse: { scalar throws(InvalidName) in
                let value = try duration.parse(scalar)
                return value == .zero ? nil : value
            }, show: duration.show)
    }
}
