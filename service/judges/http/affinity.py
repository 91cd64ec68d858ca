"""Which of several servers gets a request: the favourite of its affinity, unless that one has more than its share.

Consistent hashing with bounded loads (Mirrokni, Thorup, Zadimoghaddam: arXiv 1608.01350), over rendezvous hashes: each
affinity has its own order of all servers. What does not fit on the first goes to the second, so that what is spilled
stays together too, and a server that leaves moves only its own affinities.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import blake2b

from perception_reward.service.judges.http.endpoint import Endpoint

# A server takes at most this many times the mean load. Less spreads better, more keeps more prefixes in place.
SLACK = 1.25

# Requests that a server always takes: a group of rollouts stays together, and no engine is slow with so few.
LEAST = 8


def choose(endpoints: Sequence[Endpoint], affinity: str) -> Endpoint:
    """The first in the affinity's order that has a free slot and at most its share of the load; never raises for
    servers that are all full: then the share alone counts. `endpoints` holds at least one."""
    ordered = order(endpoints, affinity)
    load = sum(endpoint.load for endpoint in ordered)
    share = max(LEAST, math.ceil(SLACK * (load + 1) / len(ordered)))
    free = [endpoint for endpoint in ordered if endpoint.load < endpoint.concurrency] or ordered
    fitting = (endpoint for endpoint in free if endpoint.load < share)
    return next(fitting, None) or min(free, key=lambda endpoint: endpoint.load)


def order(endpoints: Sequence[Endpoint], affinity: str) -> list[Endpoint]:
    """The servers as an affinity prefers them, the same whatever their order and load."""
    return sorted(endpoints, key=lambda endpoint: _rendezvous(affinity, endpoint.url), reverse=True)


def _rendezvous(affinity: str, url: str) -> bytes:
    return blake2b(f"{url}\n{affinity}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
