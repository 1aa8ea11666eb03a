#!/usr/bin/env python3
"""Kills a server at random moments of a mixed load, starts it again, and checks that it kept its word.

    crash.py BINARY FOLDER ROUNDS [SEED]     FOLDER has entrepot.yaml and becomes the place of the data

Each round: the server is killed with SIGKILL after some time or some acknowledgements, both drawn from SEED, and started anew. Then every
key that was touched since holds its last acknowledged value or a whole one that was on its way, a sample of the others is unchanged, and
lists show exactly what is there. Every 25 rounds and at the end that holds for all keys. At the end garbage is collected, and the rows of
the database are compared with the files on disk.
"""
import collections
import os
import random
import re
import signal
import subprocess
import sys
import threading
import time

from crash_check import check, compare_folder, let_leases_end
from crash_load import Ledger, Worker

WORKERS = 6
WHOLE = 25


class Server:
    def __init__(self, binary, folder):
        self.line = [binary, "serve", "--config", f"{folder}/entrepot.yaml", "--data", f"{folder}/data", "--listen", "127.0.0.1:0"]
        self.collecting = [binary, "blobs", "gc", "--config", f"{folder}/entrepot.yaml", "--data", f"{folder}/data"]
        self.log = open(f"{folder}/server.log", "ab")
        self.folder, self.process, self.port = folder, None, None

    def start(self):
        # To a file, anew each time: it writes its access log there, and a pipe that nobody reads would hold it up.
        with open(f"{self.folder}/server.out", "wb") as output:
            self.process = subprocess.Popen(self.line, stdout=output, stderr=self.log)
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline and self.process.poll() is None:
            with open(f"{self.folder}/server.out", "rb") as output:
                if found := re.search(rb"listening on http://127\.0\.0\.1:(\d+)\s", output.read()):
                    self.port = int(found[1])
                    return
            time.sleep(0.004)
        self.kill()
        sys.exit(f"the server did not start: {self.process.wait()}; see {self.log.name}")

    def kill(self):
        self.process.send_signal(signal.SIGKILL)

    def ended(self):
        return self.process.wait(60)

    def collect(self):
        """Garbage, over the socket of the running server, or alone. It may be killed meanwhile: its status says nothing then."""
        return subprocess.run(self.collecting, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)


class Round:
    """One life of the server under load."""

    def __init__(self, server, ledger, workers, numbers):
        self.server, self.ledger, self.workers, self.numbers = server, ledger, workers, numbers
        self.killed = threading.Event()
        self.failures = []

    def run(self):
        # Either a moment, or a number of acknowledgements: the first is likelier to hit the middle of long steps.
        by_time = self.numbers.random() < 0.5
        last = self.numbers.randrange(1, 40)
        self.ledger.on_acknowledgement(last, None if by_time else self.kill)
        threads = [threading.Thread(target=self.work, args=(worker,)) for worker in self.workers]
        if self.numbers.random() < 0.5:
            threads.append(threading.Thread(target=self.collect, args=(self.numbers.random() * 0.1,)))
        for thread in threads:
            thread.start()
        self.killed.wait(self.numbers.random() * 0.4 if by_time else 20)
        self.kill()
        for thread in threads:
            thread.join(60)
            if thread.is_alive():
                self.failures.append("a client still waits a minute after the kill")
        status = self.server.ended()
        if status != -signal.SIGKILL:
            self.failures.append(f"the server ended by itself: {status}")
        return self.failures

    def kill(self):
        self.killed.set()
        self.server.kill()

    def work(self, worker):
        try:
            worker.run(self.server.port, self.killed)
        except Exception as error:  # whatever it is, before the kill it is a failure of the server's
            if not self.killed.is_set():
                self.failures.append(repr(error))

    def collect(self, pause):
        self.killed.wait(pause)
        done = self.server.collect()
        if done.returncode != 0 and not self.killed.is_set():
            self.failures.append(f"blobs gc: {done.stdout}")


def give_up(number, seed, failures):
    sys.exit(f"round {number} of seed {seed}:\n" + "\n".join(failures[:20]))


def main(binary, folder, rounds, seed):
    numbers = random.Random(seed)
    ledger, server = Ledger(), Server(binary, folder)
    workers = [Worker(number, ledger, random.Random(numbers.random())) for number in range(WORKERS)]
    began, verifying = time.monotonic(), 0.0
    server.start()
    for number in range(1, rounds + 1):
        if failures := Round(server, ledger, workers, numbers).run():
            give_up(number, seed, failures)
        if number % 3 == 0:
            let_leases_end(f"{folder}/data")
        server.start()
        asked = time.monotonic()
        if failures := check(server.port, ledger, workers, None if number % WHOLE == 0 or number == rounds else numbers):
            give_up(number, seed, failures)
        verifying += time.monotonic() - asked
        if number % 100 == 0:
            print(f"{number} rounds, {ledger.acknowledged} acknowledged, {time.monotonic() - began:.0f} s", flush=True)
    server.process.send_signal(signal.SIGTERM)
    if (status := server.ended()) != 0:
        give_up(rounds, seed, [f"SIGTERM: {status}"])
    let_leases_end(f"{folder}/data")
    done = server.collect()
    if done.returncode != 0:
        give_up(rounds, seed, [f"blobs gc: {done.stdout}"])
    failures, found = compare_folder(f"{folder}/data")
    if failures:
        give_up(rounds, seed, failures)
    steps = collections.Counter()
    for worker in workers:
        steps.update(worker.done)
    print(f"{rounds} kills, {ledger.acknowledged} acknowledged writes, {len(ledger.values)} keys right, {found}; ", end="")
    print(f"{time.monotonic() - began:.0f} s, {verifying:.0f} of them checking; " + ", ".join(f"{n} {s}" for s, n in sorted(steps.items())))


if __name__ == "__main__":
    if len(sys.argv) not in (4, 5):
        sys.exit(__doc__)
    main(sys.argv[1], os.path.abspath(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]) if len(sys.argv) == 5 else 1)
