#!/usr/bin/env python3
"""A far upstream on loopback: a relay with a round trip of its own, through which all connections together get so much a second.

    shaping.py PORT TARGET MILLISECONDS MEBIBYTES

A connection costs one round trip before it is there, as a handshake does; what comes back is late by another."""
import asyncio
import sys

PIECE = 64 << 10
# Of one connection, on their way: more than this bandwidth times this delay.
WINDOW = 64


class Far:
    def __init__(self, target, delay, rate):
        self.target, self.delay, self.rate = target, delay, rate
        self.free = 0.0

    async def serve(self, reader, writer):
        await asyncio.sleep(self.delay)
        try:
            near, far = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            return writer.close()
        await asyncio.gather(self.up(reader, far), self.down(near, writer))

    async def up(self, reader, far):
        try:
            while data := await reader.read(PIECE):
                far.write(data)
                await far.drain()
        except OSError:
            pass  # the client hung up
        far.close()

    async def down(self, near, writer):
        pieces = asyncio.Queue(WINDOW)

        async def read():
            clock = asyncio.get_running_loop()
            try:
                while data := await near.read(PIECE):
                    self.free = max(clock.time(), self.free) + len(data) / self.rate
                    await pieces.put((self.free + self.delay, data))
            except OSError:
                pass  # the upstream broke off: so does this
            await pieces.put((0, b""))

        async def write():
            clock = asyncio.get_running_loop()
            while True:
                due, data = await pieces.get()
                if not data:
                    return writer.close()
                if due > clock.time():
                    await asyncio.sleep(due - clock.time())
                if not writer.is_closing():
                    writer.write(data)

        await asyncio.gather(read(), write())


async def main(port, target, milliseconds, mebibytes):
    far = Far(target, milliseconds / 1000, mebibytes << 20)
    server = await asyncio.start_server(far.serve, "127.0.0.1", port, backlog=512)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(*map(int, sys.argv[1:5])))
