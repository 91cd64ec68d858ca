"""Forward passes that share what they can."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = [pytest.mark.train, pytest.mark.timeout(300)]


async def test_what_asks_share_is_computed_once_and_changes_nothing(tiny_model: Path):
    from perception_reward.service.judges.llm.engine import Choice
    from perception_reward.service.training.engine import PlainEngine
    from perception_reward.service.training.fitting import load as load_model

    model = load_model(str(tiny_model), exact=True)
    asks = [Choice((5, 6, 7), ((8, 9), (8, 10), (11,)), (3, 4)), Choice((5, 6), ((7, 8), (12,)), (3, 4))]
    kept = PlainEngine(model, "m")
    for ask in asks:
        told = await kept.choose(ask, "", 0.0)
        for suffix, found in zip(ask.suffixes, told, strict=True):
            (alone,) = await PlainEngine(model, "m").choose(Choice(ask.shared, (suffix,), ask.answers), "", 0.0)
            assert found == pytest.approx(alone, abs=1e-4)
