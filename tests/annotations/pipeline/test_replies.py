"""Replies are mended where that is safe, and else told what is wrong with them."""

from __future__ import annotations

import pytest
from pydantic import BaseModel

from perception_reward.annotations.pipeline.replies import NotOfTheForm, read_reply


class Form(BaseModel):
    facts: list[str]


@pytest.mark.parametrize(
    "text",
    [
        '{"facts":["a"]}',
        'Here it is:\n```json\n{"facts": ["a"]}\n```\nDone.',
        '<think>{"no": 1}</think>\n{"facts": ["a"]}',
        'Sure! {"facts": ["a"]} I hope that helps.',
        '```\n{"facts": ["a"]}',
    ],
)
def test_what_surrounds_the_json_does_not_matter(text: str) -> None:
    assert read_reply(text, Form) == Form(facts=["a"])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        (r"$\triangle PQR$", r"$\triangle PQR$"),
        (r"$\\triangle PQR$", r"$\triangle PQR$"),
        (r"\frac{AB}{2} \neq \beta, \rho", r"\frac{AB}{2} \neq \beta, \rho"),
        (r"\angle A = 40^\circ, \underline{x}", r"\angle A = 40^\circ, \underline{x}"),
        (r"two\nlines, \tone \u00e9, \"so\" \\\\ \/", 'two\nlines, \tone é, "so" \\\\ /'),
        (r"one\nequal, one\nnot", "one\nequal, one\nnot"),
        (r"a row\\\ngle", "a row\\\ngle"),
    ],
)
def test_latex_is_read_however_its_backslash_is_written(written: str, said: str) -> None:
    assert read_reply(f'{{"facts": ["{written}"]}}', Form) == Form(facts=[said])


def test_a_reply_cut_off_within_an_escape_keeps_what_was_whole() -> None:
    for end in ("\\", "\\u00", "\\fr"):
        assert read_reply('{"facts": ["a", "b' + end, Form, cut=True) == Form(facts=["a"])


def test_of_a_reply_that_was_cut_off_what_was_whole_counts() -> None:
    assert read_reply('{"facts": ["a", "b", "c', Form, cut=True) == Form(facts=["a", "b"])


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("I cannot do that.", "holds no JSON"),
        ('{"facts": ["a"', "not JSON"),
        ('{"facts": "a"}', "facts is wrong"),
        ('{"things": []}', "facts is wrong: Field required"),
        ("", "holds no JSON"),
    ],
)
def test_what_is_wrong_is_told(text: str, wrong: str) -> None:
    with pytest.raises(NotOfTheForm, match=wrong):
        read_reply(text, Form)
