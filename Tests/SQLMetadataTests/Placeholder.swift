// SQLMetadataTests
