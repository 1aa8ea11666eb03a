import AccessControl
import ArtifactModel
import FormatAPI
import FormatTestKit
import HTTPTypes
import RepositoryEngine
import Testing

@testable import NpmFormat

/// Every operation of the registry, walked with everybody.
@Suite("Who may do what with packages")
struct AccessTableTests {
    struct Row: Sendable {
        var method: HTTPRequest.Method
        /// `@team/app` is the package that `narrow` may read and write alone.
        var target: String
        var body = ""
        /// For none, wrong, reader, writer, stranger, narrow.
        var statuses: [Int]
        /// The same of `@else/app`, for narrow; nil: it is about no package.
        var elsewhere: Int? = 404
    }

    /// A new operation makes this switch incomplete: it does not build without its row.
    static func row(_ kind: NpmOperation.Kind) throws -> Row {
        let read = [401, 401, 200, 200, 404, 200]
        switch kind {
        case .root: return Row(method: .get, target: "", statuses: read, elsewhere: nil)
        case .ping: return Row(method: .get, target: "-/ping", statuses: [401, 401, 200, 200, 404, 200], elsewhere: nil)
        case .whoami: return Row(method: .get, target: "-/whoami", statuses: [401, 401, 200, 200, 404, 200], elsewhere: nil)
        case .packument: return Row(method: .get, target: "@team%2fapp", statuses: read)
        case .packumentToWrite: return Row(method: .get, target: "@team%2fapp?write=true", statuses: read)
        case .manifest: return Row(method: .get, target: "@team%2fapp/latest", statuses: read)
        case .tarball: return Row(method: .get, target: "@team/app/-/app-1.0.0.tgz", statuses: read)
        case .moved: return Row(method: .get, target: "other/@team/app/-/app-1.0.0.tgz", statuses: [401, 401, 302, 302, 404, 302])
        case .publish:
            return Row(method: .put, target: "@team%2fapp", body: try publication("@team/app", "2.0.0"), statuses: [401, 401, 403, 201, 404, 201])
        case .change:
            return Row(method: .put, target: "@team%2fapp/-rev/x", body: #"{"maintainers":[{"name":"ann"}]}"#, statuses: [401, 401, 403, 201, 404, 201])
        case .removePackage: return Row(method: .delete, target: "@team%2fapp/-rev/x", statuses: [401, 401, 403, 201, 404, 201])
        case .removeTarball:
            return Row(method: .delete, target: "@team/app/-/app-1.0.0.tgz/-rev/x", statuses: [401, 401, 403, 201, 404, 201])
        case .tags: return Row(method: .get, target: "-/package/@team%2fapp/dist-tags", statuses: read)
        case .setTag:
            return Row(method: .put, target: "-/package/@team%2fapp/dist-tags/next", body: #""1.0.0""#, statuses: [401, 401, 403, 201, 404, 201])
        case .removeTag: return Row(method: .delete, target: "-/package/@team%2fapp/dist-tags/old", statuses: [401, 401, 403, 201, 404, 201])
        case .search: return Row(method: .get, target: "-/v1/search?text=app", statuses: read, elsewhere: nil)
        case .advisories: return Row(method: .post, target: "-/npm/v1/security/advisories/bulk", body: "{}", statuses: read, elsewhere: nil)
        case .quickAudit: return Row(method: .post, target: "-/npm/v1/security/audits/quick", body: "{}", statuses: read, elsewhere: nil)
        case .keys: return Row(method: .get, target: "-/npm/v1/keys", statuses: read, elsewhere: nil)
        case .attestations: return Row(method: .get, target: "-/npm/v1/attestations/@team%2fapp@1.0.0", statuses: [401, 401, 404, 404, 404, 404])
        case .access: return Row(method: .get, target: "-/package/@team%2fapp/collaborators", statuses: read)
        case .packages: return Row(method: .get, target: "-/org/team/package", statuses: read, elsewhere: nil)
        case .user: return Row(method: .get, target: "-/user/org.couchdb.user:ann", statuses: [401, 401, 200, 200, 404, 200], elsewhere: nil)
        case .signIn:
            let body = #"{"name":"reader","password":"right"}"#
            return Row(method: .put, target: "-/user/org.couchdb.user:reader", body: body, statuses: [201, 401, 201, 201, 404, 201], elsewhere: nil)
        case .signOut: return Row(method: .delete, target: "-/user/token/x", statuses: [401, 401, 404, 404, 404, 404], elsewhere: nil)
        case .tokens: return Row(method: .get, target: "-/npm/v1/tokens", statuses: [401, 401, 200, 200, 404, 200], elsewhere: nil)
        case .makeToken:
            return Row(method: .post, target: "-/npm/v1/tokens", body: "{}", statuses: [401, 401, 400, 400, 404, 400], elsewhere: nil)
        case .revokeToken: return Row(method: .delete, target: "-/npm/v1/tokens/token/1", statuses: [401, 401, 404, 404, 404, 404], elsewhere: nil)
        case .profile: return Row(method: .get, target: "-/npm/v1/user", statuses: [401, 401, 200, 200, 404, 200], elsewhere: nil)
        }
    }

    static func everyKind() throws -> [NpmOperation.Kind] {
        let name = try NpmName("@team/app")
        let version = try NpmVersion("1.0.0")
        return [
            .root, .ping, .whoami, .packument(name, .full), .packumentToWrite(name), .manifest(name, "latest"), .tarball(name, version), .moved(name, version),
            .publish(name),
            .change(name, revision: .any), .removePackage(name, revision: .any), .removeTarball(name, version, revision: .any), .tags(name),
            .setTag(name, "next"), .removeTag(name, "old"), .search(SearchQuery(RequestHead(method: .get, path: []))), .advisories, .quickAudit, .keys,
            .attestations(name, version), .access(name, .collaborators), .packages(of: "team"), .user("ann"), .signIn("reader"), .signOut(token: "x"),
            .tokens, .makeToken, .revokeToken("1"), .profile,
        ]
    }

    private func site() async throws -> TestSite {
        let cast = try Cast("local", path: "@team/**")
        let site = try await TestSite.make(
            NpmRegistry(), site: NoSettings(), [.init("local"), .init("other")], authorizer: cast.authorizer, gate: cast.gate, desk: NoDesk()
        ).atWork
        for name in ["@team/app", "@else/app"] {
            for (version, tag) in [("0.9.0", "old"), ("1.0.0", "latest")] {
                let target = "/repository/local/\(name.replacing("/", with: "%2f"))"
                let answer = try await site.ask(.put, target, try publication(name, version, tag: tag), as: "writer")
                #expect(answer.status == .created, "\(answer.text)")
            }
        }
        return site
    }

    @Test("every operation answers everybody as the model says", arguments: Cast.people)
    func table(person: String) async throws {
        for kind in try Self.everyKind() {
            let row = try Self.row(kind)
            let site = try await self.site()
            let place = try #require(Cast.people.firstIndex(of: person))
            // Who has no revision in hand takes what there is.
            func target(_ target: String, of package: String) async throws -> String {
                let packument = try await site.ask(.get, "/repository/local/\(package)?write=true", as: "writer").text
                let revision = packument.firstMatch(of: #/"_rev":"([^"]+)"/#).map { String($0.output.1) } ?? "0-0"
                return "/repository/local/" + target.replacing("-rev/x", with: "-rev/\(revision)")
            }
            let answer = try await site.ask(row.method, try await target(row.target, of: "@team%2fapp"), row.body, as: person)
            #expect(answer.status.code == row.statuses[place], "\(person) \(row.method) \(row.target): \(answer.text)")
            guard person == "narrow", let elsewhere = row.elsewhere else { continue }
            let other = row.target.replacing("@team", with: "@else")
            let body = row.body.replacing("@team", with: "@else")
            let refused = try await site.ask(row.method, try await target(other, of: "@else%2fapp"), body, as: person)
            #expect(refused.status.code == elsewhere, "\(person) \(row.method) \(other): \(refused.text)")
        }
    }

    @Test("who may write and not delete may not take a version away by sending the package without it")
    func removing() async throws {
        let cast = try Cast("local", path: "@team/**")
        let authorizer = GrantAuthorizer(roles: ["reader": [try Grant("read:local"), try Grant("write:local")]])
        let site = try await TestSite.make(
            NpmRegistry(), site: NoSettings(), [.init("local")], authorizer: authorizer, gate: cast.gate, desk: NoDesk()
        ).atWork
        #expect(try await site.ask(.put, "/repository/local/app", try publication("app", "1.0.0"), as: "reader").status == .created)
        let changed = try await site.ask(.put, "/repository/local/app/-rev/1-0", #"{"versions":{}}"#, as: "reader")
        #expect(changed.status == .forbidden && changed.text.contains("right to delete"))
    }

    @Test("a search has what may be read, and no more")
    func search() async throws {
        let site = try await self.site()
        let narrow = try await site.ask(.get, "/repository/local/-/v1/search?text=app", as: "narrow").text
        #expect(narrow.contains("@team/app") && !narrow.contains("@else"))
        #expect(try await site.ask(.get, "/repository/local/-/v1/search?text=app", as: "reader").text.contains("@else/app"))
    }

    @Test("signing in tells who knows no password nothing of what is there, and who may not see it neither")
    func signingIn() async throws {
        let site = try await self.site()
        for (name, password, status) in [("reader", "wrong", 401), ("stranger", "right", 404), ("nobody", "right", 401)] {
            var answers: Set<String> = []
            for repository in ["local", "absent"] {
                let target = "/repository/\(repository)/-/user/org.couchdb.user:\(name)"
                let answer = try await site.ask(.put, target, #"{"name":"\#(name)","password":"\#(password)"}"#, as: "none")
                #expect(answer.status.code == status, "\(name) \(repository): \(answer.text)")
                answers.insert(answer.text + (answer.headers[.wwwAuthenticate] ?? ""))
            }
            #expect(answers.count == 1, "\(answers)")
        }
    }

    @Test("what is done about tokens in npm's words is in the audit trail")
    func audited() async throws {
        let cast = try Cast("local", path: "@team/**")
        let person = Principal(name: "reader", roles: ["reader"], basis: .password(epoch: [1]))
        let gate = ScriptedGate([.basic(name: "reader", secret: "right"): person])
        let site = try await TestSite.make(
            NpmRegistry(), site: NoSettings(), [.init("local")], authorizer: cast.authorizer, gate: gate, desk: NoDesk()
        ).atWork
        let body = #"{"name":"reader","password":"right"}"#
        let signedIn = try await site.ask(.put, "/repository/local/-/user/org.couchdb.user:reader", body, as: "none")
        #expect(signedIn.status == .created && signedIn.audit.isLogin && signedIn.audit.change.hasPrefix("made token 1 «npm-sign-in-"))
        let refused = try await site.ask(.put, "/repository/local/-/user/org.couchdb.user:reader", body.replacing("right", with: "wrong"), as: "none")
        #expect(refused.status == .unauthorized && refused.audit.isLogin && refused.audit.claimedName == "reader" && refused.audit.change.isEmpty)
        let made = try await site.ask(.post, "/repository/local/-/npm/v1/tokens", #"{"password":"right","readonly":true}"#, as: "reader")
        #expect(made.status == .created && made.audit.change.hasPrefix("made token 1 «npm-"), "\(made.text)")
    }
}
