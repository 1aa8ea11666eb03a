import FormatAPI

/// What a POM says of its artifact, for people who look for it: <https://maven.apache.org/pom.html>.
struct ProjectModel: Encodable, Hashable, Sendable {
    struct Dependency: Encodable, Hashable, Sendable {
        var groupId = ""
        var artifactId = ""
        var version: String?
        var scope: String?
    }

    /// Of dependencies and of licences that are kept.
    private static let most = 500
    private static let longest = 1000

    var packaging = "jar"
    var name: String?
    var description: String?
    var url: String?
    var licenses: [String]?
    var dependencies: [Dependency]?

    /// nil: what is no POM that can be read: nothing is known of it then; it was deployed by a tool that could.
    static func read(_ bytes: some Sequence<UInt8>) -> ProjectModel? {
        var reader = Reader()
        do {
            try XMLTokenizer.events(bytes) { (event) throws(FormatError) in reader.take(event) }
            return reader.model
        } catch {
            return nil
        }
    }

    private struct Reader {
        var model = ProjectModel()
        var path: [String] = []
        var dependency = Dependency()

        mutating func take(_ event: XMLTokenizer.Event) {
            switch event {
            case .start(let name):
                self.path.append(name)
                if self.path == ["project", "dependencies", "dependency"] { self.dependency = Dependency() }
            case .end(_, let text):
                self.end(String(text.prefix(ProjectModel.longest)))
                self.path.removeLast()
            }
        }

        private mutating func end(_ text: String) {
            switch self.path {
            case ["project", "packaging"]: self.model.packaging = text
            case ["project", "name"]: self.model.name = text
            case ["project", "description"]: self.model.description = text
            case ["project", "url"]: self.model.url = text
            case ["project", "licenses", "license", "name"]:
                if self.model.licenses?.count ?? 0 < ProjectModel.most { self.model.licenses = (self.model.licenses ?? []) + [text] }
            case ["project", "dependencies", "dependency", "groupId"]: self.dependency.groupId = text
            case ["project", "dependencies", "dependency", "artifactId"]: self.dependency.artifactId = text
            case ["project", "dependencies", "dependency", "version"]: self.dependency.version = text
            case ["project", "dependencies", "dependency", "scope"]: self.dependency.scope = text
            case ["project", "dependencies", "dependency"]:
                if self.model.dependencies?.count ?? 0 < ProjectModel.most { self.model.dependencies = (self.model.dependencies ?? []) + [self.dependency] }
            default: return
            }
        }
    }
}
