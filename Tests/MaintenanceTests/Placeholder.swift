// MaintenanceTests
