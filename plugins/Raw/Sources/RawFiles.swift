public import ArtifactModel
public import FormatAPI
import HTTPTypes
import NIOCore

/// Plain files at any path, and listings of their folders.
public struct RawFiles: RepositoryFormat {
    public typealias Operation = RawOperation

    public static let id = "raw"

    public init() {}

    /// - Throws: `.methodNotAllowed`; `.invalidRequest` for a path that no file may have, and for headers that a file's upload cannot obey.
    public func parse(_ head: RequestHead) throws(FormatError) -> RawOperation {
        guard Self.methods(head.path).contains(head.method) || head.method == .put else {
            throw FormatError(.methodNotAllowed, Self.refusal(of: head.method, head.path))
        }
        guard let segments = Self.folder(head.path) else {
            let path = try Self.path(head.path)
            switch head.method {
            case .put: return RawOperation(.write(path, try FileUpload(head, path)))
            case .delete: return RawOperation(.remove(path, try FileUpload.condition(head.headers)))
            default: return RawOperation(.read(path))
            }
        }
        guard head.method != .put else { throw FormatError(.invalidRequest, "a file's path does not end in a slash; folders come with the files in them") }
        return RawOperation(.list(segments.isEmpty ? nil : try Self.path(segments), try FolderPaging(head)))
    }

    public func respond(
        to operation: RawOperation, _ request: ArtifactRequest, in content: any RepositoryContent, _ settings: NoSettings
    ) async throws -> ArtifactResponse {
        switch operation.kind {
        case .read(let path): try await self.read(path, request.head, content)
        case .list(let folder, let paging): try await paging.page(of: folder, request.head, content)
        case .write(let path, let upload): try await self.write(path, upload, request, content)
        case .remove(let path, let condition): try await self.remove(path, condition, content)
        }
    }

    /// The segments of a folder's address; nil for a file's. With and without its slash the root is a folder.
    static func folder(_ path: [String]) -> [String]? {
        guard let last = path.last else { return [] }
        return last.isEmpty ? path.dropLast() : nil
    }

    static func methods(_ path: [String]) -> [HTTPRequest.Method] { self.folder(path) == nil ? [.get, .head, .put, .delete] : [.get, .head] }

    private static func path(_ segments: [String]) throws(FormatError) -> AssetPath {
        do { return try AssetPath(segments) } catch { throw FormatError(.invalidRequest, error.description) }
    }

    private static func refusal(of method: HTTPRequest.Method, _ path: [String]) -> String {
        if method == .delete { return "a folder goes with its last file; delete the files" }
        return "files are read by GET and HEAD, written by PUT and removed by DELETE"
    }
}

/// What is asked of a repository of files.
public struct RawOperation: FormatOperation {
    enum Kind: Hashable, Sendable {
        case read(AssetPath)
        /// nil: the root.
        case list(AssetPath?, FolderPaging)
        case write(AssetPath, FileUpload)
        case remove(AssetPath, FileUpload.Condition)
    }
    let kind: Kind
    init(_ kind: Kind) { self.kind = kind }

    public var name: StaticString {
        switch self.kind {
        case .read: "file.read"
        case .list: "folder.list"
        case .write: "file.write"
        case .remove: "file.delete"
        }
    }

    /// A condition tells what is there.
    private static func looking(_ condition: FileUpload.Condition, _ path: AssetPath) -> [Access] {
        condition == .none ? [] : [Access(.read, path: path.text)]
    }

    /// Who may read something below a folder may list it, and sees that part of it.
    public var accesses: [Access] {
        switch self.kind {
        case .read(let path): [Access(.read, path: path.text)]
        case .list(let folder, _): [.some(.read, below: folder.map { $0.text + "/" } ?? "")]
        case .write(let path, let upload): [Access(.write, path: path.text)] + Self.looking(upload.condition, path)
        case .remove(let path, let condition): [Access(.delete, path: path.text)] + Self.looking(condition, path)
        }
    }
}
