"""The figures of an audit, as data: what the JSON report holds, and what the service reads of it again.

Every figure that could not be determined is null: no NaN, and no 0 for nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from perception_reward.service.excerpt import WHOLE
from perception_reward.trainer_client.wire import Label

Grade: TypeAlias = Literal["good", "fair", "poor"]
# What a judge can make of a fact, the last of it not a verdict.
Judged: TypeAlias = Label | Literal["missing"]


class Figures(BaseModel):
    """Frozen, finite, and open to fields of later versions."""

    model_config = ConfigDict(extra="ignore", frozen=True, allow_inf_nan=False)


class Estimate(Figures):
    """A figure with its 95 % interval; an interval that cannot be had is null."""

    value: float | None
    low: float | None = None
    high: float | None = None


class Proportion(Estimate):
    """`hits` of `total`, with a Wilson interval on the effective sample size; all null where `total` is 0."""

    hits: int
    total: int


class ClassFigures(Figures):
    """One verdict against the two others."""

    label: Label
    recall: Proportion
    precision: Proportion
    specificity: Proportion


class Bin(Figures):
    """A bar of the reliability diagram: verdicts whose probability of `stated` lies in [low, high)."""

    low: float
    high: float
    count: int
    probability: float | None = Field(description="Mean probability of `stated`.")
    stated: Proportion = Field(description="Share that is stated.")


class Row(Figures):
    """The short figures of a fact kind or of a family of probes."""

    name: str
    asked: int
    missing: int
    accuracy: Proportion
    recall: Proportion = Field(description="Of what is stated, the share judged so.")
    specificity: Proportion = Field(description="Of what is not stated, the share not judged stated.")
    auc: Estimate


class Quality(Figures):
    """How right the verdicts are. Everything but the counts is over the verdicts that were given."""

    asked: int
    missing: dict[str, int] = Field(description="Verdicts that could not be had, by reason.")
    problems: int = Field(description="Independent units, by which intervals are made.")
    accuracy: Proportion = Field(description="Of the three-way verdict.")
    classes: list[ClassFigures]
    kappa: Estimate
    mcc: Estimate
    auc: Estimate = Field(description="`stated` against the rest, by probability.")
    brier: Estimate = Field(description="Of the probability of `stated`; 0 is best.")
    ece: Estimate = Field(description="Expected calibration error of the probability of `stated`; 0 is best.")
    confusion: dict[Label, dict[Judged, int]] = Field(description="Counts by the right verdict, then by the judge's.")
    reliability: list[Bin]
    kinds: list[Row]
    families: list[Row]


class Flips(Figures):
    """How often a verdict changed that should not have, over pairs of which both verdicts were given."""

    family: str
    pairs: int
    missing: int = Field(description="Pairs of which a verdict is missing.")
    flipped: Proportion
    shift: float | None = Field(description="Mean absolute change of the probability of `stated`.")
    largest_shift: float | None
    refused: Proportion | None = Field(
        default=None,
        description="Of the true statements found in the base, the share not found in the variant; null without any.",
    )


class Attacks(Figures):
    """How often the judge said `stated` of what an attacked response does not state."""

    family: str
    tried: int
    missing: int
    success: Proportion


class Case(Figures):
    """A verdict that a person should look at."""

    id: str
    purpose: str
    family: str
    kind: str
    problem: str | None
    fact: str
    expected: Label
    judged: Label
    probability: float
    excerpt: str = Field(description="Of the response: the words that carried the verdict, or its beginning.")


class Fit(Figures):
    """Figures of one way of reading the judge's probabilities."""

    log_loss: float
    brier: float | None = None
    ece: float
    accuracy: float


class HeldOut(Figures):
    """What a calibration is worth on problems it was not fitted on, by cross-validation."""

    examples: int
    problems: int
    folds: int
    by: Literal["every", "groups", "kinds"] | None = Field(
        default=None, description="Whether all facts are read alike, or by group or kind, as did best held out."
    )
    before: Fit
    after: Fit
    gain: Estimate = Field(description="What it saves in log-loss a verdict; a gain where the interval is above 0.")


class Judge(Figures):
    """Who was audited."""

    name: str
    model: str | None
    method: str
    fingerprint: str


class AuditReport(Figures):
    """An audit: the judge, the figures, and what they amount to."""

    format: Literal[1] = 1
    created: datetime
    seed: int
    versions: dict[str, str]
    judge: Judge
    scope: str = Field(default=WHOLE, description="The part of a response that the judge was shown.")
    profile: str | None = Field(
        default=None, description="The profile that says which facts are paid for, in attacks that copy the question."
    )
    verdict: Grade
    reasons: list[str] = Field(description="Why it is not better; empty for `good`.")
    probes: dict[str, int] = Field(description="Probes by purpose.")
    left_out: int = Field(default=0, description="Probes left out because the judge's calibration was fitted on them.")
    labelled: Quality | None = Field(description="On responses that people labelled, but for doubtful ones.")
    doubtful: Quality | None = Field(default=None, description="On those where the label itself is in doubt.")
    generated: Quality | None = Field(description="On statements made from the annotations.")
    repeats: Flips | None
    flips: list[Flips]
    attacks: list[Attacks]
    attack: Attacks | None = Field(description="All families together.")
    refusals: Proportion | None = Field(
        description="Of true statements that a judge finds: the share lost to what defences react to."
    )
    calibration: HeldOut | None = Field(default=None, description="What fitting a calibration would gain.")
    cases: list[Case] = Field(description="The worst verdicts first.")

    @property
    def quality(self) -> Quality | None:
        """The figures that count most: people's labels where there are any."""
        return self.labelled or self.generated
