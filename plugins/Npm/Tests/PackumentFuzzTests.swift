import Foundation
import FormatAPI
import TestDice
import Testing

@testable import NpmFormat

@Suite("Packuments that nobody meant")
struct PackumentFuzzTests {
    private static let pieces = [
        "\"", "{", "}", "[", "]", ",", ":", "null", "\"1.0.0\":", "\"versions\":{", "\"dist\":{", "\"tarball\":\"x\"", "\"time\":", "\"dist-tags\":{",
        "\"name\":\"hello\"",
        "\"latest\"", "\\u0041", "é", "\t", "0", "\\",
    ]

    /// - Returns: whether a reader of JSON takes it. The platform's own is lenient in places: ours has no key twice.
    private static func isSound(_ text: String) -> Bool {
        guard (try? JSONSerialization.jsonObject(with: Data(text.utf8))) != nil else { return false }
        return true
    }

    @Test("a damaged packument is refused, or what is made of it is JSON, alone and beside another one", arguments: [1, 2, 3, 4])
    func damaged(seed: UInt64) throws {
        var dice = Dice(state: seed)
        let other = try TestSource(upstream: #"{"name":"hello","dist-tags":{"latest":"1.0.0"},"versions":{"1.0.0":{"o":1}}}"#)
        let short =
            #"{"name":"hello","dist-tags":{"latest":"1.0.0","b":"1.0.1"},"versions":{"1.0.0":{"dist":{"tarball":"a"}},"1.0.1":{}},"time":{"1.0.0":"x"},"y":[1]}"#
        var taken = 0
        for _ in 0..<1500 {
            let bytes = dice.damaged(dice.pick([upstreamText, short, short]), Self.pieces)
            let cut = bytes.isEmpty ? 0 : Int.random(in: bytes.indices, using: &dice)
            guard let source = try? TestSource(upstream: bytes, cuts: [cut]) else { continue }
            taken += 1
            for form in Packument.Key.Form.allCases {
                #expect(Self.isSound(try composed([source], form)), "\(String(decoding: bytes, as: UTF8.self))")
                #expect(Self.isSound(try composed([source, other], form)), "\(String(decoding: bytes, as: UTF8.self))")
                let merged = try JSONValue(try composed([other, source], form).utf8, limits: .init(depth: 512))["versions"]?["1.0.0"]
                #expect(merged?.text == #"{"o":1}"#, "\(String(decoding: bytes, as: UTF8.self))")
            }
        }
        #expect(taken > 100)
    }
}
