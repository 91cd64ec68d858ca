from __future__ import annotations

import ast

import pytest

from perception_reward.trainer_client.trainers.listing import TRAINERS, main, path_of, table


@pytest.mark.parametrize("name", TRAINERS)
def test_every_adapter_is_a_file_whose_docstring_has_its_line(name: str) -> None:
    text = path_of(name).read_text(encoding="utf-8")
    docstring = ast.get_docstring(ast.parse(text)) or ""
    told = TRAINERS[name].line.split("{path}")[0].split("{package}")[0].strip().split("=")[0].split("(")[0]
    assert told in docstring
    assert name in table()


def test_what_is_asked_wrongly_is_told_how_to_ask() -> None:
    assert main(["path"])[0] == main([])[0] == 2
    assert "names: trl" in main(["path"])[1]
