"""What a trainer is told that has asked for a number, where there is none."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence

from starlette.exceptions import HTTPException

from perception_reward.service.api.problems import InvalidRequest
from perception_reward.service.api.trainers.options import OnMissing
from perception_reward.trainer_client.wire import Components, ItemResult

logger = logging.getLogger(__name__)

RETRY_SECONDS = "5"


def number(result: ItemResult, on_missing: OnMissing) -> float:
    """The score, or what stands for a missing one: NaN, which poisons what it is averaged with, or 0 if so chosen."""
    if result.score is not None:
        return result.score
    return 0.0 if on_missing == "zero" else math.nan


def numbers(components: Components) -> dict[str, float]:
    """Every component, NaN where it does not apply: a trainer wants the same keys on every sample."""
    return {name: math.nan if value is None else value for name, value in components.items()}


def refuse_missing(results: Sequence[ItemResult], on_missing: OnMissing, places: Sequence[str]) -> None:
    """Where a missing score may not become a number: 422 for what will not be mended by another try, else 503.

    places: where each item's label stands, for errors.
    """
    missing = [(result, place) for result, place in zip(results, places, strict=True) if result.score is None]
    if not missing:
        return
    # The trainers drop the body of an error, so the log has to say it too.
    logger.warning("%d of %d scores are missing (%s)", len(missing), len(results), missing[0][0].reason)
    if on_missing != "raise":
        return
    for result, place in missing:
        if result.reason == "unknown_annotation":
            raise InvalidRequest(place, "names an annotation that is not loaded; see GET /v1/annotations")
    raise HTTPException(
        503,
        f"{len(missing)} of {len(results)} scores are missing ({missing[0][0].reason}); try again, or say in the "
        "URL what they should be: on_missing=native or zero",
        headers={"Retry-After": RETRY_SECONDS},
    )
