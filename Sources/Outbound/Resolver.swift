import ArtifactModel
import Glibc

/// All addresses that the system knows for a name. Blocks: for a pool's thread.
enum Resolver {
    /// - Returns: empty where the name is unknown.
    static func addresses(of host: String) -> [IPAddress] {
        var hints = addrinfo()
        hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var first: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, &hints, &first) == 0 else { return [] }
        defer { freeaddrinfo(first) }
        var out: [IPAddress] = []
        var entry = first
        while let info = entry?.pointee {
            if let address = info.ai_addr.flatMap({ Self.text(of: $0, length: info.ai_addrlen) }).flatMap({ IPAddress($0) }) { out.append(address) }
            entry = info.ai_next
        }
        return out
    }

    private static func text(of address: UnsafeMutablePointer<sockaddr>, length: socklen_t) -> String? {
        var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
        guard getnameinfo(address, length, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 else { return nil }
        // A link-local address bears its zone.
        return String(decoding: text.prefix { $0 != 0 && $0 != 0x25 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    }
}
