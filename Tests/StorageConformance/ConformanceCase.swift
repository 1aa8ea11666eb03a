/// One demand on an implementation, named by a sentence that can be false. A suite is a list of them; the tests of each implementation
/// run the list over a fresh subject for each case.
public struct ConformanceCase<Subject: Sendable>: Sendable, CustomStringConvertible {
    public let description: String
    /// - Throws: `ConformanceFailure` where the demand is not met; what the subject throws where it should not.
    public let run: @Sendable (Subject) async throws -> Void

    init(_ description: String, _ run: @escaping @Sendable (Subject) async throws -> Void) {
        self.description = description
        self.run = run
    }
}

public struct ConformanceFailure: Error, CustomStringConvertible {
    public let description: String
}

func demand(_ claim: Bool, _ message: @autoclosure () -> String, line: UInt = #line) throws {
    if !claim { throw ConformanceFailure(description: "line \(line): \(message())") }
}

func demandEqual<Value: Equatable>(_ value: Value, _ expected: Value, line: UInt = #line) throws {
    if value != expected { throw ConformanceFailure(description: "line \(line): \(value) is not \(expected)") }
}

func demandValue<Value>(_ value: Value?, line: UInt = #line) throws -> Value {
    guard let value else { throw ConformanceFailure(description: "line \(line): there is nothing") }
    return value
}
