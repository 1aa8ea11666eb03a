/// Media types by a file name's end, for uploads that name none.
public enum FileTypes {
    public static let unknown = "application/octet-stream"

    public static func type(of path: String) -> String {
        let name = path.split(separator: "/").last ?? ""
        guard let dot = name.lastIndex(of: ".") else { return self.unknown }
        return self.types[name[name.index(after: dot)...].lowercased()] ?? self.unknown
    }

    private static let types: [String: String] = [
        "7z": "application/x-7z-compressed", "asc": "application/pgp-signature", "avif": "image/avif", "bz2": "application/x-bzip2",
        "cer": "application/pkix-cert", "conf": "text/plain", "css": "text/css", "csv": "text/csv", "deb": "application/vnd.debian.binary-package",
        "flac": "audio/flac", "gif": "image/gif", "gz": "application/gzip", "htm": "text/html", "html": "text/html", "ico": "image/vnd.microsoft.icon",
        "ini": "text/plain", "iso": "application/x-iso9660-image", "jar": "application/java-archive", "jpeg": "image/jpeg", "jpg": "image/jpeg",
        "js": "text/javascript", "json": "application/json", "jsonl": "application/jsonl", "log": "text/plain", "md": "text/markdown", "mjs": "text/javascript",
        "mp3": "audio/mpeg", "mp4": "video/mp4", "otf": "font/otf", "parquet": "application/vnd.apache.parquet", "pdf": "application/pdf",
        "pem": "application/x-pem-file", "png": "image/png", "rpm": "application/x-rpm", "sh": "application/x-sh", "sha1": "text/plain",
        "sha256": "text/plain", "sha512": "text/plain", "sig": "application/octet-stream", "sql": "application/sql", "svg": "image/svg+xml",
        "tar": "application/x-tar", "tgz": "application/gzip", "toml": "application/toml", "ts": "text/plain", "tsv": "text/tab-separated-values",
        "ttf": "font/ttf", "txt": "text/plain", "war": "application/java-archive", "wasm": "application/wasm", "wav": "audio/wav", "webm": "video/webm",
        "webp": "image/webp", "whl": "application/zip", "woff": "font/woff", "woff2": "font/woff2", "xml": "application/xml", "xz": "application/x-xz",
        "yaml": "application/yaml", "yml": "application/yaml", "zip": "application/zip", "zst": "application/zstd",
    ]
}
