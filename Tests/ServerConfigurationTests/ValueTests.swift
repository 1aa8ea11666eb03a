import ArtifactModel
import ServerConfiguration
import Testing

@Suite("Addresses, networks and URLs")
struct ValueTests {
    @Test(
        "an address is read, and written in its one form",
        arguments: [
            ("127.0.0.1", "127.0.0.1"), ("::1", "::1"), ("::", "::"), ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"), ("::ffff:192.0.2.1", "192.0.2.1"),
            ("fe80::1:0:0:2", "fe80::1:0:0:2"), ("1:0:0:2:0:0:0:3", "1:0:0:2::3"),
        ])
    func addresses(text: String, canonical: String) { #expect(IPAddress(text)?.description == canonical) }

    @Test(
        "what is no address is refused",
        arguments: ["", "1.2.3", "1.2.3.256", "01.2.3.4", "1.2.3.4.5", ":::", "1::2::3", "1:2:3:4:5:6:7", "1:2:3:4:5:6:7:8:9", "g::", "::1%lo", "+1.2.3.4"])
    func noAddresses(text: String) { #expect(IPAddress(text) == nil) }

    @Test(
        "a network holds exactly these addresses",
        arguments: [
            ("10.0.0.0/8", "10.1.2.3", true), ("10.0.0.0/8", "11.0.0.0", false), ("192.168.4.0/22", "192.168.7.255", true),
            ("192.168.4.0/22", "192.168.8.0", false),
            ("0.0.0.0/0", "1.2.3.4", true), ("0.0.0.0/0", "::1", false), ("fd00::/8", "fdff::1", true), ("127.0.0.1", "127.0.0.1", true),
            ("127.0.0.1", "127.0.0.2", false),
            ("127.0.0.0/8", "::ffff:127.0.0.1", true),
        ])
    func networks(network: String, address: String, expected: Bool) throws {
        #expect(try CIDR(network).contains(#require(IPAddress(address))) == expected)
    }

    @Test("what is no network is refused", arguments: ["10.0.0.0/33", "10.0.0.1/8", "10.0.0.0/", "10.0.0.0/-1", "x/8", "10.0.0.0/+8", ""])
    func noNetworks(text: String) { #expect(throws: InvalidName.self) { try CIDR(text) } }

    @Test(
        "a URL is read, and written without what may be secret",
        arguments: [
            ("https://Registry-1.docker.io", "https://registry-1.docker.io"), ("http://h:80/", "http://h"), ("http://h:8080/a/b/", "http://h:8080/a/b"),
            ("https://u:p@h/a?k=v", "https://h/a"), ("http://[::1]:90/x", "http://[::1]:90/x"),
        ])
    func urls(text: String, shown: String) throws { #expect(try WebAddress(text).description == shown) }

    @Test("what is no URL is refused", arguments: ["", "h", "ftp://h", "http://", "http://h:0", "http://h:x", "http://a b", "http://h#f", "//h", "http://-h"])
    func noURLs(text: String) { #expect(throws: InvalidName.self) { try WebAddress(text) } }

    @Test(
        "durations and sizes are read with their units",
        arguments: [("500ms", 500), ("2s", 2000), ("10m", 600_000), ("24h", 86_400_000), ("30d", 2_592_000_000), ("0", 0)] as [(String, Int64)])
    func durations(text: String, milliseconds: Int64) throws {
        #expect(Fixture.load("server: { drain: \(text) }").configuration?.server.drain.wholeMilliseconds == milliseconds)
    }

    @Test("what is no duration or no size is refused", arguments: ["1.5s", "-1s", "s", "1 s", "1S", "9999999999999d", "1w"])
    func noDurations(text: String) {
        #expect(Fixture.load("server: { drain: \(text) }").errors.count == 1)
        #expect(Fixture.load("blobStores: { default: { quota: \(text) } }").errors.count == 1)
    }

    @Test("sizes are bytes", arguments: [("512B", 512), ("64KiB", 65_536), ("500GiB", 536_870_912_000), ("2TiB", 2_199_023_255_552)] as [(String, Int64)])
    func sizes(text: String, bytes: Int64) {
        #expect(Fixture.load("blobStores: { default: { quota: \(text) } }").configuration?.blobStores.first?.quota == bytes)
    }
}
