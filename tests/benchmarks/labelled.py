"""Facts x real responses, labelled by reading: the set beside the repository, and our own pairs.

Our own (`data/*_pairs.jsonl`: further, fresh and newest; one labeller, only what is sure) were written and committed
before any judge had read them, each set on problems that none before it holds. Texts are not in the repository:
MathVista's are CC BY-SA 4.0, MATH-V's come from its authors' repository; both are looked up by key in the data folder,
which brings `general`, pairs by another reader who had seen no judge.

    python tests/benchmarks/labelled.py fresh_unseen newest_unseen > rollouts.jsonl     # responses with their facts
    perception-reward agree vllm:ONE vllm:OTHER --items rollouts.jsonl
"""

from __future__ import annotations

import json
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from places import arguments

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


def general_pairs(data: Path) -> list[Pair]:
    """The data folder's pairs outside plane geometry: charts, tables, documents, screens, photographs, puzzles."""
    return [
        Pair(row["key"], _problem(row["key"]), row["fact"], row["label"], row["doubtful"], row["response"])
        for row in rows(data / "labelled" / "general.jsonl")
    ]


def further_pairs(data: Path) -> list[Pair]:
    """Our own pairs, on problems that the labelled set does not hold."""
    return _own_pairs(data, "further_pairs.jsonl")


def _half(name: str, data: Path, *, held_back: bool) -> list[Pair]:
    """Of our own pairs, those of half the problems."""
    return [pair for pair in _own_pairs(data, name) if (zlib.crc32(pair.problem.encode()) % 2 == 1) == held_back]


def _own_pairs(data: Path, name: str) -> list[Pair]:
    texts = _mathvista(data)
    for source in (data / "math_v").glob("*-cot.jsonl"):
        texts |= {f"math_v/{source.stem}/{row['id']}": row["response"] for row in rows(source)}
    return [
        Pair(row["key"], _problem(row["key"]), row["fact"], row["label"], False, texts[row["key"]])
        for row in rows(_OWN / name)
    ]


def _problem(key: str) -> str:
    """`mathvista/MODEL/PROBLEM` without the model; other keys are problems of their own."""
    parts = key.split("/")
    return f"{parts[0]}/{parts[2]}" if len(parts) == 3 else key


def rows(source: Path) -> Iterator[dict[str, Any]]:
    """The objects of a JSON Lines file."""
    with source.open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def _mathvista(data: Path) -> dict[str, str]:
    source = data / "mathvista" / "responses.jsonl"
    return {f"mathvista/{row['model']}/{row['pid']}": row["response"] for row in rows(source)}


# By name. No two hold the same problem, but for the halves of one set. Those in `SEEN` were looked into; those in
# `UNSEEN` are only reported on.
SETS: dict[str, Callable[[Path], list[Pair]]] = {
    "labelled": labelled_pairs,
    "general": general_pairs,
    "further": further_pairs,
    "fresh_seen": partial(_half, "fresh_pairs.jsonl", held_back=False),
    "fresh_unseen": partial(_half, "fresh_pairs.jsonl", held_back=True),
    "newest_seen": partial(_half, "newest_pairs.jsonl", held_back=False),
    "newest_unseen": partial(_half, "newest_pairs.jsonl", held_back=True),
}
UNSEEN = ("fresh_unseen", "newest_unseen")
SEEN = tuple(name for name in SETS if name not in UNSEEN)


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("sets", nargs="+", choices=SETS, metavar="SET", help=", ".join(SETS))
    chosen = parser.parse_args()
    facts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for name in chosen.sets:
        for pair in SETS[name](chosen.data):
            facts[pair.key, pair.response].append(pair.fact)
    for (key, response), texts in facts.items():
        named = [{"id": f"f{number}", "text": text} for number, text in enumerate(texts, start=1)]
        print(json.dumps({"id": key, "response": response, "facts": named}))


if __name__ == "__main__":
    main()
