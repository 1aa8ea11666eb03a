import Audit
import Testing

@Suite struct EventTests {
    @Test("without an audit nothing is refused for its sake")
    func off() { #expect(NoAudit().refusal == nil) }
}
