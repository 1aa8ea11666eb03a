import BlockingWork
import FormatTestKit
import HTTPTypes
import Testing

@Suite("One failing call of a store", .timeLimit(.minutes(5))) struct NthCallTests {
    /// For the first call, the second, and so on, until none is left to fail.
    @Test(
        "leaves what was there or what was asked for, and the same again succeeds", arguments: Scenario.all, FaultSchedule.Mode.allCases)
    func each(_ scenario: Scenario, _ mode: FaultSchedule.Mode) async throws {
        let pool = ThreadPool(threads: 2)
        let views = try await World.with(pool) { try await self.unharmed(scenario, $0) }
        var call = 0
        var fired: String?
        repeat {
            call += 1
            fired = try await World.with(pool) { try await self.harmed(scenario, at: call, mode, views, $0) }
        } while fired != nil
        #expect(call > scenario.calls, "\(call - 1) calls were counted")
        try await pool.shutdown()
    }

    /// - Returns: what is seen before the first step, and after each.
    private func unharmed(_ scenario: Scenario, _ world: World) async throws -> [[String: Seen]] {
        try await self.prepare(scenario, world)
        var views = [try await world.view(scenario.targets)]
        for step in scenario.steps {
            if let answer = try await step.run(world) { #expect(step.done.contains(answer.status.code), "\(answer.status) \(answer.text)") }
            views.append(try await world.view(scenario.targets))
        }
        try await world.expectNothingLostNorLeft("without a fault")
        return views
    }

    /// - Returns: which call failed; nil: the scenario makes fewer calls.
    private func harmed(
        _ scenario: Scenario, at call: Int, _ mode: FaultSchedule.Mode, _ views: [[String: Seen]], _ world: World
    ) async throws -> String? {
        try await self.prepare(scenario, world)
        world.faults.arm(call, mode)
        var reached = 0
        for step in scenario.steps {
            guard try await self.isDone(step, mode, world) else { break }
            reached += 1
        }
        let fired = world.faults.disarm()
        let note = "\(call), \(fired ?? "no fault"), step \(reached)"
        try await self.expect([views[reached], views[min(reached + 1, views.count - 1)]], scenario, note, world)
        for (number, step) in scenario.steps.enumerated() where number >= reached {
            guard let answer = try await step.run(world) else { continue }
            #expect(step.done.union(step.doneBefore).contains(answer.status.code), "\(note): \(answer.status) \(answer.text)")
        }
        try await self.expect([views[views.count - 1]], scenario, note, world)
        try await world.expectNothingLostNorLeft(note)
        try await self.expect([views[views.count - 1]], scenario, note, world)
        return fired
    }

    private func prepare(_ scenario: Scenario, _ world: World) async throws {
        for step in scenario.prepared {
            let answer = try await step.run(world)
            try #require(answer.map { step.done.contains($0.status.code) } ?? true, "\(answer?.text ?? "")")
        }
    }

    private func isDone(_ step: Step, _ mode: FaultSchedule.Mode, _ world: World) async throws -> Bool {
        do {
            guard let answer = try await step.run(world) else { return true }
            if step.done.contains(answer.status.code) { return true }
            // The error of the format, with the status of what is wrong, and nothing of the inside.
            #expect(answer.status.code == (mode == .fromThereOn ? 507 : 500), "\(answer.text)")
            #expect(answer.text.hasPrefix(#"{"errors":[{"code":""#) && !answer.text.contains("secret"), "\(answer.text)")
            return false
        } catch {
            guard step.done.isEmpty else { throw error }
            return false
        }
    }

    private func expect(_ views: [[String: Seen]], _ scenario: Scenario, _ note: String, _ world: World) async throws {
        let seen = try await world.view(scenario.targets)
        guard !views.contains(seen) else { return }
        let wrong = scenario.targets.filter { target in views.allSatisfy { $0[target] != seen[target] } }
        Issue.record("\(note): \(wrong.isEmpty ? "between two states" : wrong.joined(separator: " ")): \(wrong.map { seen[$0]?.status ?? 0 })")
    }
}
