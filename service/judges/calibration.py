"""A calibration: how a judge's probabilities are read, for all facts, by group or by kind, and what it was fitted on.

Two questions, one after the other: is the fact stated, and if not, is it contradicted. Each has a temperature and a
bias on the log-odds (Platt 1999): p' = sigmoid(log-odds(p) / temperature + bias). `perception-reward audit --fit`
writes the file, and `judge train` one for the model that it taught.
"""

from __future__ import annotations

import json
import math
from dataclasses import replace
from functools import lru_cache
from hashlib import blake2b
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from perception_reward.annotations.faults import first_fault
from perception_reward.annotations.language.geometry.facts import fact_claims
from perception_reward.service.judges.base import Verdict
from perception_reward.trainer_client.wire import Fact, Label

# Probabilities nearer to 0 or 1 are moved here first: a judge's 0 is not a certainty of infinite weight.
LEAST = 1e-6

# What a fact is about, by its text: the geometry of a figure, or anything else. Whatever an annotation calls its kinds.
Group: TypeAlias = Literal["figure", "other"]


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Scale(_Model):
    """Log-odds are divided by `temperature`, then `bias` is added."""

    temperature: float = Field(default=1.0, gt=0.0, le=1000.0)
    bias: float = Field(default=0.0, ge=-100.0, le=100.0)

    def __call__(self, probability: float) -> float:
        """The probability in [0, 1] that `probability` in [0, 1] stands for."""
        odds = log_odds(probability) / self.temperature + self.bias
        # tanh, unlike exp, cannot overflow.
        return 0.5 + 0.5 * math.tanh(odds / 2.0)


class Adjustment(_Model):
    """From a judge's verdict to the calibrated one.

    What no model was asked about stays as it is: the bias that sets a model right says nothing of it.

    contradicted: of the probability that is left to `contradicted` and `absent`; null for judges that give none.
    threshold: the least probability of `stated` for which the verdict is `stated`.
    """

    stated: Scale = Scale()
    contradicted: Scale | None = None
    threshold: float = Field(default=0.5, gt=0.0, lt=1.0)

    def __call__(self, verdict: Verdict) -> Verdict:
        if verdict.stage == "evidence":
            return verdict
        stated = self.stated(verdict.probability)
        contradiction = self._contradiction(verdict, stated)
        label = self._label(verdict, stated, contradiction)
        if label == "stated":
            certainty = stated
        elif contradiction is None:
            certainty = 1.0 - stated
        else:
            certainty = contradiction if label == "contradicted" else max(0.0, 1.0 - stated - contradiction)
        return replace(verdict, label=label, probability=stated, certainty=certainty, contradiction=contradiction)

    def _contradiction(self, verdict: Verdict, stated: float) -> float | None:
        if verdict.contradiction is None or self.contradicted is None:
            return None
        return (1.0 - stated) * self.contradicted(share_contradicted(verdict.probability, verdict.contradiction))

    def _label(self, verdict: Verdict, stated: float, contradiction: float | None) -> Label:
        if stated >= self.threshold:
            return "stated"
        if contradiction is not None:
            return "contradicted" if contradiction > (1.0 - stated) / 2.0 else "absent"
        return verdict.label if verdict.label != "stated" else "absent"


class Calibration(_Model):
    """What `serve` loads.

    judge: fingerprint of the judge it was fitted for, and it fits no other; null for that of a taught model, whose
    folder it lies in: by whatever engine and name that is served, it is asked by the method `verdict`.
    kinds: by the kind that an annotation gives a fact. groups: by what its text is about.
    problems: digests of the problems it was fitted on, so that no audit shows figures on these as results.
    """

    format: Literal[1] = 1
    judge: str | None
    every: Adjustment = Field(description="For kinds and groups that have no adjustment of their own.")
    kinds: dict[str, Adjustment] = {}
    groups: dict[Group, Adjustment] = {}
    problems: frozenset[str] = frozenset()

    def reading(self, fact: Fact) -> Adjustment:
        if (own := self.kinds.get(fact.kind)) is not None:
            return own
        return self.groups.get(group_of(fact.text), self.every) if self.groups else self.every

    @property
    def digest(self) -> str:
        """16 hexadecimal digits over all that can change a verdict."""
        told = {"every", "kinds", "groups"} if self.groups else {"every", "kinds"}
        content = json.dumps(self.model_dump(include=told), sort_keys=True)
        return blake2b(content.encode(), digest_size=8).hexdigest()

    def fitted_on(self, problem: str) -> bool:
        return problem_digest(problem) in self.problems


def load_calibration(path: Path) -> Calibration:
    """ValueError, for people, where the file is not there or holds no calibration."""
    try:
        return Calibration.model_validate_json(path.read_bytes())
    except OSError as error:
        raise ValueError(
            f"{path} cannot be read: {error.strerror}; `perception-reward audit --fit` makes one"
        ) from None
    except ValidationError as error:
        field, message = first_fault(error)
        raise ValueError(f"{path} holds no calibration: {field or 'file'}: {message}") from None


@lru_cache(maxsize=8192)
def group_of(text: str) -> Group:
    return "figure" if fact_claims(text) else "other"


def problem_digest(problem: str) -> str:
    return blake2b(problem.encode("utf-8", "surrogatepass"), digest_size=6).hexdigest()


def log_odds(probability: float) -> float:
    clipped = min(1.0 - LEAST, max(LEAST, probability))
    return math.log(clipped) - math.log1p(-clipped)


def share_contradicted(stated: float, contradicted: float) -> float:
    """Of the probability that is not that of `stated`; 0.5 where nothing is left."""
    rest = 1.0 - stated
    return min(1.0, contradicted / rest) if rest > LEAST else 0.5
