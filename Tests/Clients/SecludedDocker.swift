import Foundation
import Testing

/// Starts dockerd in a network and a view of the file system of its own: with an address that is no loopback, as it asks 127.0.0.0/8 for no
/// certificate, and with a folder of the test's at /etc/docker, where alone it looks for authorities. The machine's own stays as it is.
///
/// `body` is given the command, the folder `certs.d`, and what starts a program in that network.
func withSecludedDocker(in folder: URL, address: String, _ body: (DockerCommand, _ certificates: URL, _ inside: [String]) async throws -> Void) async throws {
    let settings = folder.appending(path: "etc-docker")
    try FileManager.default.createDirectory(at: settings.appending(path: "certs.d"), withIntermediateDirectories: true)
    // Something to lay the folder over; Debian's packages for docker make it.
    if !FileManager.default.fileExists(atPath: "/etc/docker") {
        try FileManager.default.createDirectory(atPath: "/etc/docker", withIntermediateDirectories: false)
    }
    let script = """
        busybox ip link set lo up && busybox ip addr add \(address)/32 dev lo && mount --bind '\(settings.path)' /etc/docker && exec "$@"
        """
    let aside = ["unshare", "--net", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
    try await withDocker(in: folder, startedBy: aside) { docker, engine in
        try await body(docker, settings.appending(path: "certs.d"), ["nsenter", "--net=/proc/\(engine)/ns/net"])
    }
}
