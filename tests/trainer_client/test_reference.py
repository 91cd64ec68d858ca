from __future__ import annotations

import pytest

from perception_reward.trainer_client.reference import Answer, Choices, options_of, texts_of


@pytest.mark.parametrize(
    ("answer", "texts"),
    [
        ("5", ("5",)), (5, ("5",)), (5.0, ("5",)), (0.25, ("0.25",)), (0.1 + 0.2, ("0.3",)), (["4", 4.5], ("4", "4.5")),
        (-3, ("-3",)), (1e-7, ("1e-07",)),
    ],
)  # fmt: skip
def test_answers_are_read_as_texts(answer: Answer, texts: tuple[str, ...]) -> None:
    assert texts_of(answer) == texts


@pytest.mark.parametrize(
    ("choices", "options"),
    [
        (["30", "45"], (("A", "30"), ("B", "45"))),
        ([30, 4.5], (("A", "30"), ("B", "4.5"))),
        (["A. 30", "B. 45"], (("A", "30"), ("B", "45"))),
        (["(A) 30", "(B) 45"], (("A", "30"), ("B", "45"))),
        (["a) x", "b) y"], (("A", "x"), ("B", "y"))),
        (["A 30", "B 45"], (("A", "30"), ("B", "45"))),
        (["A、30", "B、45"], (("A", "30"), ("B", "45"))),
        (["1. 30", "2. 45"], (("1", "30"), ("2", "45"))),
        (["① 30", "② 45"], (("①", "30"), ("②", "45"))),
        ({"A": "30", "B": 45}, (("A", "30"), ("B", "45"))),
        ({"A": "A. 30", "B": "B. 45"}, (("A", "30"), ("B", "45"))),
        ({"1": "30", "2": "1. 45"}, (("1", "30"), ("2", "1. 45"))),
        # no labels: not all texts have one, or they are others
        (["1.5", "2.5"], (("A", "1.5"), ("B", "2.5"))),
        (["A. 30", "45"], (("A", "A. 30"), ("B", "45"))),
        (["C. Brown", "D. Green"], (("A", "C. Brown"), ("B", "D. Green"))),
        (["C", "A", "B"], (("A", "C"), ("B", "A"), ("C", "B"))),
        (["A cat"], (("A", "A cat"),)),
        ([], ()),
    ],
)
def test_options_are_read_with_their_labels(choices: Choices, options: tuple[tuple[str, str], ...]) -> None:
    assert options_of(choices) == options
