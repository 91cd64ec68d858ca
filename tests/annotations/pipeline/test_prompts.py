"""Prompts are filled in one pass, and their version follows their text."""

from __future__ import annotations

from pathlib import Path

import pytest

from perception_reward.annotations.pipeline.prompts import Prompt, PromptFault


def test_what_is_put_in_pulls_nothing_in() -> None:
    prompt = Prompt("p", version="p-1", text='Q: {question} A: {answer} {"json": {x}} {unknown}')
    assert prompt.filled(question="{answer}", answer="5") == 'Q: {answer} A: 5 {"json": {x}} {unknown}'


def test_a_prompt_of_ones_own_takes_the_place_and_has_a_version_of_its_own(tmp_path: Path) -> None:
    packaged = Prompt.read("answer", tmp_path, ("question",))
    (tmp_path / "answer.txt").write_text("Look: {question}", encoding="utf-8")
    own = Prompt.read("answer", tmp_path, ("question",))
    assert own.text == "Look: {question}"
    assert own.version != packaged.version
    (tmp_path / "answer.txt").write_text("Look!", encoding="utf-8")
    with pytest.raises(PromptFault, match=r"answer\.txt: lacks \{question\}"):
        Prompt.read("answer", tmp_path, ("question",))
    with pytest.raises(PromptFault, match="nothing"):
        Prompt.read("nothing")
