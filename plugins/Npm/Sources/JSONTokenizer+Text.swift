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

        @inline(__always) mutating func begin(_ interest: JSONInterest, at: Int) {
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
            if !self.kept.isEmpty { self.kept.removeAll(keepingCapacity: self.kept.count <= 4096) }
        }

        /// Hands on what has no escape in it.
        mutating func flush<Visitor: JSONVisitor>(_ bytes: UnsafeRawBufferPointer, upTo end: Int, _ visitor: inout Visitor) throws(JSONFlaw) {
            guard self.run < end else { return }
            let run = UnsafeRawBufferPointer(rebasing: bytes[self.run..<end])
            self.run = end
            try self.add(run, &visitor)
        }

        mutating func add<Visitor: JSONVisitor>(_ bytes: UnsafeRawBufferPointer, _ visitor: inout Visitor) throws(JSONFlaw) {
            if self.mode == .pieces { return try visitor.piece(bytes) }
            if self.kept.count + bytes.count > self.limit { self.isTooLong = true } else { self.kept.append(contentsOf: bytes) }
        }

        /// What lies in one piece, and so needs no copy.
        @inline(__always) func whole(_ bytes: UnsafeRawBufferPointer, upTo end: Int) -> UnsafeRawBufferPointer? {
            let run = UnsafeRawBufferPointer(rebasing: bytes[min(self.run, end)..<end])
            return run.count <= self.limit ? run : nil
        }

        /// What came in several; nil where it is too long.
        func withKept(_ body: (UnsafeRawBufferPointer?) throws(JSONFlaw) -> Void) throws(JSONFlaw) {
            if self.isTooLong { return try body(nil) }
            try self.kept.withUnsafeBufferPointer { (kept) throws(JSONFlaw) in try body(UnsafeRawBufferPointer(kept)) }
        }

        var isEmpty: Bool { self.kept.isEmpty && !self.isTooLong }
    }

    /// - Parameters:
    ///   - end: in `bytes`, where the text ends.
    ///   - place: where the value ends.
    @inline(__always) mutating func endText<Visitor: JSONVisitor>(_ bytes: UnsafeRawBufferPointer, _ end: Int, _ place: Int64, _ visitor: inout Visitor)
        throws(JSONFlaw)
    {
        self.state = self.text.isKey ? .colon : self.depth == 0 ? .done : .comma
        guard self.depth <= self.heard else { return }
        try self.report(bytes, end, place, &visitor)
    }

    private mutating func report<Visitor: JSONVisitor>(_ bytes: UnsafeRawBufferPointer, _ end: Int, _ place: Int64, _ visitor: inout Visitor) throws(JSONFlaw) {
        let mode = self.text.mode
        self.text.mode = .none
        if mode == .whole, self.text.isEmpty { return try self.report(self.text.whole(bytes, upTo: end), place, &visitor) }
        guard mode != .none else { return try visitor.end(at: place, text: nil) }
        self.text.mode = mode
        try self.text.flush(bytes, upTo: end, &visitor)
        self.text.mode = .none
        guard mode == .whole else { return try visitor.end(at: place, text: nil) }
        let text = self.text
        try text.withKept { (kept) throws(JSONFlaw) in try self.report(kept, place, &visitor) }
    }

    @inline(__always) private func report<Visitor: JSONVisitor>(_ text: UnsafeRawBufferPointer?, _ place: Int64, _ visitor: inout Visitor) throws(JSONFlaw) {
        guard self.text.isKey else { return try visitor.end(at: place, text: text) }
        guard let text else { throw JSONFlaw(message: "the JSON has a key of more than \(Self.longestKey) bytes", offset: place) }
        try visitor.key(text)
    }
}
