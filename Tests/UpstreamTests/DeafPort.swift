import Glibc
import Testing

/// A port of loopback that is held and where nobody listens: connections to it are refused, and no other test's server gets it meanwhile, as one that was merely
/// free a moment ago.
func holdingDeafPort(_ body: (_ url: String) async throws -> Void) async throws {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var (address, length) = (sockaddr_in(), socklen_t(MemoryLayout<sockaddr_in>.size))
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let isBound = withUnsafeMutablePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) == 0 && getsockname(descriptor, $0, &length) == 0 }
    }
    try #require(isBound, "no port: \(String(cString: strerror(errno)))")
    try await body("http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))")
}
