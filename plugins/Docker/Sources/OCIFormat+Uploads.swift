import ArtifactModel
import FormatAPI
import HTTPTypes

/// Uploads of several requests: distribution-spec 1.1, «Pushing blobs». Sessions belong to one image.
extension OCIFormat {
    func beginUpload(to image: ImageName, _ exchange: Exchange) async throws -> ArtifactResponse {
        let session = try await exchange.content.uploads(in: image.text).begin()
        return Self.progress(.accepted, of: session, 0, to: image, exchange)
    }

    func status(of session: String, to image: ImageName, _ exchange: Exchange) async throws -> ArtifactResponse {
        let length = try await Self.length(of: session, exchange.content.uploads(in: image.text))
        return Self.progress(.noContent, of: session, length, to: image, exchange)
    }

    /// docker sends a body of unknown length, with neither `Content-Type` nor `Content-Range`; others send ranges.
    func append(to session: String, of image: ImageName, at range: ChunkRange?, _ exchange: Exchange) async throws -> ArtifactResponse {
        switch try await Self.take(exchange.request.body, into: session, at: range, exchange.content.uploads(in: image.text)) {
        case .taken(let length): Self.progress(.accepted, of: session, length, to: image, exchange)
        case .elsewhere(let length): Self.elsewhere(session, length, to: image, exchange)
        }
    }

    /// The last chunk, or the whole blob, or nothing may come with it. Where the connection breaks, the session is as before: who closes an
    /// upload sends the same request again, and does not ask how far it came.
    func close(
        _ session: String, as digest: ContentDigest, of image: ImageName, at range: ChunkRange?, _ exchange: Exchange
    ) async throws -> ArtifactResponse {
        let sessions = exchange.content.uploads(in: image.text)
        if exchange.request.body.length != 0 || range != nil {
            let intake = try await Self.take(exchange.request.body, into: session, at: range, sessions, whenCut: .dropped)
            if case .elsewhere(let length) = intake { return Self.elsewhere(session, length, to: image, exchange) }
        }
        let staged = try await Self.naming { try await sessions.finish(session, expecting: digest) }
        return try await self.link(staged, digest, to: image, exchange)
    }

    func cancel(_ session: String, to image: ImageName, _ exchange: Exchange) async throws -> ArtifactResponse {
        try await Self.naming { try await exchange.content.uploads(in: image.text).cancel(session) }
        return ArtifactResponse(.noContent)
    }

    private enum Intake {
        /// All of it; the length after it.
        case taken(Int64)
        /// Nothing of it: the chunk does not begin where the session ends, which is here.
        case elsewhere(Int64)
    }

    private static func take(
        _ body: ByteStream, into session: String, at range: ChunkRange?, _ sessions: any UploadSessions, whenCut: CutBody = .kept
    ) async throws -> Intake {
        let length = try await Self.length(of: session, sessions)
        if let range {
            guard range.first == length else { return .elsewhere(length) }
            if let declared = body.length, declared != range.length {
                throw FormatError(.invalidRequest, "the chunk has \(declared) bytes, and its Content-Range says \(range.length)", detail: "SIZE_INVALID")
            }
        }
        do {
            return .taken(
                try await Self.naming { try await sessions.append(body, to: session, at: range?.first, exactly: range?.length, whenCut: whenCut) })
        } catch let error as FormatError {
            guard error.code == .wrongRange else { throw error }
            return .elsewhere(try await Self.length(of: session, sessions))
        }
    }

    private static func length(of session: String, _ sessions: any UploadSessions) async throws -> Int64 {
        guard let length = try await sessions.length(of: session) else {
            throw FormatError(.notFound, "there is no such upload; begin a new one", detail: "BLOB_UPLOAD_UNKNOWN")
        }
        return length
    }

    /// Gives the failures of sessions OCI's words.
    private static func naming<T>(_ work: () async throws -> T) async throws -> T {
        do {
            return try await work()
        } catch var error as FormatError {
            guard error.detail == nil else { throw error }
            switch error.code {
            case .notFound: error.detail = "BLOB_UPLOAD_UNKNOWN"
            case .invalidRequest: error.detail = "SIZE_INVALID"
            case .conflict: error.detail = "BLOB_UPLOAD_INVALID"
            default: break
            }
            throw error
        }
    }

    /// `Range` is cumulative, inclusive and without a unit. Of nothing at all it is `0-0` as well: no client reads `0--1`.
    private static func progress(
        _ status: HTTPResponse.Status, of session: String, _ length: Int64, to image: ImageName, _ exchange: Exchange
    ) -> ArtifactResponse {
        ArtifactResponse(
            status,
            headers: [.location: exchange.links.upload(session, to: image), .range: "0-\(max(0, length - 1))", .uploadID: session])
    }

    /// A replayed chunk or one after a gap: told with where the session ends, so that the client can go on from there.
    private static func elsewhere(_ session: String, _ length: Int64, to image: ImageName, _ exchange: Exchange) -> ArtifactResponse {
        var response = Self.envelope(.rangeNotSatisfiable, "RANGE_INVALID", "the upload has \(length) bytes; the next chunk begins at \(length)")
        response.headers.append(contentsOf: Self.progress(.accepted, of: session, length, to: image, exchange).headers)
        return response
    }
}
