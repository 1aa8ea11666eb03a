import Synchronization

/// Names for requests: begins at random and visits every number once, mixed as in SplitMix64. Unique within a process without a system
/// call for each.
final class RequestNumbers: Sendable {
    private let last = Atomic<UInt64>(.random(in: .min ... .max))

    /// 16 hex digits.
    func next() -> String {
        var mixed = self.last.wrappingAdd(0x9E37_79B9_7F4A_7C15, ordering: .relaxed).newValue
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        let number = mixed ^ (mixed >> 31)
        return String(unsafeUninitializedCapacity: 16) { digits in
            for place in 0..<16 {
                let digit = UInt8(truncatingIfNeeded: number >> (60 - 4 * place)) & 0xF
                digits[place] = digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
            }
            return 16
        }
    }
}
