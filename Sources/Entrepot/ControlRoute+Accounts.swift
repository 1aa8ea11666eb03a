import AccessControl
import Foundation
import HTTPTypes
import NIOCore
import WebServer

extension ControlRoute {
    /// Users and tokens. The order is in the body: URLs are for logs, and orders have secrets.
    static func accounts(_ assembly: Assembly) -> [ControlRoute] {
        [
            ControlRoute(.post, "/accounts") { request in
                do {
                    let order = try JSONDecoder().decode(AccountOrder.self, from: Data(request.body.readableBytesView))
                    return ControlResponse(json: ByteBuffer(bytes: try ReportText.json(try await assembly.administer(order, by: "operator"))))
                } catch let failure as AdministrationFailure {
                    return ControlResponse(failure.code == .unavailable ? .serviceUnavailable : .conflict, json: ByteBuffer(string: failure.words))
                } catch {
                    // Of an order that cannot be read nothing is repeated.
                    return ControlResponse(.badRequest, json: ByteBuffer(string: "the order was not understood: is the server of another version?"))
                }
            }
        ]
    }
}

extension AdministrationFailure {
    /// With its cause, for who may open the socket: it is the operator.
    var words: String { self.cause.map { "\(self.description) (\($0))" } ?? self.description }
}
