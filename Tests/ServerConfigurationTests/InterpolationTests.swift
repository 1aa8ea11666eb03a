import ServerConfiguration
import Testing

@Suite("References to the environment and to files")
struct InterpolationTests {
    @Test(
        "a reference is replaced within its value",
        arguments: [
            ("${A}", "/one"), ("x/${A}", "/srv/x//one"), ("$${A}", "/srv/${A}"), ("/a$b", "/a$b"), ("/$$x", "/$$x"), ("${file:/f}", "/text"),
            ("${file:rel}", "/relative"),
        ])
    func replaced(written: String, data: String) throws {
        let loaded = Fixture.load("data: \"\(written)\"\n", environment: ["A": "/one"], files: ["/f": "/text\n", "/srv/rel": "/relative"])
        #expect(loaded.configuration?.data == data.replacing("//", with: "/"))
    }

    @Test(
        "a reference that leads nowhere is an error at its place",
        arguments: [
            ("${B}", "the environment variable B is not set"), ("${file:/g}", "the file /g cannot be read: no such file"),
            ("${A", "«${» without «}»; allowed: ${NAME}, ${file:/path}, $${ for the characters ${"),
            ("${a b}", "«${a b}» names no environment variable; allowed: ${NAME}, ${file:/path}, $${ for the characters ${"),
        ])
    func nowhere(written: String, message: String) {
        #expect(Fixture.lines(Fixture.load("data: '\(written)'\n")) == ["c.yaml:1:7: data: \(message)"])
    }

    @Test("a value cannot change the structure: it is one text, whatever is in it")
    func structure() {
        let loaded = Fixture.load("data: ${A}\n", environment: ["A": "/x\nserver: { listen: 0.0.0.0:1 }"])
        #expect(loaded.configuration?.data == "/x\nserver: { listen: 0.0.0.0:1 }")
        #expect(loaded.configuration?.server.listen.map(\.port) == [8081])
    }

    @Test("numbers and booleans may come from the environment")
    func typed() throws {
        let configuration = try #require(
            Fixture.load("server: { allowPlainHTTP: \"${P}\", limits: { connections: \"${N}\" } }\n", environment: ["P": "true", "N": "7"]).configuration)
        #expect(configuration.server.allowPlainHTTP)
        #expect(configuration.server.limits.connections == 7)
    }

    static let withSecrets = """
        repositories:
          p:
            format: raw
            type: proxy
            remote: https://x.org/a
            authentication: { username: u, password: "${S}" }
          q: { format: raw, type: proxy, remote: https://x.org, authentication: { token: "\(Fixture.secret)" } }
        security:
          roles: { r: [] }
          users: { ann: { passwordHash: "${file:/h}", roles: [r] } }
        outbound: { ca: "${file:/s}", proxy: "http://user:\(Fixture.secret)@x.org:80" }
        """

    @Test("no secret is in what is shown, as YAML, as JSON, or for the metadata")
    func notShown() throws {
        let zeros = String(repeating: "A", count: 43)
        let files = ["/s": Fixture.secret, "/h": "$scrypt$ln=14,r=8,p=5$AAAAAAAAAAAAAAAAAAAAAA$\(zeros)"]
        let loaded = Fixture.load(Self.withSecrets, environment: ["S": Fixture.secret], files: files)
        let configuration = try #require(loaded.configuration)
        let texts = [configuration.shown.yaml, configuration.shown.json] + configuration.repositories.map(\.json) + Fixture.lines(loaded)
        for text in texts { #expect(!text.contains(Fixture.secret) && !text.contains(zeros)) }
        #expect(configuration.shown.yaml.contains("password: \"***\""))
        #expect(configuration.repositories.count == 2)
        #expect(!"\(configuration.repositories[0].kind)".contains("password: \"\(Fixture.secret)"))
    }

    @Test("no secret is in what is said of a broken configuration")
    func notSaid() {
        let yaml = """
            server: { listen: "${S}", drain: "${file:/s}", baseURL: "https://u:\(Fixture.secret)@bad host" }
            repositories:
              p: { format: raw, type: "${S}", remote: "${S}" }
              d: { format: docker, type: hosted, missingChildren: "${S}", depth: "${S}" }
              e: { format: docker, type: hosted, mutableTags: ["${S}!"] }
              q: { format: raw, type: proxy, remote: "${S}", authentication: { usernam: u, password: [\(Fixture.secret)] } }
            security: { users: { a: { passwordHash: { x: \(Fixture.secret) } }, b: { passwordHash: \(Fixture.secret) } } }
            """
        let loaded = Fixture.load(yaml, environment: ["S": Fixture.secret], files: ["/s": Fixture.secret])
        #expect(loaded.errors.count >= 9)
        for line in Fixture.lines(loaded) { #expect(!line.contains(Fixture.secret)) }
    }
}
