// SQLMetadata
