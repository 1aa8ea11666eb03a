import AccessControl
import ServerConfiguration
import Testing

@Suite("What the configuration says of people")
struct SecurityTests {
    private static let hash = "$scrypt$ln=14,r=8,p=5$AAAAAAAAAAAAAAAAAAAAAA$" + String(repeating: "A", count: 43)

    @Test("roles, groups, users and what everybody may do come through typed, and hashes are not shown")
    func policy() throws {
        let yaml = """
            repositories: { files: { format: raw, type: hosted } }
            security:
              anonymous: { enabled: true, roles: [public] }
              roles: { public: ["read:files"], deployer: ["write:files", "system:tasks"] }
              groups: { devs: { members: [ann, bob], roles: [deployer, admin] }, none: {} }
              users: { ann: { passwordHash: "\(Self.hash)", roles: [admin] }, bob: { passwordHash: "\(Self.hash)" } }
            """
        let loaded = Fixture.load(yaml)
        #expect(Fixture.lines(loaded) == [])
        let configuration = try #require(loaded.configuration)
        let policy = configuration.security.policy
        #expect(policy.anonymousRoles == ["public"] && policy.roles["deployer"]?.map(\.description) == ["write:files", "system:tasks"])
        #expect(policy.groups.map(\.name) == ["devs", "none"])
        #expect(policy.groups[0].members.map(\.text) == ["ann", "bob"] && policy.groups[0].roles == ["deployer", "admin"])
        #expect(policy.users.map(\.name.text) == ["ann", "bob"] && policy.users[0].roles == ["admin"] && policy.users[0].passwordHash.text == Self.hash)
        #expect(!configuration.shown.yaml.contains("$scrypt"))
        #expect(!"\(policy)".contains("AAAA"))
    }

    @Test("a fingerprint changes with a secret and has none in it", arguments: ["written", "from a file", "for an upstream"])
    func fingerprint(_ how: String) throws {
        func prints(_ secret: Int) throws -> (shown: String, fingerprint: String) {
            let other = Self.hash.dropLast(2) + "\(secret)A"
            let place = how == "from a file" ? "${file:/h}" : String(how == "written" ? other : Self.hash[...])
            let yaml = """
                repositories:
                  p:
                    format: raw
                    type: proxy
                    remote: https://up.example/
                    authentication: { username: u, password: "hunter\(how == "for an upstream" ? secret : 0)" }
                security: { users: { ann: { passwordHash: "\(place)", roles: [admin] } } }
                """
            let configuration = try #require(Fixture.load(yaml, files: ["/h": String(other)]).configuration)
            let fingerprint = configuration.fingerprint { "<\($0.hashValue)>" }
            #expect(!fingerprint.contains("$scrypt") && !fingerprint.contains("hunter") && !"\(configuration)".contains("AAAA"))
            return (configuration.shown.json, fingerprint)
        }
        let (one, same, other) = (try prints(1), try prints(1), try prints(2))
        #expect(one == same && one.shown == other.shown && one.fingerprint != other.fingerprint)
    }

    @Test("roles of everybody count only where anonymous access is enabled")
    func disabled() {
        let configuration = Fixture.load("security: { anonymous: { roles: [r] }, roles: { r: [] } }").configuration
        #expect(configuration?.security.policy.anonymousRoles == nil)
    }

    @Test(
        "a mirror that nobody in particular may read is warned of",
        arguments: [
            ("", true), ("anonymous: { enabled: true, roles: [r] }, roles: { r: [\"read:f\"] }", false),
            ("anonymous: { enabled: true, roles: [r] }, roles: { r: [\"read:*:a/**\"] }", false),
            ("anonymous: { enabled: true, roles: [r] }, roles: { r: [\"write:f\", \"read:g\"] }", true),
            ("anonymous: { enabled: false, roles: [r] }, roles: { r: [\"read:f\"] }", true), ("openAccess: true", false),
        ])
    func mirrors(security: String, isWarned: Bool) {
        let loaded = Fixture.load(
            "repositories: { f: { format: raw, type: hosted, mirror: true }, g: { format: raw, type: hosted } }\nsecurity: { \(security) }\n")
        #expect(loaded.errors == [])
        #expect(loaded.warnings.map(\.key) == (isWarned ? ["repositories.f.mirror"] : []))
    }
}
