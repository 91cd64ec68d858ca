"""Facts on their way to a person: which of them, with what is known of each, and the store as people left it.

items = chosen(annotations, most=100, seed=0)
told = trajectories(Path("claims.jsonl"), {item.annotation.id for item in items})
applied(annotations, decisions)
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from perception_reward.annotations.decisions import Decision, Key
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.pipeline.rows import Extracted, read_rows
from perception_reward.trainer_client.wire import Fact


@dataclass(frozen=True, slots=True)
class Item:
    """A fact that somebody is to look at."""

    annotation: Annotation
    fact: Fact

    @property
    def key(self) -> Key:
        return self.annotation.id, self.fact.id

    @property
    def kind(self) -> str:
        """Of distractors apart: to accept one is to say that it is false of the image."""
        return f"{self.fact.kind} (distractor)" if self.fact.polarity == "distractor" else self.fact.kind

    @property
    def source(self) -> str:
        """Where the facts come from: the source, or else the method, and the model that wrote them."""
        known = self.annotation.provenance
        named = (known.source or known.method, known.model) if known else ()
        return ", ".join(filter(None, named)) or "unknown"


def chosen(
    annotations: Iterable[Annotation], *, kinds: Collection[str] = (), most: int | None = None, seed: int = 0
) -> list[Item]:
    """The facts to review, in the store's order. most: a random sample of so many, the same for the same seed, whatever
    form and order the store has. kinds: only these."""
    items = [Item(one, fact) for one in annotations for fact in one.facts if not kinds or fact.kind in kinds]
    if most is None or most >= len(items):
        return items

    def draw(place: int) -> bytes:
        return hashlib.blake2b(
            repr((seed, *items[place].key)).encode("utf-8", "surrogatepass"), digest_size=16
        ).digest()

    return [items[place] for place in sorted(sorted(range(len(items)), key=draw)[:most])]


def in_force(items: Iterable[Item], decisions: Mapping[Key, Decision]) -> Iterator[tuple[Item, Decision]]:
    """The decisions about facts that still read as they did."""
    for item in items:
        found = decisions.get(item.key)
        if found is not None and found.text == item.fact.text:
            yield item, found


def applied(annotations: Iterable[Annotation], decisions: Mapping[Key, Decision]) -> Iterator[Annotation]:
    """The annotations without what was rejected, and with the words that people gave."""
    for one in annotations:
        facts: list[Fact] = []
        for fact in one.facts:
            found = decisions.get((one.id, fact.id))
            if found is None or found.text != fact.text or found.decision == "accept":
                facts.append(fact)
            elif found.edited is not None:
                facts.append(fact.model_copy(update={"text": found.edited}))
        yield one if len(facts) == len(one.facts) and facts == one.facts else one.model_copy(update={"facts": facts})


def trajectories(path: Path, ids: Collection[str]) -> dict[str, list[Extracted]]:
    """The chains of thought of these problems, as `annotations extract` or `trajectories` wrote them.

    Raises `RecordFileError` and `OSError`.
    """
    found: dict[str, list[Extracted]] = {}
    for row in read_rows(path, Extracted):
        if row.id in ids:
            found.setdefault(row.id, []).append(row)
    return found


@dataclass(frozen=True, slots=True)
class Quotation:
    """The words that a fact rests on in one trajectory. span: where they stand there; None where they do not."""

    words: str
    span: tuple[int, int] | None


def quoted(fact: Fact, trajectory: Extracted) -> Quotation | None:
    """The words of `trajectory` on which the fact rests; None where it does not make this statement."""
    statement = _plain(fact.text)
    for claim in trajectory.claims:
        if claim.quote and _plain(claim.statement) == statement:
            pattern = r"\s+".join(map(re.escape, claim.quote.split()))
            found = re.search(pattern, trajectory.response, re.IGNORECASE)
            return Quotation(claim.quote, found.span() if found else None)
    return None


def _plain(text: str) -> str:
    return " ".join(text.split()).rstrip(".").casefold()
