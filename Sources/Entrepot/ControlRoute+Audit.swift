import HTTPTypes
import WebServer

extension ControlRoute {
    static func audit(_ assembly: Assembly) -> [ControlRoute] {
        [
            ControlRoute(.post, "/audit/verify", changes: { _ in false }) { _ in
                ControlResponse(running: { tell in try await assembly.auditVerify(tell) })
            },
            ControlRoute(.post, "/audit/who-pulled", changes: { _ in false }) { request in
                let wanted = request.query("what") ?? ""
                let limit = min(Assembly.mostPulls, max(1, request.query("limit").flatMap { Int($0) } ?? 1000))
                return ControlResponse(running: { tell in try await assembly.whoPulled(wanted, limit: limit, tell) })
            },
        ]
    }
}
