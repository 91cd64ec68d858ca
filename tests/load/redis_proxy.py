"""What stands between the replicas and Redis, and fails as it is told: a network that is slow, or that garbles.

    python tests/load/redis_proxy.py PORT REDIS_PORT

Each line of its standard input says how it behaves from then on: `well`, `slow SECONDS` for each part of a reply, or
`garbage` for replies that are no Redis protocol. It ends with its standard input.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import suppress


class Proxy:
    def __init__(self, target: int) -> None:
        self._target = target
        self._said = ["well"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            back, forth = await asyncio.open_connection("127.0.0.1", self._target)
            ways = [
                asyncio.create_task(self._pass(reader, forth, False)),
                asyncio.create_task(self._pass(back, writer)),
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
            await asyncio.gather(*ways, return_exceptions=True)
            forth.close()
        writer.close()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, reply: bool = True) -> None:
        while part := await reader.read(1 << 16):
            if reply and self._said[0] == "slow":
                await asyncio.sleep(float(self._said[1]))
            if reply and self._said[0] == "garbage":
                part = os.urandom(len(part))
            writer.write(part)
            await writer.drain()

    async def obey(self) -> None:
        while line := await asyncio.to_thread(sys.stdin.readline):
            self._said = line.split()


async def main(port: int, target: int) -> None:
    proxy = Proxy(target)
    async with await asyncio.start_server(proxy.serve, "127.0.0.1", port):
        await proxy.obey()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
