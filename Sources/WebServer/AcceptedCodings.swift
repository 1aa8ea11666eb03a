/// What a client takes in the place of the bytes as they are. RFC 9110, 12.5.3.
struct AcceptedCodings: Hashable {
    /// It takes gzip, and likes it no less than the bytes as they are.
    let takesGzip: Bool

    /// - Parameter field: the value of `Accept-Encoding`; nil: none was sent.
    init(_ field: String?) {
        // In thousandths; nil: not named.
        var (gzip, identity, rest) = (Int?.none, Int?.none, Int?.none)
        for element in (field ?? "").split(separator: ",") {
            let parts = element.split(separator: ";", omittingEmptySubsequences: false).map(\.trimmedSpace)
            let weight = Self.weight(parts.dropFirst())
            switch parts[0].lowercased() {
            case "gzip", "x-gzip": gzip = max(gzip ?? 0, weight)
            case "identity": identity = weight
            case "*": rest = weight
            default: break
            }
        }
        let weight = gzip ?? rest ?? 0
        self.takesGzip = weight > 0 && weight >= identity ?? 0
    }

    /// What cannot be read is not taken.
    private static func weight(_ parameters: some Sequence<Substring>) -> Int {
        for parameter in parameters {
            let sides = parameter.split(separator: "=", maxSplits: 1).map(\.trimmedSpace)
            guard sides.count == 2, sides[0].lowercased() == "q" else { continue }
            guard let value = Double(sides[1]), (0...1).contains(value) else { return 0 }
            return Int(value * 1000)
        }
        return 1000
    }
}
