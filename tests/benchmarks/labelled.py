"""Facts x responses, labelled by reading: the set beside the repository, and our own pairs.

Our own (`data/*_pairs.jsonl`: further, fresh, newest and written; one labeller, only what is sure) were made and
committed before any judge had read them, each set on problems that none before it holds. Texts of real responses are
not in the repository: MathVista's are CC BY-SA 4.0, MATH-V's come from its authors' repository; both are looked up by
key in the data folder, which brings `general`, pairs by another reader who had seen no judge. `written` is about
documents, screens, video and tool output: responses written for it, and pairs of which a second, blind reader said the
same.

    python tests/benchmarks/labelled.py fresh_unseen newest_unseen --most 300 > rollouts.jsonl
    perception-reward agree vllm:ONE vllm:OTHER --items rollouts.jsonl

prints responses with their facts, and then, up to `--most`, other models' responses to the same problems, with all the
facts of the problem.
"""

from __future__ import annotations

import json
import random
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from importlib.resources import files
from itertools import islice
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


def written_pairs(data: Path) -> list[Pair]:
    """Our own pairs over responses of our own: documents, screens, video, tool output."""
    texts = {row["key"]: row["response"] for row in rows(_OWN / "written_responses.jsonl")}
    return [
        Pair(row["key"], row["key"], row["fact"], row["label"], False, texts[row["key"]])
        for row in rows(_OWN / "written_pairs.jsonl")
    ]


# Numbers of the packaged problems that were added after the pool was fitted.
FIRST_LATER = 101


def starting_pairs(data: Path) -> list[Pair]:
    """Pairs of every domain that come with the package, over responses of our own; `judge train` teaches them. Only the
    first ones, which the cascade's pool was fitted with: of the others only taught models have been told."""
    source = files("perception_reward.service.training").joinpath("starting.jsonl")
    return [
        Pair(row["problem"], row["problem"], fact["text"], fact["label"], False, row["response"])
        for row in map(json.loads, source.read_text(encoding="utf-8").splitlines())
        if int(row["problem"].rpartition("/")[2]) < FIRST_LATER
        for fact in row["facts"]
    ]


def _half(name: str, data: Path, *, held_back: bool) -> list[Pair]:
    """Of our own pairs, those of half the problems."""
    return [pair for pair in _own_pairs(data, name) if (zlib.crc32(pair.problem.encode()) % 2 == 1) == held_back]


def _own_pairs(data: Path, name: str) -> list[Pair]:
    texts = _texts(data)
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


def _texts(data: Path) -> dict[str, str]:
    texts = _mathvista(data)
    for source in sorted((data / "math_v").glob("*-cot.jsonl")):
        texts |= {f"math_v/{source.stem}/{row['id']}": row["response"] for row in rows(source)}
    return texts


def _mathvista(data: Path) -> dict[str, str]:
    source = data / "mathvista" / "responses.jsonl"
    return {f"mathvista/{row['model']}/{row['pid']}": row["response"] for row in rows(source)}


# By name. No two hold the same problem, but for the halves of one set. Those in `SEEN` were looked into; those in
# `UNSEEN` are only reported on.
SETS: dict[str, Callable[[Path], list[Pair]]] = {
    "labelled": labelled_pairs,
    "general": general_pairs,
    "further": further_pairs,
    "starting": starting_pairs,
    "fresh_seen": partial(_half, "fresh_pairs.jsonl", held_back=False),
    "fresh_unseen": partial(_half, "fresh_pairs.jsonl", held_back=True),
    "newest_seen": partial(_half, "newest_pairs.jsonl", held_back=False),
    "newest_unseen": partial(_half, "newest_pairs.jsonl", held_back=True),
    "written_unseen": written_pairs,
}
UNSEEN = ("fresh_unseen", "newest_unseen", "written_unseen")
SEEN = tuple(name for name in SETS if name not in UNSEEN)
# Of those looked into, what models wrote by themselves; what was written for teaching is made to be hard.
REAL = tuple(name for name in SEEN if name != "starting")


def main() -> None:
    parser = arguments(__doc__)
    parser.add_argument("sets", nargs="+", choices=SETS, metavar="SET", help=", ".join(SETS))
    parser.add_argument(
        "--most", type=int, default=0, help="responses, with those of other models to the same problems"
    )
    chosen = parser.parse_args()
    pairs = [pair for name in chosen.sets for pair in SETS[name](chosen.data)]
    facts: dict[tuple[str, str], list[str]] = defaultdict(list)
    for pair in pairs:
        facts[pair.key, pair.response].append(pair.fact)
    for place, texts in islice(others(pairs, chosen.data), max(0, chosen.most - len(facts))):
        facts[place] = texts
    for (key, response), texts in facts.items():
        named = [{"id": f"f{number}", "text": text} for number, text in enumerate(texts, start=1)]
        print(json.dumps({"id": key, "response": response, "facts": named}))


def others(pairs: Sequence[Pair], data: Path) -> Iterator[tuple[tuple[str, str], list[str]]]:
    """Responses to the pairs' problems of which there is no pair, in a fixed random order, with the problem's facts."""
    known, facts = {pair.key for pair in pairs}, defaultdict[str, dict[str, None]](dict)
    for pair in pairs:
        facts[pair.problem][pair.fact] = None
    texts = [(key, text) for key, text in _texts(data).items() if text and key not in known]
    texts = [(key, text) for key, text in texts if _problem(key) in facts]
    random.Random(0).shuffle(texts)
    yield from (((key, text), list(facts[_problem(key)])) for key, text in texts)


if __name__ == "__main__":
    main()
