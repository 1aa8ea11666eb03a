import ArtifactModel

import HTTPTypes
import NIOCore
import Synchronization

/// A response's head as HTTP/1.1 writes it. RFC 9112, 4. `HTTPFields` lets no line break into a value.
enum ResponseHead {
    static func bytes(_ status: HTTPResponse.Status, _ headers: HTTPFields) -> ByteBuffer {
        var buffer = ByteBufferAllocator().buffer(capacity: 512)
        if status == .ok {
            buffer.writeStaticString("HTTP/1.1 200 OK")
        } else {
            buffer.writeString("HTTP/1.1 \(status.code) ")
            buffer.writeString(status.reasonPhrase)
        }
        buffer.writeStaticString("\r\n")
        for field in headers {
            buffer.writeString(field.name.rawName)
            buffer.writeStaticString(": ")
            buffer.writeString(field.value)
            buffer.writeStaticString("\r\n")
        }
        buffer.writeStaticString("\r\n")
        return buffer
    }
}

/// The value of `Date`, written once a second.
final class DateHeader: Sendable {
    private let last = Mutex<(second: Int64, text: String)>((.min, ""))

    func text(seconds: Int64) -> String {
        self.last.withLock { last in
            if last.second != seconds { last = (seconds, HTTPDate.text(seconds: seconds)) }
            return last.text
        }
    }
}
