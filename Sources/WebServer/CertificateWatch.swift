import Glibc

/// Decides, look by look, whether certificate and key must be read again. The shell looks and reads; this remembers.
///
/// ```
/// loaded ──another pair is seen──▶ read ──fits──▶ loaded
///    ▲                              │ does not fit: caught between two writes, or a slip
///    └──the loaded one is back── refused ──▶ read again at every look, told about once
/// ```
struct CertificateWatch: Sendable {
    /// What one file looked like; nil: it was not there.
    struct Glimpse: Hashable, Sendable {
        /// Where the links end: a folder of secrets is often exchanged by one link, with files of equal size and age behind it.
        var path: String
        var device: UInt64
        var inode: UInt64
        var size: Int64
        /// In nanoseconds since 1970, of the bytes.
        var modified: Int64
    }

    /// Both files at one time.
    struct Sight: Hashable, Sendable {
        var certificate: Glimpse?
        var key: Glimpse?
    }

    /// What is served.
    private(set) var loaded: Sight
    /// What was seen last and did not fit; whether that has been told.
    private var refused: (sight: Sight, told: Bool)?

    init(loaded: Sight) { self.loaded = loaded }

    /// - Returns: whether the files are to be read, for `took` or `refused` to be told what came of it.
    mutating func mustRead(_ sight: Sight) -> Bool {
        guard sight == self.loaded else { return true }
        self.refused = nil
        return false
    }

    mutating func took(_ sight: Sight) {
        self.loaded = sight
        self.refused = nil
    }

    /// - Returns: whether to tell of it. Not at the first sight: between the writes of two files no pair fits, and that is no fault.
    mutating func refuse(_ sight: Sight) -> Bool {
        guard let before = self.refused, before.sight == sight else {
            self.refused = (sight, told: false)
            return false
        }
        self.refused = (sight, told: true)
        return !before.told
    }
}

extension CertificateWatch.Sight {
    /// Blocks.
    init(of files: TLSFiles) { self.init(certificate: .init(of: files.certificate), key: .init(of: files.key)) }
}

extension CertificateWatch.Glimpse {
    /// Blocks. nil where there is no such file.
    init?(of path: String) {
        guard let real = realpath(path, nil) else { return nil }
        defer { free(real) }
        var status = stat()
        guard stat(real, &status) == 0 else { return nil }
        self.init(
            path: String(cString: real), device: UInt64(status.st_dev), inode: UInt64(status.st_ino), size: Int64(status.st_size),
            modified: Int64(status.st_mtim.tv_sec) * 1_000_000_000 + Int64(status.st_mtim.tv_nsec))
    }
}
