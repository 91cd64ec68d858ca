"""A probe: one question to a judge whose right answer is known, or whose answer may not change.

| purpose | families | what counts |
|---|---|---|
| labelled | `human`, `doubtful` | the verdict against a person's label |
| generated | `plain`, `paraphrase`, `notation`, `symmetric`, `sentence order`, `long`, `omission`, `contradiction`, \
`exchange`, `wrong element` | the verdict against the label that holds by construction; with `base`, the flip too |
| attack | those of the catalogue | success: the judge says `stated` of what the response does not state |
| flip | `batch`, `order`, `defence: …`, `disguise: …`, `policy: …` | the change against `base`; `expected` if given |
| repeat | `repeat` | the change against `base`: the same question once more |

Of the flips, `batch` asks the fact among its annotation's facts and `order` among the same facts permuted. `defence: …`
is a true statement together with what a defence reacts to, so a lost `stated` is that defence's false refusal;
`disguise: …` is a true statement in characters that look the same. `policy: …` has no right answer but a rule, which
the README tells.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Literal

from perception_reward.trainer_client.wire import Fact, Label

Purpose = Literal["labelled", "generated", "attack", "flip", "repeat"]


@dataclass(frozen=True, slots=True)
class Probe:
    """One fact and one response.

    id: derived from the content, so that the same probe has the same id in every run.
    expected: the right verdict; None where only the change against `base` counts.
    base: id of the probe of which this is a variant.
    problem: the annotation's id (or a labelled row's problem), the unit of resampling for intervals.
    asked: the facts asked together with this one, it among them, in order; empty: it is asked alone.
    """

    id: str
    purpose: Purpose
    family: str
    fact: Fact
    response: str
    expected: Label | None
    base: str | None = None
    problem: str | None = None
    asked: tuple[Fact, ...] = ()

    @property
    def task(self) -> tuple[Fact, ...]:
        """The facts to ask about, in order."""
        return self.asked or (self.fact,)


def probe(
    purpose: Purpose,
    family: str,
    fact: Fact,
    response: str,
    expected: Label | None,
    *,
    base: Probe | None = None,
    problem: str | None = None,
    asked: tuple[Fact, ...] = (),
) -> Probe:
    """A probe with the id that its content gives it."""
    parts = (purpose, family, fact.text, response, problem or "", base.id if base else "", *(one.text for one in asked))
    digest = hashlib.sha256("\x1f".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]
    return Probe(digest, purpose, family, fact, response, expected, base.id if base else None, problem, asked)
