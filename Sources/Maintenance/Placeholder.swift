// Maintenance
