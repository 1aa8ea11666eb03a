import NIOCore
import NIOHTTP1

/// All of a request that its answer may depend on, as bytes: entrance, method, target, the fields that are looked at, and what trusted proxies say of
/// it. A request with a field that is not known here is answered by asking.
struct ReadyKey: Hashable, Sendable {
    private let bytes: [UInt8]
    var cost: Int { self.bytes.count + 192 }

    /// An array's own takes its bytes one by one.
    func hash(into hasher: inout Hasher) { self.bytes.withUnsafeBytes { hasher.combine(bytes: $0) } }

    /// - Parameter idle: beginnings of fields that no answer depends on, in lower case.
    /// - Returns: nil for what is never answered from memory.
    init?(_ head: HTTPRequestHead, _ forwarding: Forwarding?, at entrance: ListenerEntrance, idle: [[UInt8]] = []) {
        guard head.method == .GET || head.method == .HEAD, entrance.mayBeReady, head.version == .http1_1 else { return nil }
        var fields = ReadyFields<String.UTF8View>()
        for (name, value) in head.headers {
            var name = name
            let role = name.withUTF8 { ReadyRole(UnsafeRawBufferPointer($0), idle) }
            guard fields.take(role, value.utf8, keepsAlive: value.lowercased() == "keep-alive") else { return nil }
        }
        guard fields.host != nil else { return nil }
        var bytes: [UInt8] = []
        bytes.reserveCapacity(512)
        Self.write(isHead: head.method == .HEAD, head.uri.utf8, fields, forwarding, at: entrance, to: &bytes)
        self.bytes = bytes
    }

    /// The same key as that of the head in its parsed form.
    /// - Parameters:
    ///   - text: what `head` lies in.
    ///   - space: is written over; what it allocated is used again.
    init(_ head: PlainHead, in text: UnsafeRawBufferPointer, at entrance: ListenerEntrance, space: inout [UInt8]) {
        space.removeAll(keepingCapacity: true)
        let fields = head.fields.map { UnsafeRawBufferPointer(rebasing: text[$0]) }
        Self.write(isHead: head.isHead, UnsafeRawBufferPointer(rebasing: text[head.target]), fields, nil, at: entrance, to: &space)
        self.bytes = space
    }

    private static func write<Text: Sequence<UInt8>>(
        isHead: Bool, _ target: Text, _ fields: ReadyFields<Text>, _ forwarding: Forwarding?, at entrance: ListenerEntrance, to bytes: inout [UInt8]
    ) {
        bytes.append(isHead ? 0x48 : 0x47)
        bytes.append(contentsOf: target)
        Self.add(fields.host, to: &bytes)
        Self.add(fields.accept, to: &bytes)
        Self.add(fields.acceptEncoding, to: &bytes)
        Self.add(fields.ifNoneMatch, to: &bytes)
        Self.add(fields.ifModifiedSince, to: &bytes)
        Self.add(forwarding?.scheme?.utf8, to: &bytes)
        Self.add(forwarding?.host?.utf8, to: &bytes)
        bytes.append(0)
        bytes.append(contentsOf: entrance.name.utf8)
        bytes.append(entrance.secure ? 1 : 0)
    }

    /// NUL is in no value: what is absent is not what is empty.
    private static func add(_ part: (some Sequence<UInt8>)?, to bytes: inout [UInt8]) {
        bytes.append(0)
        guard let part else { return }
        bytes.append(0x3D)
        bytes.append(contentsOf: part)
    }
}

extension ListenerEntrance {
    /// Whether what is asked here may be answered from memory at all.
    var mayBeReady: Bool { !self.isControl && !self.isRedirect }
}
