import AccessControl
import ArtifactModel
import Testing

@Suite("Grants and who they let in")
struct GrantTests {
    @Test(
        "a grant is read, and written as it was read",
        arguments: ["read:*", "write:docker-local:acme/**", "delete:files:a:b", "admin:maven-*", "explain:hub", "system:users", "system:metrics"])
    func roundTrip(text: String) throws { #expect(try Grant(text).description == text) }

    @Test(
        "what is no grant is refused with the grammar",
        arguments: ["", "read", "read:", ":files", "pull:files", "*:files", "read:a/b", "read:files:", "system:all", "system", "system:users:x", "Read:files"])
    func refused(text: String) {
        let error = #expect(throws: InvalidName.self) { try Grant(text) }
        #expect(error?.rule == Grant.rule)
    }

    @Test(
        "a grant covers exactly these accesses",
        arguments: [
            ("read:*", "read", "files", "a/b", true), ("read:*", "write", "files", "a/b", false), ("read:*", "read", "files", nil, true),
            ("write:docker-local:acme/**", "write", "docker-local", "acme/app", true),
            ("write:docker-local:acme/**", "write", "docker-local", "other/app", false),
            ("write:docker-local:acme/**", "write", "docker-local", nil, false), ("write:docker-local:acme/**", "write", "docker-hub", "acme/app", false),
            ("read:files:**", "read", "files", nil, true), ("system:users", "admin", "files", nil, false), ("admin:*", "read", "files", "x", false),
        ] as [(String, String, String, String?, Bool)])
    func coverage(grant: String, action: String, repository: String, path: String?, expected: Bool) throws {
        let access = Access(try #require(Action(rawValue: action)), path: path)
        #expect(try Grant(grant).covers(access, of: RepositoryName(repository)) == expected)
    }

    @Test("an access that names a repository is asked of that one")
    func otherRepository() throws {
        let files = try RepositoryName("files")
        let access = Access(.read, repository: try RepositoryName("secret"), path: "x")
        #expect(try !Grant("read:files").covers(access, of: files))
        #expect(try Grant("read:secret").covers(access, of: files))
    }

    @Test("the refused accesses are those that no role of the principal gives, in their order")
    func refusedAccesses() throws {
        let authorizer = GrantAuthorizer(roles: [
            "public": [try Grant("read:files")], "deployer": [try Grant("write:files:acme/**"), try Grant("system:tasks")],
        ])
        let files = try RepositoryName("files")
        let asked = [Access(.delete, path: "acme/a"), Access(.read, path: "x"), Access(.write, path: "acme/a"), Access(.write, path: "b")]
        #expect(authorizer.refused(asked, of: files, by: Principal(name: "ann", roles: ["public", "deployer", "gone"])) == [asked[0], asked[3]])
        #expect(authorizer.refused(asked, of: files, by: .anonymous()) == asked)
        #expect(authorizer.refused([], of: files, by: .anonymous()) == [])
        #expect(authorizer.has(.tasks, Principal(name: "ann", roles: ["deployer"])))
        #expect(!authorizer.has(.users, Principal(name: "ann", roles: ["deployer"])))
    }

    @Test("without access control nothing is refused")
    func open() throws {
        #expect(OpenAccess().refused([Access(.admin)], of: try RepositoryName("files"), by: .anonymous()) == [])
        #expect(OpenAccess().has(.config, .anonymous()))
    }
}

@Suite("Lists and limits")
struct LimitTests {
    private let files: RepositoryName
    init() throws { self.files = try RepositoryName("files") }

    @Test(
        "who may read something below a path may have that part of its list",
        arguments: [
            ("read:files", "", true), ("read:files:acme/**", "", true), ("read:files:acme/**", "acme/", true), ("read:files:acme/**", "acme/app/", true),
            ("read:files:acme/**", "other/", false), ("read:files:acme/app", "acme/app/x", false), ("write:files", "", false), ("read:other", "", false),
            ("system:tasks", "", false),
        ])
    func below(grant: String, prefix: String, expected: Bool) throws {
        #expect(try Grant(grant).covers(.some(.read, below: prefix), of: self.files) == expected)
    }

    @Test("the role admin has every right without being configured")
    func administrator() {
        let admin = Principal(name: "root", roles: ["admin"])
        let all = Action.allCases.flatMap { [Access($0), Access($0, path: "a/b"), .some($0, below: "")] }
        #expect(GrantAuthorizer(roles: [:]).refused(all, of: self.files, by: admin) == [])
        #expect(SystemRight.allCases.allSatisfy { GrantAuthorizer(roles: [:]).has($0, admin) })
    }

    @Test("a credential's limits take away from what its roles give, and never add to it")
    func limits() throws {
        let authorizer = GrantAuthorizer(roles: ["reader": [try Grant("read:*")]])
        let (read, write) = (Access(.read, path: "acme/a"), Access(.write, path: "acme/a"))
        func refused(_ limits: Principal.Limits, _ accesses: [Access]) -> [Access] {
            authorizer.refused(accesses, of: self.files, by: Principal(name: "ann", roles: ["reader"], limits: limits))
        }
        #expect(refused(.none, [read, write]) == [write])
        #expect(
            refused(.grants([try Grant("write:*"), try Grant("read:files:acme/**")]), [read, write, Access(.read, path: "b")]) == [
                write, Access(.read, path: "b"),
            ])
        #expect(refused(.grants([]), [read]) == [read])
        let permits = [Permit(repository: self.files, path: "acme/a", actions: [.read, .write])]
        #expect(refused(.permits(permits, catalog: false), [read, write, Access(.read, path: "acme/b"), Access(.read)]).count == 3)
        #expect(refused(.permits(permits, catalog: false), [.some(.read, below: "acme/")]) == [])
        #expect(refused(.permits(permits, catalog: false), [.some(.read, below: "")]) == [])
        #expect(refused(.permits([], catalog: false), [.some(.read, below: "")]).count == 1)
        #expect(refused(.permits([], catalog: true), [.some(.read, below: "")]) == [])
        let other = Access(.read, repository: try RepositoryName("other"), path: "acme/a")
        #expect(refused(.permits(permits, catalog: false), [other]) == [other])
    }

    @Test("a system right needs the role and the credential")
    func system() throws {
        let authorizer = GrantAuthorizer(roles: ["operator": [try Grant("system:metrics")]])
        func has(_ limits: Principal.Limits) -> Bool { authorizer.has(.metrics, Principal(name: "ann", roles: ["operator"], limits: limits)) }
        #expect(try has(.none) && has(.grants([try Grant("system:metrics")])))
        #expect(try !has(.grants([try Grant("system:audit"), try Grant("admin:*")])) && !has(.permits([], catalog: true)))
    }
}
