"""A trainer beside others, to be killed, stopped and slowed down: scores burst after burst until it ends.

python tests/load/trainer.py URL KEY
"""

from __future__ import annotations

import asyncio
import itertools
import sys

from rollouts import burst

from perception_reward.trainer_client import RewardClient


async def main(url: str, key: str) -> None:
    async with RewardClient(url, key, request_items=128, missing_limit=1.0) as client:
        for number in itertools.count(90_000_000):
            scoring = asyncio.create_task(client.score(burst(number, 512)))
            await asyncio.sleep(0.5)
            sys.stdout.write("scoring\n")
            sys.stdout.flush()
            await scoring


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
