import ArtifactModel
import Testing

@testable import Outbound

@Suite("Which addresses may be connected to")
struct AddressGuardTests {
    @Test(
        "what is not of the public Internet is refused",
        arguments: [
            "127.0.0.1", "127.255.255.254", "0.0.0.0", "0.1.2.3", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1", "100.64.0.1", "100.100.100.200",
            "100.127.255.255", "169.254.169.254", "192.0.0.192", "192.0.2.1", "198.18.0.1", "198.19.255.255", "198.51.100.7", "203.0.113.9", "224.0.0.1",
            "239.255.255.255", "240.0.0.1", "255.255.255.255", "192.88.99.1", "::", "::1", "fe80::1", "febf::1", "fec0::1", "fc00::1", "fd00:ec2::254",
            "ff02::1", "2001:db8::1", "2001::1", "2001:2::1", "3fff::1", "::ffff:127.0.0.1", "::ffff:169.254.169.254", "::127.0.0.1", "::ffff:0:10.0.0.1",
            "64:ff9b::7f00:1", "64:ff9b::10.0.0.1", "64:ff9b:1::a00:1", "2002:7f00:1::", "2002:a9fe:a9fe::1", "2a00::5efe:a00:1", "5f00::1", "4000::1",
        ])
    func refused(_ text: String) throws { #expect(!AddressGuard(allowed: []).permits(try #require(IPAddress(text)))) }

    @Test(
        "what is public is permitted",
        arguments: [
            "1.1.1.1", "8.8.8.8", "9.255.255.255", "11.0.0.0", "100.63.255.255", "100.128.0.0", "126.255.255.255", "128.0.0.1", "169.253.255.255",
            "172.15.255.255", "172.32.0.0", "192.167.255.255", "192.169.0.0", "198.17.255.255", "198.20.0.0", "223.255.255.255", "2606:4700::1111",
            "2a00:1450::1", "2001:4860:4860::8888", "64:ff9b::808:808", "2002:808:808::1", "::ffff:8.8.8.8",
        ])
    func permitted(_ text: String) throws { #expect(AddressGuard(allowed: []).permits(try #require(IPAddress(text)))) }

    @Test("what the operator allows is permitted, in IPv6's clothes too, and nothing beside it")
    func allowed() throws {
        let addresses = AddressGuard(allowed: [try CIDR("10.1.0.0/16"), try CIDR("fd00::/8")])
        for text in ["10.1.2.3", "::ffff:10.1.2.3", "64:ff9b::a01:203", "fd12::1"] { #expect(addresses.permits(try #require(IPAddress(text)))) }
        for text in ["10.2.0.1", "127.0.0.1", "fe80::1", "::1"] { #expect(!addresses.permits(try #require(IPAddress(text)))) }
    }
}
