// BlobStoresTests
