public import ArtifactModel
public import FormatAPI
import HTTPTypes

/// What is asked of a chart repository.
public struct HelmOperation: FormatOperation {
    enum Verb: Hashable, Sendable { case read, write, delete }

    let verb: Verb
    let address: HelmAddress

    init(_ method: HTTPRequest.Method, _ address: HelmAddress) {
        self.verb = method == .delete ? .delete : method == .put || method == .post ? .write : .read
        self.address = address
    }

    public var name: StaticString {
        switch (self.address, self.verb) {
        case (.index, _): "index.read"
        case (.root, _): "folder.list"
        case (.file(let file), .read): file.isProvenance ? "provenance.read" : "chart.read"
        case (.file(let file), .write): file.isProvenance ? "provenance.upload" : "chart.upload"
        case (.file, .delete), (.version, .delete): "chart.delete"
        case (.charts, .write): "chart.upload"
        case (.charts, _): "charts.list"
        case (.provenances, _): "provenance.upload"
        case (.chart, _): "chart.list"
        case (.version, _): "chart.describe"
        case (.part, _): "chart.part"
        case (.manifest, _): "artifact.manifest"
        case (.blob, _): "artifact.blob"
        case (.tags, _): "artifact.tags"
        }
    }

    /// What a chart is called is known for sure when it has been read: then it is looked at again.
    public var accesses: [Access] {
        switch (self.address, self.verb) {
        case (.index, _), (.root, _), (.charts, .read), (.charts, .delete): [.some(.read, below: "")]
        case (.charts, .write), (.provenances, _): [.some(.write, below: "")]
        case (.file(let file), .read): [Access(.read, path: file.name.text)]
        case (.file(let file), .write): [Access(.write, path: file.name.text)]
        case (.file(let file), .delete): [Access(.delete, path: file.name.text)]
        case (.version(let id), .delete): [Access(.delete, path: id.name.text)]
        case (.chart(let name), _), (.manifest(let name, _), _), (.blob(let name, _), _), (.tags(let name), _): [Access(.read, path: name.text)]
        case (.version(let id), _), (.part(let id, _), _): [Access(.read, path: id.name.text)]
        }
    }

    /// Whether the answer is made of what the index has.
    var isList: Bool {
        switch (self.address, self.verb) {
        case (.index, _), (.charts, .read), (.chart, _), (.version, .read): true
        default: false
        }
    }

    public var subject: String {
        switch self.address {
        case .file(let file): "\(file.id.name):\(file.id.version)"
        case .version(let id), .part(let id, _): "\(id.name):\(id.version)"
        case .chart(let name), .blob(let name, _), .tags(let name): name.text
        case .manifest(let name, let reference): "\(name):\(reference)"
        case .index, .root, .charts, .provenances: ""
        }
    }

    /// An index is a list.
    public var isFetch: Bool {
        switch self.address {
        case .file(let file): self.verb == .read && !file.isProvenance
        case .blob: true
        default: false
        }
    }
}
