// FormatTestKit
