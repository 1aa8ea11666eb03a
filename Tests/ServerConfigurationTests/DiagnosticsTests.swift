import ServerConfiguration
import Testing

/// A broken text and the lines that are said of it.
struct Broken: Sendable, CustomTestStringConvertible {
    var name: String
    var yaml: String
    var lines: [String]
    var testDescription: String { self.name }
    init(_ name: String, _ yaml: String, _ lines: String...) {
        self.name = name
        self.yaml = yaml
        self.lines = lines
    }
}

@Suite("What is wrong is said with its place, its key and what is allowed")
struct DiagnosticsTests {
    /// A salt and a hash of zeros.
    private static let hash = "AAAAAAAAAAAAAAAAAAAAAA$" + String(repeating: "A", count: 43)
    static let texts: [Broken] = [
        Broken(
            "unknown key", "sever:\n  listen: :1\n",
            "c.yaml:1:1: sever: unknown key (did you mean server?); allowed: configVersion, server, data, database, blobStores, outbound, docker, raw, routingRules, repositories, cleanupPolicies, security, audit"
        ),
        Broken(
            "unknown key of a repository", "repositories:\n  files:\n    format: raw\n    type: hosted\n    tpye: hosted\n",
            "c.yaml:5:5: repositories.files.tpye: unknown key (did you mean type?); allowed: format, type, blobStore, owns, host, listen, mirror, routingRule, writePolicy"
        ),
        Broken(
            "a format's keys are known", "repositories:\n  d: { format: docker, type: hosted, mutabletags: [a] }\n",
            "c.yaml:2:38: repositories.d.mutabletags: unknown key (did you mean mutableTags?); allowed: format, type, blobStore, owns, host, listen, mirror, routingRule, writePolicy, mutableTags, missingChildren, unusedBlobAge, depth"
        ),
        Broken(
            "several wrong values of a format at once",
            "repositories:\n  d:\n    format: docker\n    type: hosted\n    mutableTags: latest\n    missingChildren: maybe\n    depth: deep\n",
            "c.yaml:5:18: repositories.d.mutableTags: a single value, where a list is wanted",
            "c.yaml:6:22: repositories.d.missingChildren: «maybe» is not a choice; allowed: refuse, allow",
            "c.yaml:7:12: repositories.d.depth: «deep» is not a number; allowed: a whole number"),
        Broken(
            "a format's own error stands at its key, and what it had no time to ask for is not called unknown",
            "repositories:\n  d:\n    format: docker\n    type: hosted\n    depth: 1\n    mutableTags: [a, no!]\n",
            "c.yaml:6:18: repositories.d.mutableTags: «no!» is no pattern of tags"),
        Broken(
            "a format's error in a nested key", "docker:\n  namespaces:\n    docker.io: hub/x\n",
            "c.yaml:3:16: docker.namespaces.docker.io: «hub/x» is not a repository name: 1 to 128 letters, digits, dots, hyphens and underscores, beginning with a letter or digit"
        ),
        Broken("wrong type", "server: [a]\n", "c.yaml:1:9: server: a list, where a mapping is wanted"),
        Broken("wrong type of a scalar", "server:\n  drain: { a: 1 }\n", "c.yaml:2:10: server.drain: a mapping, where a single value is wanted"),
        Broken(
            "two repositories with one name",
            "repositories:\n  files: { format: raw, type: hosted }\n  other: { format: raw, type: hosted }\n  files: { format: raw, type: hosted }\n",
            "c.yaml:4:3: repositories.files: the name is there twice: the first is in line 2, column 3"),
        Broken(
            "keys twice in several places", "data: a\ndata: b\nserver:\n  drain: 1s\n  drain: 2s\n",
            "c.yaml:2:1: data: the name is there twice: the first is in line 1, column 1",
            "c.yaml:5:3: server.drain: the name is there twice: the first is in line 4, column 3"),
        Broken(
            "a group that names a missing member",
            "repositories:\n  files: { format: raw, type: hosted }\n  all: { format: raw, type: group, members: [fils] }\n",
            "c.yaml:3:46: repositories.all.members: «fils» is no repository (did you mean files?); allowed: files"),
        Broken(
            "a group that names itself through others",
            "repositories:\n  a: { format: raw, type: group, members: [b] }\n  b: { format: raw, type: group, members: [a] }\n",
            "c.yaml:2:44: repositories.a.members: the group contains itself: a → b → a"),
        Broken(
            "a group of other formats, and a target that is not hosted",
            "repositories:\n  d: { format: docker, type: hosted }\n  p: { format: raw, type: proxy, remote: https://x.org }\n  g:\n    format: raw\n    type: group\n    members: [d, p]\n    writeTo: p\n",
            "c.yaml:7:15: repositories.g.members: «d» is of format docker, and this group of raw; allowed: p",
            "c.yaml:8:14: repositories.g.writeTo: «p» is not hosted: nothing can be written to it"),
        Broken(
            "a target that is a member's member, and one that is not",
            "repositories:\n  a: { format: raw, type: hosted }\n  b: { format: raw, type: hosted }\n  g: { format: raw, type: group, members: [a] }\n"
                + "  h: { format: raw, type: group, members: [g], writeTo: a }\n  i: { format: raw, type: group, members: [g], writeTo: b }\n",
            "c.yaml:6:57: repositories.i.writeTo: «b» is no member of this group; allowed: a"),
        Broken(
            "a proxy without remote, a group without members",
            "repositories:\n  p: { format: raw, type: proxy }\n  g: { format: raw, type: group, members: [] }\n",
            "c.yaml:2:6: repositories.p: a proxy needs a remote; allowed: remote: https://host/path, or a list of them",
            "c.yaml:3:34: repositories.g: a group needs members; allowed: members: [names of repositories]"),
        Broken(
            "a canonical remote that is not believed, and a mirror without a URL",
            "repositories:\n  p:\n    format: raw\n    type: proxy\n    remote:\n      - { url: https://x.org, trust: digestsOnly }\n      - { trust: some }\n",
            "c.yaml:6:9: repositories.p.remote: the first remote is the canonical one, which says what there is; allowed: trust: all",
            "c.yaml:7:9: repositories.p.remote: the key url is missing",
            "c.yaml:7:18: repositories.p.remote.trust: «some» is not a choice; allowed: all, digestsOnly"
        ),
        Broken(
            "a remote with a password, and a proxy that speaks TLS",
            "outbound: { proxy: \"https://h:1\" }\nrepositories:\n  p: { format: raw, type: proxy, remote: \"https://u:p@x.org\" }\n",
            "c.yaml:1:20: outbound.proxy: «https://h:1» is not a proxy; allowed: http://[user:password@]host:port",
            "c.yaml:3:42: repositories.p.remote: «https://***@x.org» is not a remote; allowed: a URL without query and user; credentials belong to authentication"
        ),
        Broken(
            "a key of another type", "repositories:\n  files: { format: raw, type: hosted, remote: https://x.org }\n",
            "c.yaml:2:39: repositories.files.remote: belongs to type: proxy, and this repository is hosted; allowed: format, type, blobStore, owns, host, listen, mirror, routingRule, writePolicy"
        ),
        Broken(
            "missing format and unknown type", "repositories:\n  x: { type: hostd }\n",
            "c.yaml:2:6: repositories.x: the key format is missing; allowed: docker, raw, files",
            "c.yaml:2:14: repositories.x.type: «hostd» is not a choice; allowed: hosted, proxy, group"),
        Broken(
            "unknown format", "repositories:\n  x: { format: npm, type: hosted }\n",
            "c.yaml:2:16: repositories.x.format: «npm» is not a format of this version; allowed: docker, raw, files"),
        Broken(
            "a name that the format objects to", "repositories:\n  library: { format: docker, type: hosted }\n",
            "c.yaml:2:3: repositories.library: a docker repository cannot be called library"),
        Broken(
            "a site that names no repository of its format",
            "docker:\n  defaultRepository: files\n  namespaces: { docker.io: hub }\nrepositories:\n  files: { format: raw, type: hosted }\n",
            "c.yaml:2:22: docker.defaultRepository: «files» is a repository of another format; allowed: a repository of format docker",
            "c.yaml:3:28: docker.namespaces.docker.io: «hub» is no repository; allowed: a repository of format docker"),
        Broken(
            "an unknown blob store", "repositories:\n  f: { format: raw, type: hosted, blobStore: defalt }\n",
            "c.yaml:2:46: repositories.f.blobStore: «defalt» is no blob store (did you mean default?); allowed: default"),
        Broken(
            "what is not in this version", "database: { type: postgresql, url: x }\nblobStores:\n  cloud: { type: s3, bucket: b }\n",
            "c.yaml:1:19: database.type: «postgresql» is not in this version; use sqlite; allowed: sqlite",
            "c.yaml:3:18: blobStores.cloud.type: «s3» is not in this version; use file; allowed: file"),
        Broken(
            "a bad duration", "server: { drain: 30 }\n",
            "c.yaml:1:18: server.drain: «30» is not a duration; allowed: a whole number with ms, s, m, h or d, such as 30s"),
        Broken(
            "a bad network", "server: { trustedProxies: [10.0.0.1/8] }\n",
            "c.yaml:1:28: server.trustedProxies: «10.0.0.1/8» is not a network; allowed: an address with a prefix length whose other bits are 0, such as 10.0.0.0/8 or fd00::/8"
        ),
        Broken(
            "a bad address", "server: { listen: 8081 }\n",
            "c.yaml:1:19: server.listen: «8081» is not a listen address; allowed: host:port, [IPv6]:port, or :port for loopback"),
        Broken(
            "two listeners on one address",
            "server: { listen: [\":8081\", \"[::1]:8081\"] }\nrepositories:\n  f: { format: raw, type: hosted, listen: \"127.0.0.1:8081\" }\n",
            "c.yaml:3:43: repositories.f.listen: «127.0.0.1:8081» is taken by server.listen, which listens on 127.0.0.1:8081"),
        Broken(
            "a bad grant and an unknown role", "security:\n  roles: { r: [\"pull:x\"] }\n  anonymous: { roles: [rr] }\n",
            "c.yaml:2:16: security.roles.r: «pull:x» is not a grant; allowed: read|write|delete|admin|explain:repository-glob[:path-glob] or system:users|audit|metrics|config|tasks",
            "c.yaml:3:24: security.anonymous.roles: «rr» is no role of security.roles (did you mean r?); allowed: admin, r"),
        Broken(
            "the built-in role, and everybody as admin", "security:\n  roles: { admin: [\"read:*\"] }\n  anonymous: { roles: [admin] }\n",
            "c.yaml:2:12: security.roles.admin: the role is built in and has every right; give another one another name",
            "c.yaml:3:24: security.anonymous.roles: everybody would have every right; if that is meant, say security.openAccess: true"),
        Broken(
            "users and groups that are none",
            "security:\n  users:\n    \"a:b\": { passwordHash: \"$scrypt$ln=14,r=8,p=5$\(hash)\" }\n    ann: { passwordHash: secret }\n"
                + "    bob: { passwordHash: \"$scrypt$ln=14,r=8,p=1$\(hash)\", roles: [admn] }\n    eve: { roles: [admin] }\n"
                + "  groups:\n    devs: { members: [ann, \"b c\"], roles: [admin, dev] }\n    ops: { users: [ann] }\n",
            "c.yaml:3:5: security.users.a:b: «a:b» is not a user's name; allowed: 1 to 128 bytes without blanks and colons",
            "c.yaml:4:12: security.users.ann.passwordHash: it is not of the form $scrypt$ln=14,r=8,p=5$salt$hash; allowed: what «entrepot user hash» prints",
            "c.yaml:5:12: security.users.bob.passwordHash: its cost is too low to protect a password: at least ln=14,r=8,p=5 is needed; allowed: what «entrepot user hash» prints",
            "c.yaml:5:126: security.users.bob.roles: «admn» is no role of security.roles (did you mean admin?); allowed: admin",
            "c.yaml:6:10: security.users.eve: the key passwordHash is missing; allowed: what «entrepot user hash» prints",
            "c.yaml:8:28: security.groups.devs.members: «b c» is not a user's name; allowed: 1 to 128 bytes without blanks and colons",
            "c.yaml:8:51: security.groups.devs.roles: «dev» is no role of security.roles; allowed: admin",
            "c.yaml:9:12: security.groups.ops.users: unknown key; allowed: members, roles"),
        Broken(
            "a bad regular expression, and one that looks back", "routingRules:\n  r: { mode: block, matchers: [\"(\", \"(a)\\\\1\"] }\n",
            "c.yaml:2:32: routingRules.r.matchers: «(» is not a pattern; allowed: a regular expression without back-references and look-arounds",
            "c.yaml:2:37: routingRules.r.matchers: «(a)\\1» is not a pattern; allowed: a regular expression without back-references and look-arounds"),
        Broken("no YAML", "a: [1\nb: 2\n", "c.yaml:2:2: not YAML: while parsing a flow sequence: did not find expected ',' or ']'"),
        Broken("an anchor", "data: &a x\n", "c.yaml:1:7: data: anchors (&) and aliases (*) are not read here; write the value out, or quote it"),
        Broken("a tag", "data: !!binary x\n", "c.yaml:1:7: data: tags (!) are not read here; quote the text to mean the character"),
    ]

    @Test("exactly these lines are said", arguments: Self.texts)
    func said(_ broken: Broken) {
        let loaded = Fixture.load(broken.yaml)
        #expect(Fixture.lines(loaded) == broken.lines)
        #expect(loaded.configuration == nil)
    }

    @Test("a file of more than a mebibyte, and one that is not UTF-8, are refused")
    func refusedWhole() {
        let large = Configuration.load([UInt8](repeating: 0x20, count: (1 << 20) + 1), file: "c", formats: [], surroundings: Fixture.surroundings())
        #expect(Fixture.lines(large) == ["c: the file is longer than 1 MiB"])
        let binary = Configuration.load([0x61, 0xFF], file: "c", formats: [], surroundings: Fixture.surroundings())
        #expect(Fixture.lines(binary) == ["c: the file is not UTF-8"])
    }

    @Test(
        "what a repository shows of another is looked up",
        arguments: [
            ("images", []),
            ("image", ["c.yaml:3:52: repositories.charts.ociSource: «image» is no repository (did you mean images?); allowed: images"]),
            ("files", ["c.yaml:3:52: repositories.charts.ociSource: «files» is of format raw, which has nothing that is shown here; allowed: images"]),
            ("helm", ["c.yaml:3:52: repositories.charts.ociSource: «helm» is no repository; allowed: images"]),
        ])
    func libraries(_ source: String, _ lines: [String]) {
        let yaml = """
            repositories:
              images: { format: docker, type: hosted }
              charts: { format: helm, type: hosted, ociSource: \(source) }
              files: { format: raw, type: hosted }
            """
        #expect(Fixture.lines(Fixture.load(yaml, formats: Fixture.all)) == lines)
    }

    @Test("a format that asks for a common key is found out")
    func collision() {
        let loaded = Fixture.load("repositories:\n  g: { format: greedy, type: hosted }\n", formats: [FormatSchema(GreedyFormat.self)])
        #expect(Fixture.lines(loaded) == ["c.yaml:2:6: repositories.g.remote: the format greedy asks for a key that is not its own: a fault in the format"])
    }
}
