import AccessControl
import ArtifactModel

extension ConfigurationReader {
    func routingRules(_ root: Section) -> [RoutingRule] {
        let section = root.section("routingRules")
        return section.members().compactMap { name, _, rule in
            let mode: RoutingRule.Mode? = rule.required("mode", .choice(), RoutingRule.Mode.allCases.map(\.rawValue))
            let matchers = rule.list("matchers", .type { text throws(InvalidName) in try LinearExpression(text) })
            if rule.entry("matchers") == nil {
                self.findings.error(rule.position, rule.key, "the key matchers is missing", allowed: ["a list of regular expressions"])
            }
            rule.finish()
            return mode.map { RoutingRule(name: name, mode: $0, matchers: matchers.map(\.value)) }
        }
    }

    func cleanupPolicies(_ section: Section) -> [CleanupPolicy] {
        if !section.isEmpty { self.findings.warning(section.position, "cleanupPolicies", "parsed and checked; this version does not run them") }
        return section.members().map { name, _, policy in
            let result = CleanupPolicy(
                name: name, format: policy.optional("format", self.formatKind)?.id, keepLast: policy.optional("keepLast", .int(1...1_000_000)),
                olderThan: policy.optional("olderThan", .positiveDuration), notDownloadedFor: policy.optional("notDownloadedFor", .positiveDuration),
                versions: policy.value("versions", .choice(), default: .all),
                matching: policy.list("matching", .type { text throws(InvalidName) in try Glob(text) }, orSingle: true).map(\.value))
            if result.keepLast == nil, result.olderThan == nil, result.notDownloadedFor == nil {
                self.findings.error(
                    policy.position, policy.key, "says nothing of what to remove", allowed: ["one or more of keepLast, olderThan, notDownloadedFor"])
            }
            policy.finish()
            return result
        }
    }

    /// A format by its id or an alias.
    var formatKind: ValueKind<FormatSchema> {
        let formats = self.formats
        return ValueKind(
            parse: { scalar throws(InvalidName) in
                guard let format = formats.first(where: { $0.spellings.contains(scalar.text) }) else {
                    throw InvalidName(kind: "format of this version", text: scalar.text, rule: formats.flatMap(\.spellings).joined(separator: ", "))
                }
                return format
            }, show: { .text($0.id) })
    }
}
