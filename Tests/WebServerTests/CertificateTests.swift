import Glibc
import Testing

@testable import WebServer

@Suite("certificates and their files")
struct CertificateTests {
    private static func sight(_ certificate: UInt64?, _ key: UInt64?) -> CertificateWatch.Sight {
        func glimpse(_ inode: UInt64?) -> CertificateWatch.Glimpse? { inode.map { .init(path: "/a", device: 1, inode: $0, size: 9, modified: 5) } }
        return .init(certificate: glimpse(certificate), key: glimpse(key))
    }

    @Test("what looks the same is not read again, and any difference is seen")
    func differences() {
        let first = Self.sight(1, 1)
        var watch = CertificateWatch(loaded: first)
        func reads(_ sight: CertificateWatch.Sight) -> Bool { watch.mustRead(sight) }
        #expect(!reads(first) && !reads(first))
        for other in [Self.sight(2, 1), Self.sight(1, 2), Self.sight(nil, 1), Self.sight(1, nil)] { #expect(reads(other)) }
        for change: (inout CertificateWatch.Glimpse) -> Void in [{ $0.path = "/b" }, { $0.device = 2 }, { $0.size = 8 }, { $0.modified = 6 }] {
            var other = first
            if var key = other.key {
                change(&key)
                other.key = key
            }
            #expect(reads(other))
        }
        watch.took(Self.sight(2, 2))
        #expect(!reads(Self.sight(2, 2)) && reads(first))
    }

    @Test("a pair that does not fit is tried at every look, and told about once: when it is there the second time")
    func refused() {
        var watch = CertificateWatch(loaded: Self.sight(1, 1))
        func told(_ sight: CertificateWatch.Sight) -> Bool? { watch.mustRead(sight) ? watch.refuse(sight) : nil }
        let half = Self.sight(2, 1)
        #expect((0..<4).map { _ in told(half) } == [false, true, false, false])
        // Another that does not fit is another slip.
        #expect((0..<2).map { _ in told(Self.sight(3, 1)) } == [false, true])
        // The old files are back: what was refused is forgotten.
        #expect(told(Self.sight(1, 1)) == nil && told(Self.sight(3, 1)) == false)
    }

    @Test("a look takes what fits, keeps what it has where it does not, and sees a link that is moved")
    func looks() throws {
        let folder = try TestFile(size: 1)
        let pair = try TestCertificate(beside: folder)
        let link = try folder.put("link.pem", "")
        unlink(link)
        try #require(symlink(pair.files.certificate, link) == 0)
        let identity = try TLSIdentity(TLSFiles(certificate: link, key: pair.files.key))
        let first = identity.current
        #expect(Self.word(identity.look()) == "unchanged")
        let other = try folder.put("other.pem", TestCertificate.Pair.second.certificate)
        unlink(link)
        try #require(symlink(other, link) == 0)
        #expect((0..<3).map { _ in Self.word(identity.look()) } == ["unchanged", "refused", "unchanged"])
        #expect(identity.current === first)
        try pair.replace(key: TestCertificate.Pair.second.key)
        #expect(Self.word(identity.look()) == "reloaded" && identity.current !== first && Self.word(identity.look()) == "unchanged")
        unlink(link)
        #expect((0..<3).map { _ in Self.word(identity.look()) } == ["unchanged", "refused", "unchanged"])
    }

    private static func word(_ look: TLSIdentity.Look) -> String {
        switch look {
        case .unchanged: "unchanged"
        case .reloaded: "reloaded"
        case .refused: "refused"
        }
    }

    @Test("what cannot be used says which file it is and why")
    func errors() throws {
        let folder = try TestFile(size: 1)
        let pair = try TestCertificate(beside: folder)
        let none = try folder.put("none.pem", "nothing\n")
        let other = try folder.put("other.pem", TestCertificate.Pair.second.key)
        var cases = [
            (TLSFiles(certificate: "/nowhere/c.pem", key: pair.files.key), "the certificate /nowhere/c.pem cannot be read: No such file"),
            (TLSFiles(certificate: pair.files.certificate, key: "/nowhere/k.pem"), "the key /nowhere/k.pem cannot be read: No such file"),
            (TLSFiles(certificate: none, key: pair.files.key), "the certificate \(none) holds no certificate in PEM"),
            (TLSFiles(certificate: pair.files.certificate, key: none), "the key \(none) holds no private key in PEM"),
            (TLSFiles(certificate: pair.files.certificate, key: other), "the key \(other) does not fit the first certificate of"),
        ]
        for (number, text) in TestCertificate.Pair.encrypted.enumerated() {
            let path = try folder.put("encrypted-\(number).pem", text)
            cases.append((TLSFiles(certificate: pair.files.certificate, key: path), "the key \(path) is encrypted"))
        }
        for (files, words) in cases {
            let error = #expect(throws: TLSFilesError.self) { try TLSPair(files) }
            #expect(error?.description.hasPrefix(words) == true, "\(error?.description ?? "")")
        }
    }
}
