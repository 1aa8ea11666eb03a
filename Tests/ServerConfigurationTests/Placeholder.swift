// ServerConfigurationTests
