import AccessControl
import Foundation

extension Administration {
    /// Users and tokens, at the running server or in the data folder.
    /// - Throws: `CommandFailure` in words for people.
    func administer(_ order: AccountOrder) async throws -> AccountReply {
        let body = try ReportText.json(order)
        let answer = try await self.ask("POST", "/accounts", body: body) { assembly in
            if order.isChange { try await assembly.announce("/accounts", mustRecord: true) }
            do {
                return try ReportText.json(try await assembly.administer(order, by: "operator"))
            } catch let failure as AdministrationFailure {
                throw CommandFailure(failure.words)
            }
        }
        return try JSONDecoder().decode(AccountReply.self, from: answer)
    }
}
