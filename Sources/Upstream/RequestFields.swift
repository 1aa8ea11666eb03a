import FormatAPI
import HTTPTypes
import RepositoryEngine

/// What is sent with a request: made of what we want alone, never of what a client sent.
enum RequestFields {
    static func make(_ request: UpstreamRequest, agent: String) -> HTTPFields {
        var fields = HTTPFields()
        fields[.userAgent] = agent
        fields[.accept] = request.resource.accept.isEmpty ? "*/*" : request.resource.accept.joined(separator: ", ")
        fields[.acceptEncoding] = GzipAnswer.isWanted(request) ? "gzip" : "identity"
        if let post = request.post { fields[.contentType] = post.contentType }
        switch request.part {
        case .whole:
            guard let validators = request.validators else { break }
            if !validators.entityTag.isEmpty { fields[.ifNoneMatch] = validators.entityTag }
            if !validators.lastModified.isEmpty { fields[.ifModifiedSince] = validators.lastModified }
        case .from(let start, let end):
            fields[.range] = "bytes=\(start)-" + (end.map { "\($0 - 1)" } ?? "")
            // Only what is strong ties parts together. RFC 9110, 13.1.5.
            guard let validators = request.validators else { break }
            if validators.entityTag.hasPrefix("\"") {
                fields[.ifRange] = validators.entityTag
            } else if !validators.lastModified.isEmpty {
                fields[.ifRange] = validators.lastModified
            }
        }
        return fields
    }
}
