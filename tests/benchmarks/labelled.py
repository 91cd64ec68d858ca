"""Facts x real responses, labelled by reading: the set beside the repository, and our own pairs.

Our own (`data/*_pairs.jsonl`: further, fresh and newest; one labeller, only what is sure) were written and committed
before any judge had read them, each set on problems that none before it holds. Texts are not in the repository:
MathVista's are CC BY-SA 4.0, MATH-V's come from its authors' repository; both are looked up by key in the data folder.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from perception_reward.trainer_client.wire import Label

_OWN = Path(__file__).parent / "data"


@dataclass(frozen=True, slots=True)
class Pair:
    """One fact and one response with the right label.

    key: the response. problem: what responses to one problem share; folds and intervals go by it.
    """

    key: str
    problem: str
    fact: str
    label: Label
    doubtful: bool
    response: str

    @property
    def group(self) -> str:
        return self.key.split("/")[0]


def labelled_pairs(data: Path) -> list[Pair]:
    """The labelled set of the data folder."""
    folder = data / "labelled"
    texts = _mathvista(data) | {row["key"]: row["response"] for row in rows(folder / "own_responses.jsonl")}
    return [
        Pair(row["key"], row["fact_id"].split("/")[0], row["fact"], row["label"], row["doubtful"], texts[row["key"]])
        for row in rows(folder / "pairs.jsonl")
    ]


def further_pairs(data: Path) -> list[Pair]:
    """Our own pairs, on problems that the labelled set does not hold."""
    return _own_pairs(data, "further_pairs.jsonl")


def fresh_pairs(data: Path) -> list[Pair]:
    """Our own pairs, on problems that neither of the two above holds."""
    return _own_pairs(data, "fresh_pairs.jsonl")


def fresh_seen(data: Path) -> list[Pair]:
    """The half of the fresh pairs' problems that was looked into."""
    return _half(fresh_pairs(data), held_back=False)


def fresh_unseen(data: Path) -> list[Pair]:
    """The other half, which is only reported on."""
    return _half(fresh_pairs(data), held_back=True)


def newest_pairs(data: Path) -> list[Pair]:
    """Our own pairs, on problems that none of those above holds."""
    return _own_pairs(data, "newest_pairs.jsonl")


def newest_seen(data: Path) -> list[Pair]:
    """The half of the newest pairs' problems that may be looked into."""
    return _half(newest_pairs(data), held_back=False)


def newest_unseen(data: Path) -> list[Pair]:
    """The other half, which is only reported on."""
    return _half(newest_pairs(data), held_back=True)


def _half(pairs: list[Pair], *, held_back: bool) -> list[Pair]:
    return [pair for pair in pairs if (zlib.crc32(pair.problem.encode()) % 2 == 1) == held_back]


def _own_pairs(data: Path, name: str) -> list[Pair]:
    texts = _mathvista(data)
    for source in (data / "math_v").glob("*-cot.jsonl"):
        texts |= {f"math_v/{source.stem}/{row['id']}": row["response"] for row in rows(source)}
    return [
        Pair(row["key"], "/".join(row["key"].split("/")[::2]), row["fact"], row["label"], False, texts[row["key"]])
        for row in rows(_OWN / name)
    ]


def rows(source: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    with source.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _mathvista(data: Path) -> dict[str, str]:
    source = data / "mathvista" / "responses.jsonl"
    return {f"mathvista/{row['model']}/{row['pid']}": row["response"] for row in rows(source)}
