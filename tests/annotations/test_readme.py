"""annotations/README.md: the fields that it lists are those of the models."""

from __future__ import annotations

import re
from pathlib import Path

from perception_reward.annotations.jsonl import parse_lines
from perception_reward.annotations.model import Annotation, Provenance
from perception_reward.trainer_client.wire import Fact

README = (Path(__file__).resolve().parents[2] / "annotations" / "README.md").read_text(encoding="utf-8")


def test_the_example_is_an_annotation() -> None:
    (example,) = re.findall(r"```json\n(.*?)```", README, re.DOTALL)
    (found,) = parse_lines([example.replace("\n", " ")])
    assert isinstance(found, Annotation)
    assert len(found.facts) == 3


def test_the_table_names_every_field() -> None:
    named = set(re.findall(r"^\| `([a-z.\[\]]+)` \|", README, re.MULTILINE))
    facts = {f"facts[].{name}" for name in Fact.model_fields}
    assert named == (set(Annotation.model_fields) - {"facts"}) | facts
    assert all(f"`{name}`" in README for name in Provenance.model_fields)
