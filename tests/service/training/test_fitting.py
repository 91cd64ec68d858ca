"""What stands in the way of a training is told before it begins."""

from __future__ import annotations

from pathlib import Path

import pytest

pytestmark = [pytest.mark.train, pytest.mark.timeout(300)]


def test_a_disk_that_is_too_small_is_told_before_anything_is_taught(
    tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    import shutil

    from perception_reward.service.training.fitting import Plan, Refused, check
    from perception_reward.service.training.fitting import load as load_model

    model = load_model(str(tiny_model), exact=True)
    check(Plan(str(tiny_model)), model, tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: shutil._ntuple_diskusage(2**30, 2**30, 1000))
    with pytest.raises(Refused, match=r"has 0.0 GiB free, and training takes some .* GiB; make room"):
        check(Plan(str(tiny_model)), model, tmp_path)


def test_another_training_is_not_gone_on_with_in_the_same_folder(tmp_path: Path):
    from perception_reward.service.training.fitting import Plan, Refused, _claim

    rows = [{"input_ids": [1, 2], "labels": [-100, 2], "seq_lengths": [0, 2]}]
    _claim(tmp_path / "training", Plan("m"), rows)
    _claim(tmp_path / "training", Plan("m", save_every=7), rows)
    with pytest.raises(Refused, match="of other data or settings"):
        _claim(tmp_path / "training", Plan("m", rank=8), rows)


def test_prompts_side_by_side_are_to_a_model_what_each_is_alone(tiny_model: Path):
    from perception_reward.service.training.fitting import load as load_model
    from perception_reward.service.training.fitting import shares_beginnings
    from perception_reward.service.training.rows import Prompt, row

    model = load_model(str(tiny_model), exact=True)
    one, other = Prompt((5, 6, 7, 8, 20, 21), 30), Prompt((5, 6, 7, 8, 40, 41, 42), 31)
    assert shares_beginnings(model, row([one, other]), row([other]))
    # With its rest told wrong, it is not.
    assert not shares_beginnings(model, row([one, other]), row([Prompt((5, 6, 7, 9, 40, 41, 42), 31)]))


def test_a_model_that_is_not_there_is_told_in_a_line(tmp_path: Path):
    from perception_reward.service.training.fitting import Refused
    from perception_reward.service.training.fitting import load as load_model

    with pytest.raises(Refused, match="cannot be loaded") as caught:
        load_model(str(tmp_path), exact=True)
    assert "\n" not in str(caught.value)
