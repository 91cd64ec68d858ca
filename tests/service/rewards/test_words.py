from __future__ import annotations

import pytest

from perception_reward.service.rewards.words import only_number, same_words


@pytest.mark.parametrize(
    ("answer", "reference"), [("Yes.", "yes"), ("The red one", "red one"), ("Yes, it is", "Yes"), (r"\text{no}", "No")]
)
def test_case_punctuation_and_articles_do_not_count(answer: str, reference: str) -> None:
    assert same_words(answer, reference)


@pytest.mark.parametrize(
    ("answer", "reference"), [("yes and no", "yes"), ("No", "yes"), ("one red", "red one"), ("", "")]
)
def test_other_words_and_hedges_differ(answer: str, reference: str) -> None:
    assert not same_words(answer, reference)


def test_a_sentence_gives_its_only_number() -> None:
    assert only_number("There are 1,200 apples.") == ("1,200", "apples.")


@pytest.mark.parametrize(
    "text", ["5 or 6", "not 5", "at least 5", "(1,234)", "5", "x5", "between 5 and more", "5 = five"]
)
def test_a_sentence_with_more_or_less_gives_none(text: str) -> None:
    assert only_number(text) is None
