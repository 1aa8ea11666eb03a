import SQLMetadata
import StorageAPI

/// Several batches in one transaction, one fsync for all of them. Each stands for itself: in a SAVEPOINT, taken back alone where it fails.
///
/// ```
/// BEGIN IMMEDIATE ─ for each batch: SAVEPOINT ─ its steps ─┬─ RELEASE
///                                                          └─ failed ─ is the transaction still open? ─┬─ ROLLBACK TO, RELEASE
///                                                                                                      └─ no: each batch again, alone
/// COMMIT ─ failed: each batch again, alone
/// ```
///
/// SQLITE_FULL, IOERR and NOMEM end the whole transaction, with the batches that had gone well: hence the look after every error.
struct GroupCommit {
    /// How many batches share a transaction.
    static let most = 16
    typealias Outcome = Result<Void, MetadataError>

    let connection: SQLiteConnection

    func run(_ batches: [[SQLStep]]) -> [Outcome] {
        guard batches.count > 1, let outcomes = self.together(batches) else { return batches.map(self.alone) }
        return outcomes
    }

    /// nil: nothing is kept of any batch.
    private func together(_ batches: [[SQLStep]]) -> [Outcome]? {
        do {
            try self.connection.run(SQLStatement("BEGIN IMMEDIATE"))
        } catch {
            return batches.map { _ in .failure(error) }
        }
        do {
            let outcomes = try batches.map { batch throws(MetadataError) in try self.inSavepoint(batch) }
            try self.connection.run(SQLStatement("COMMIT"))
            return outcomes
        } catch {
            self.rollBack()
            return nil
        }
    }

    /// - Throws: what ended the transaction, or leaves it in doubt.
    private func inSavepoint(_ batch: [SQLStep]) throws(MetadataError) -> Outcome {
        try self.connection.run(SQLStatement("SAVEPOINT batch"))
        do {
            try self.perform(batch)
        } catch {
            guard self.connection.isInTransaction else { throw error }
            try self.connection.run(SQLStatement("ROLLBACK TO batch"))
            try self.connection.run(SQLStatement("RELEASE batch"))
            return .failure(error)
        }
        try self.connection.run(SQLStatement("RELEASE batch"))
        return .success(())
    }

    private func alone(_ batch: [SQLStep]) -> Outcome {
        do {
            try self.connection.run(SQLStatement("BEGIN IMMEDIATE"))
        } catch {
            return .failure(error)
        }
        do {
            try self.perform(batch)
            try self.connection.run(SQLStatement("COMMIT"))
            return .success(())
        } catch {
            self.rollBack()
            return .failure(error)
        }
    }

    private func rollBack() {
        guard self.connection.isInTransaction else { return }
        // Cannot be told to anybody better than by the error that brought us here; a transaction that stays open fails the next BEGIN.
        try? self.connection.run(SQLStatement("ROLLBACK"))
    }

    private func perform(_ batch: [SQLStep]) throws(MetadataError) {
        for step in batch {
            switch step {
            case .run(let statement): try self.connection.run(statement)
            case .define(let text): try self.connection.script(text)
            case .require(let query, let expectation, let code):
                guard try self.connection.holds(query, expectation) else { throw MetadataError(code, "a requirement of the batch does not hold") }
            }
        }
    }
}
