import Foundation
import Testing

/// A folder of images for podman, buildah and skopeo that shares nothing with the machine's own.
struct ContainerStore {
    private let folder: URL
    private let environment: [String: String]

    /// - Parameter registries: what registries.conf says.
    init(in folder: URL, registries: String = "unqualified-search-registries = []\n") throws {
        self.folder = folder
        let files = [
            "registries.conf": registries,
            "storage.conf": "[storage]\ndriver = \"vfs\"\nrunroot = \"\(folder.path)/run\"\ngraphroot = \"\(folder.path)/graph\"\n",
            // podman refuses to start where the file is named and absent.
            "auth.json": "{}\n",
            "policy.json": "{\"default\": [{\"type\": \"insecureAcceptAnything\"}]}\n",
        ]
        for (name, text) in files { try Data(text.utf8).write(to: folder.appending(path: name)) }
        self.environment = [
            "CONTAINERS_REGISTRIES_CONF": folder.appending(path: "registries.conf").path,
            "CONTAINERS_STORAGE_CONF": folder.appending(path: "storage.conf").path,
            "REGISTRY_AUTH_FILE": folder.appending(path: "auth.json").path,
            "XDG_RUNTIME_DIR": folder.path,
            "BUILDAH_ISOLATION": "chroot",
        ]
    }

    func run(_ line: [String]) async throws -> Ended {
        // skopeo 1.9 knows these two by option only; without them it reads the machine's.
        let files = ["--policy": "policy.json", "--registries-conf": "registries.conf"]
        let options = line.first == "skopeo" ? files.flatMap { [$0, self.folder.appending(path: $1).path] } : []
        return try await ClientTests.run(line.prefix(1) + options + line.dropFirst(), environment: self.environment, in: self.folder, deadline: .seconds(90))
    }

    @discardableResult
    func succeed(_ line: [String], sourceLocation: SourceLocation = #_sourceLocation) async throws -> String {
        let ended = try await self.run(line)
        try #require(
            ended.status == 0, "\(line.joined(separator: " ")): \(ended.status)\n\(ended.output.suffix(1000))\n\(ended.errors.suffix(3000))",
            sourceLocation: sourceLocation)
        return ended.output
    }

    /// The path of an OCI layout with one image under the tag `one`.
    func layout() async throws -> String {
        let container = try await self.succeed(["buildah", "from", "scratch"]).trimmingCharacters(in: .whitespacesAndNewlines)
        let file = try Image.context(in: self.folder).appending(path: "busybox").path
        try await self.succeed(["buildah", "copy", container, file, "/bin/busybox"])
        try await self.succeed(["buildah", "commit", "--format", "oci", "--rm", container, "localhost/one:1"])
        let layout = self.folder.appending(path: "layout").path
        try await self.succeed(["buildah", "push", "localhost/one:1", "oci:\(layout):one"])
        return layout
    }

    /// Makes a list of two images for two platforms, known to buildah and podman by `name`.
    func list(_ name: String) async throws {
        try await self.succeed(["buildah", "manifest", "create", name])
        let file = try Image.context(in: self.folder).appending(path: "busybox").path
        for architecture in ["amd64", "arm64"] {
            let container = try await self.succeed(["buildah", "from", "scratch"]).trimmingCharacters(in: .whitespacesAndNewlines)
            try await self.succeed(["buildah", "copy", container, file, "/bin/busybox"])
            try await self.succeed(["buildah", "config", "--arch", architecture, container])
            let part = "localhost/part-of-\(name):\(architecture)"
            try await self.succeed(["buildah", "commit", "--format", "oci", "--rm", container, part])
            try await self.succeed(["buildah", "manifest", "add", name, part])
        }
    }

    /// Makes such a list and pushes it with its images.
    func pushList(to name: String, format: String = "oci") async throws {
        try await self.list("both")
        try await self.succeed(["buildah", "manifest", "push", "--all", "--tls-verify=false", "--format", format, "both", "docker://\(name)"])
    }

    /// The manifest that the server gives under a name, as text.
    func raw(_ name: String) async throws -> String {
        try await self.succeed(["skopeo", "inspect", "--raw", "--tls-verify=false", "docker://\(name)"])
    }
}

/// The image that the engines build: one static program and nothing else.
enum Image {
    static func context(in folder: URL) throws -> URL {
        let context = folder.appending(path: "context")
        guard !FileManager.default.fileExists(atPath: context.path) else { return context }
        try FileManager.default.createDirectory(at: context, withIntermediateDirectories: true)
        let busybox = try #require(Surroundings.program("busybox"), "busybox-static is not installed; see scripts/packages")
        try FileManager.default.copyItem(at: URL(filePath: busybox).resolvingSymlinksInPath(), to: context.appending(path: "busybox"))
        let recipe = """
            FROM scratch
            COPY busybox /bin/busybox
            LABEL made.by=test
            ENTRYPOINT ["/bin/busybox"]

            """
        try Data(recipe.utf8).write(to: context.appending(path: "Dockerfile"))
        return context
    }
}
