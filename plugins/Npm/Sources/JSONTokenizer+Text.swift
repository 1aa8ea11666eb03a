extension JSONTokenizer {
    /// The string, number or key that is being read.
    struct Text: Sendable {
        enum Mode: Sendable { case none, whole, pieces }

        var mode = Mode.none
        var isKey = false
        /// Where, in the bytes at hand, begins what was not handed on yet.
        var run = 0
        /// The escape's digits so far, and how many are to come.
        var unit: UInt32 = 0
        var digits = 0
        /// The first half of a pair, whose second may follow; 0: none.
        var half: UInt32 = 0
        /// Of a character of several bytes: how many are to come, and what the next one may be.
        var rest = 0
        var next: ClosedRange<UInt8> = 0x80...0xBF
        private var limit = 0
        private var kept: [UInt8] = []
        private var isTooLong = false

        @inline(__always)
        mutating func begin(_ interest: JSONInterest, at: Int) {
            self.isKey = false
            switch interest {
            case .nothing, .members: self.mode = .none
            case .pieces: self.start(.pieces, 0, at)
            case .text(let limit): self.start(.whole, limit, at)
            }
        }

        private mutating func start(_ mode: Mode, _ limit: Int, _ at: Int) {
            self.mode = mode
            self.limit = limit
            self.run = at
            self.half = 0
            self.isTooLong = false
            // One long text is no reason to hold as much for ever.
            self.kept.removeAll(keepingCapacity: self.kept.capacity <= 4096)
        }

        /// Hands on what has no escape in it.
        mutating func flush<Visitor: JSONVisitor>(
            _ bytes: UnsafeRawBufferPointer, upTo end: Int, _ visitor: inout Visitor
        ) throws(JSONFlaw) {
            guard self.run < end else { return }
            let run = UnsafeRawBufferPointer(rebasing: bytes[self.run..<end])
            self.run = end
            try self.add(run, &visitor)
        }

        mutating func add<Visitor: JSONVisitor>(
            _ bytes: UnsafeRawBufferPointer, _ visitor: inout Visitor
        ) throws(JSONFlaw) {
            if self.mode == .pieces { return try visitor.piece(bytes) }
            if self.kept.count + bytes.count > self.limit {
                self.isTooLong = true
            } else {
                self.kept.append(contentsOf: bytes)
            }
        }

        /// All of it, without a copy where it lies in one piece; nil where it is too long.
        func withWhole(
            _ bytes: UnsafeRawBufferPointer, upTo end: Int,
            _ body: (UnsafeRawBufferPointer?) throws(JSONFlaw) -> Void
        ) throws(JSONFlaw) {
            guard !self.isTooLong else { return try body(nil) }
            if self.kept.isEmpty {
                let run = UnsafeRawBufferPointer(rebasing: bytes[min(self.run, end)..<end])
                return try body(run.count <= self.limit ? run : nil)
            }
            try self.kept.withUnsafeBufferPointer { (kept) throws(JSONFlaw) in
                try body(UnsafeRawBufferPointer(kept))
            }
        }

        var isEmpty: Bool { self.kept.isEmpty && !self.isTooLong }
    }

    /// - Parameters:
    ///   - end: in `bytes`, where the text ends.
    ///   - place: where the value ends.
    @inline(__always)
    mutating func endText<Visitor: JSONVisitor>(
        _ bytes: UnsafeRawBufferPointer, _ end: Int, _ place: Int64, _ visitor: inout Visitor
    ) throws(JSONFlaw) {
        self.state = self.text.isKey ? .colon : self.depth == 0 ? .done : .comma
        guard self.depth <= self.heard else { return }
        try self.report(bytes, end, place, &visitor)
    }

    private mutating func report<Visitor: JSONVisitor>(
        _ bytes: UnsafeRawBufferPointer, _ end: Int, _ place: Int64, _ visitor: inout Visitor
    ) throws(JSONFlaw) {
        let mode = self.text.mode
        guard mode == .whole else {
            if mode == .pieces { try self.text.flush(bytes, upTo: end, &visitor) }
            self.text.mode = .none
            return try visitor.end(at: place, text: nil)
        }
        if !self.text.isEmpty { try self.text.flush(bytes, upTo: end, &visitor) }
        let isKey = self.text.isKey
        try self.text.withWhole(bytes, upTo: end) { (text) throws(JSONFlaw) in
            guard isKey else { return try visitor.end(at: place, text: text) }
            guard let text else {
                throw JSONFlaw(
                    message: "the JSON has a key of more than \(Self.longestKey) bytes", offset: place)
            }
            try visitor.key(text)
        }
        self.text.mode = .none
    }
}
