"""A configuration file is held to what it may say, and faults are told by their place."""

from __future__ import annotations

from pathlib import Path

import pytest

from perception_reward.annotations.pipeline.building import ConfigFault, read_config

README = Path(__file__).parents[3] / "annotations" / "README.md"
GOOD = """
[problems]
path = "problems.jsonl"
[trajectories]
model = {url = "http://127.0.0.1:1/v1", model = "big"}
[extract]
model = {url = "http://127.0.0.1:1/v1", model = "small"}
"""


def test_a_short_file_is_enough(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text(GOOD, encoding="utf-8")
    config = read_config(path)
    assert (config.folder, config.extract.method, config.trajectories.samples) == ("build", "three", 1)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("[problems]", "[problems", "is no TOML"),
        ('path = "problems.jsonl"', 'pat = "x"', "problems.path: Field required"),
        ('path = "problems.jsonl"', 'path = "x"\nlayout = "no"', "problems: layout 'no' is none of plain"),
        ('path = "problems.jsonl"', 'path = "x"\nmap = {x = "y"}', "problems: map knows id"),
        ("[trajectories]", "[trajectories]\nread = true", "trajectories: name a model, or say"),
        ('model = "small"', 'model = ""', "extract.model.model: String should have at least 1"),
        ('"http://127.0.0.1:1/v1", model = "small"', '"there", model = "small"', "extract.model.url"),
        ("[extract]", "[filter]\nagreement = 2\n[extract]", "filter.agreement"),
    ],
)
def test_what_is_wrong_is_told_by_its_place(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(GOOD.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(ConfigFault, match=said):
        read_config(path)


def test_the_file_in_the_readme_can_be_used(tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8").split("```toml\n")[1].split("```")[0]
    path = tmp_path / "c.toml"
    path.write_text(text, encoding="utf-8")
    config = read_config(path)
    assert config.trajectories.model is not None
    assert config.trajectories.model.asked().limits.cost == 20.0
    assert config.check.model is not None
