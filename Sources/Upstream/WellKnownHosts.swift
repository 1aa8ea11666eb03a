/// Token services of public registries that are at another host than the registry: as good as the registry's own.
enum WellKnownHosts {
    private static let services = ["registry-1.docker.io": ["auth.docker.io"], "registry.gitlab.com": ["gitlab.com"]]

    static func trusted(with host: String) -> [String] { Self.services[host] ?? [] }
}
