"""How good a store's facts are: its figures against a gold standard, which travel with it in its header.

In JSON Lines the header is the first line, `{"header": {"version": "5f0c1b8e9a7d2c34", "figures": {…}}}`; in Redis it
is the value of `perception-reward:annotation-header`.
"""

from __future__ import annotations

from datetime import datetime

from pydantic import ConfigDict, Field

from perception_reward.trainer_client.wire import WireModel

HEADER = "header"
# A false fact takes reward from who sees right; a missing one only leaves seeing unpaid.
LEAST_PRECISION = 0.9
LEAST_RECALL = 0.5


class Counts(WireModel):
    """Facts of one kind, or of all kinds. Of the store's facts `right` are in the gold standard, of gold's `found`
    are in the store."""

    model_config = ConfigDict(defer_build=False)

    facts: int = Field(default=0, ge=0, description="The store's facts.")
    right: int = Field(default=0, ge=0, description="Those of them that the gold standard has too.")
    gold: int = Field(default=0, ge=0, description="The gold standard's facts.")
    found: int = Field(default=0, ge=0, description="Those of them that the store has too.")

    @property
    def precision(self) -> float | None:
        """Share of the store's facts that are right; None without any."""
        return self.right / self.facts if self.facts else None

    @property
    def recall(self) -> float | None:
        """Share of the gold standard's facts that were found; None without any."""
        return self.found / self.gold if self.gold else None


class Figures(WireModel):
    """What `annotations evaluate` found."""

    model_config = ConfigDict(defer_build=False)

    version: str = Field(description="Of the store that was evaluated.")
    gold: str = Field(description="What it was held against.")
    gold_version: str
    method: str = Field(description="How facts were matched: `symbolic`, or also by the judge that is named.")
    created: datetime
    problems: int = Field(description="Problems that both have.")
    total: Counts
    kinds: dict[str, Counts] = Field(default_factory=dict[str, Counts])


class Header(WireModel):
    """What a store says of itself."""

    model_config = ConfigDict(defer_build=False)

    version: str | None = Field(default=None, description="Of the content: a file tells when it was cut or edited.")
    figures: Figures | None = None


EVALUATE = "`perception-reward annotations evaluate STORE GOLD --record`"


def concern(figures: Figures | None, version: str | None) -> str | None:
    """One line about why the facts of a store of `version` should be evaluated or mended before its scores are trusted,
    or None."""
    if figures is None:
        return f"these annotations were never held against a gold standard; {EVALUATE} does it"
    if version is not None and figures.version != version:
        return f"version {version} of these annotations was never evaluated, but {figures.version}; {EVALUATE} does it"
    precision, recall = figures.total.precision, figures.total.recall
    if precision is not None and precision < LEAST_PRECISION:
        return f"of the facts only {precision:.0%} are right by {figures.gold}, and false ones punish right seeing"
    if recall is not None and recall < LEAST_RECALL:
        return f"the annotations have only {recall:.0%} of the facts of {figures.gold}, so that much seeing is not paid"
    return None
