import ArtifactModel

/// Slots as they are stored: for each, how far it is from the end of the one before, its length, the path's length, as numbers of seven bits a
/// byte with the lowest first, and the path.
enum SlotList {
    static func bytes(_ slots: [DocumentSlot]) -> [UInt8] {
        var out: [UInt8] = []
        var end: Int64 = 0
        for slot in slots {
            for number in [slot.bytes.lowerBound - end, Int64(slot.bytes.count), Int64(slot.path.utf8.count)] { Self.write(number, to: &out) }
            out += slot.path.utf8
            end = slot.bytes.upperBound
        }
        return out
    }

    /// nil: these are none.
    static func read(_ bytes: [UInt8]) -> [DocumentSlot]? {
        var rest = bytes[...]
        var slots: [DocumentSlot] = []
        var end: Int64 = 0
        while !rest.isEmpty {
            guard let gap = Self.number(&rest), let length = Self.number(&rest), let count = Self.number(&rest), count <= rest.count else { return nil }
            let start = end + gap
            end = start + length
            guard let path = String(validating: rest.prefix(Int(count)), as: UTF8.self) else { return nil }
            slots.append(DocumentSlot(start..<end, path: path))
            rest = rest.dropFirst(Int(count))
        }
        return slots
    }

    private static func write(_ number: Int64, to out: inout [UInt8]) {
        var rest = UInt64(max(0, number))
        while rest >= 0x80 {
            out.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        out.append(UInt8(rest))
    }

    /// At most 2^49: no document is so long, and sums of such numbers stay numbers.
    private static func number(_ bytes: inout ArraySlice<UInt8>) -> Int64? {
        var number: Int64 = 0
        for shift in stride(from: Int64(0), to: 49, by: 7) {
            guard let byte = bytes.popFirst() else { return nil }
            number |= Int64(byte & 0x7F) << shift
            if byte < 0x80 { return number }
        }
        return nil
    }
}
