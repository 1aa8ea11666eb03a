import ArtifactModel
import FormatAPI
import StorageAPI

extension FormatError {
    /// What a client is told of an error from below; the cause stays for the log.
    init(_ error: any Error) {
        switch error {
        case let error as FormatError: self = error
        case let error as Edit.Refused: self.init(.conflict, Self.message(of: error), cause: error)
        case let error as BlobStoreError: self.init(Self.code(of: error.code), Self.message(of: Self.code(of: error.code)), retryAfter: nil, cause: error)
        case let error as MetadataError: self.init(metadata: error)
        case let error as FillFailure: self.init(error)
        case let error as UpstreamError: self.init(upstream: error)
        case is CancellationError: self.init(.cancelled, "the request was cancelled")
        default: self.init(.internalFailure, "the server failed at this; its log says more under the request's id", cause: error)
        }
    }

    private init(upstream error: UpstreamError) {
        switch error.code {
        case .absent: self.init(.notFound, error.message)
        case .cancelled: self.init(.cancelled, "the request was cancelled")
        case .trouble(let trouble): self.init(trouble: trouble, error.message, retryAfter: error.retryAfter, cause: error)
        }
    }

    private init(metadata error: MetadataError) {
        if case .refused(let refusal) = error.code {
            self.init(refusal)
            return
        }
        let code = Self.code(of: error.code)
        self.init(code, Self.message(of: code), retryAfter: code == .unavailable ? .seconds(1) : nil, cause: error)
    }

    private static func code(of code: BlobStoreError.Code) -> Code {
        switch code {
        case .noSpace: .noSpace
        case .unavailable: .unavailable
        case .cancelled: .cancelled
        // A blob that the metadata names and the store lacks is a failure, never an absence.
        case .notFound, .io: .internalFailure
        }
    }

    private static func code(of code: MetadataError.Code) -> Code {
        switch code {
        case .refused: .conflict
        case .blobGone, .busy: .unavailable
        case .noSpace: .noSpace
        case .cancelled: .cancelled
        case .corrupt, .io: .internalFailure
        }
    }

    private static func message(of code: Code) -> String {
        switch code {
        case .noSpace: "the server has no space left; nothing was changed"
        case .unavailable: "the server is busy; try again"
        case .cancelled: "the request was cancelled"
        default: "the server failed at this; its log says more under the request's id"
        }
    }

    private static func message(of refusal: Edit.Refused) -> String {
        switch refusal {
        case .requirement, .link: "something that this depends on has changed meanwhile; nothing was changed"
        case .policy: "this exists already and the repository's writePolicy is allowOnce; publish under a new name, or set writePolicy: allow"
        case .missing: "what is to be removed is not there"
        }
    }
}
