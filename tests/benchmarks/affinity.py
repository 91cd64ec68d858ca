"""How requests spread over judge servers, and how often a group stays where its prefix is cached: a simulation.

    python tests/benchmarks/affinity.py

Groups of rollouts arrive together; each request is at its server for a time drawn anew. `home` is the share of
requests at the server that most of their group went to, `most loaded` the fullest server over the mean load, averaged
over arrivals. Compared: the rule that was there before (the favourite until its slots are full, then the least loaded),
and no affinity at all (the least loaded).
"""

from __future__ import annotations

import heapq
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Sequence

from measures import table

from perception_reward.service.judges.http import affinity
from perception_reward.service.judges.http.endpoint import Endpoint

SERVERS, SLOTS, GROUPS, GROUP = 8, 64, 2000, 8
Choose = Callable[[Sequence[Endpoint], str], Endpoint]


def favourite(endpoints: Sequence[Endpoint], name: str) -> Endpoint:
    first = affinity.order(endpoints, name)[0]
    return first if first.load < first.concurrency else least_loaded(endpoints, name)


def least_loaded(endpoints: Sequence[Endpoint], name: str) -> Endpoint:
    return min(endpoints, key=lambda endpoint: endpoint.load)


def simulate(choose: Choose, busy: float) -> tuple[float, float]:
    """(home, most loaded) with servers at `busy` of their slots on average."""
    rng = random.Random(7)
    endpoints = [Endpoint(f"http://gpu-{n}:8000", SLOTS) for n in range(SERVERS)]
    leaving: list[tuple[float, int, Endpoint]] = []
    places: dict[str, Counter[str]] = defaultdict(Counter)
    fullest: list[float] = []
    now = 0.0
    for group in range(GROUPS):
        now += rng.expovariate(busy * SERVERS * SLOTS / GROUP)
        for member in range(GROUP):
            while leaving and leaving[0][0] <= now:
                heapq.heappop(leaving)[2].load -= 1
            chosen = choose(endpoints, f"group-{group}")
            chosen.load += 1
            heapq.heappush(leaving, (now + rng.expovariate(1.0), group * GROUP + member, chosen))
            places[f"group-{group}"][chosen.url] += 1
        fullest.append(max(endpoint.load for endpoint in endpoints) * SERVERS / sum(each.load for each in endpoints))
    home = sum(count.most_common(1)[0][1] for count in places.values()) / (GROUPS * GROUP)
    return home, sum(fullest) / len(fullest)


def main() -> None:
    rules: dict[str, Choose] = {
        "bounded loads": affinity.choose,
        "favourite until full": favourite,
        "least loaded": least_loaded,
    }
    lines: list[list[str]] = []
    for busy in (0.2, 0.5, 0.8, 0.95):
        for name, choose in rules.items():
            home, fullest = simulate(choose, busy)
            lines.append([f"{busy:.0%}", name, f"{home:.2f}", f"{fullest:.2f}"])
    print(f"{SERVERS} servers with {SLOTS} slots, groups of {GROUP}:\n")
    print(table(["slots taken", "rule", "home", "most loaded"], lines))


if __name__ == "__main__":
    main()
