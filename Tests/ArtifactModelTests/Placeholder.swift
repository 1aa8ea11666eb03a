// ArtifactModelTests
