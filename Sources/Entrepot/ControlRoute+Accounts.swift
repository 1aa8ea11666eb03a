import AccessControl
import Foundation
import HTTPTypes
import NIOCore
import WebServer

extension ControlRoute {
    /// Users and tokens. The order is in the body: URLs are for logs, and orders have secrets.
    static func accounts(_ assembly: Assembly) -> [ControlRoute] {
        [
            ControlRoute(.post, "/accounts", changes: { (try? AccountOrder($0))?.isChange ?? false }) { request in  // what is no order changes nothing
                do {
                    let order = try AccountOrder(request)
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

extension AccountOrder {
    fileprivate init(_ request: ControlRequest) throws { self = try JSONDecoder().decode(Self.self, from: Data(request.body.readableBytesView)) }
}

extension AdministrationFailure {
    /// With its cause, for who may open the socket: it is the operator.
    var words: String { self.cause.map { "\(self.description) (\($0))" } ?? self.description }
}
