"""What a text says of the figure, without what it only asks, offers, hedges or supposes.

    said = asserted("If AB = 5, BC is 7. Or is BC = 8? CD = 9.")
    said.stated     # the last sentence alone: what can state a fact
    said.claimed    # the first as well: what follows from a supposition can still contradict one

A small model takes a condition, a question and a list of options for statements.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from perception_reward.annotations.language.moods import Mood, asks, qualifies, stretches
from perception_reward.annotations.language.sentences import Sentence, read

_CLAIM_NOTHING: frozenset[Mood] = frozenset({"question", "hedged", "option"})
_STATE_NOTHING: frozenset[Mood] = frozenset({*_CLAIM_NOTHING, "hypothetical"})


@dataclass(frozen=True, slots=True)
class Asserted:
    """What it claims and what it states, in plain notation, with the other words left out."""

    claimed: str
    stated: str


@lru_cache(maxsize=64)
def asserted(text: str) -> Asserted:
    """Linear in the text's length. Evidence is read once for all its facts."""
    parts = [list(_parts(sentence)) for sentence in read(text).sentences]
    return Asserted(_joined(parts, _CLAIM_NOTHING), _joined(parts, _STATE_NOTHING))


def _parts(sentence: Sentence) -> Iterator[tuple[str, Mood]]:
    text = sentence.text
    if sentence.stance != "asserted":
        yield text, sentence.stance
    elif asks(text) or qualifies(text, 0, len(text)):
        yield from stretches(text)
    else:
        yield text, "asserted"


def _joined(sentences: list[list[tuple[str, Mood]]], without: frozenset[Mood]) -> str:
    return "\n".join("".join(text if mood not in without else " " for text, mood in parts) for parts in sentences)
