from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.base import Missing, Verdict
from perception_reward.service.judges.llm.answers import Answers
from perception_reward.service.judges.llm.verdict import WORDS
from perception_reward.service.judges.llm.vocabulary import Vocabulary


@pytest.fixture(scope="module")
def answers(tokenizer_folder: Path) -> Answers:
    return Answers(Vocabulary(str(tokenizer_folder)), WORDS)


def first_of_each(answers: Answers) -> list[int]:
    """One token each for stated, contradicted, absent."""
    return [tokens[0] for tokens in answers.by_label.values()]


def test_probabilities_are_normalised_over_the_answers(answers: Answers):
    yes, no, unknown = first_of_each(answers)
    assert answers.outcome({yes: math.log(0.3), no: math.log(0.1), unknown: math.log(0.1)}) == Verdict(
        "stated", pytest.approx(0.6), certainty=pytest.approx(0.6), contradiction=pytest.approx(0.2)
    )
    assert answers.outcome({no: math.log(0.6), yes: math.log(0.2)}) == Verdict(
        "contradicted", pytest.approx(0.25), certainty=pytest.approx(0.75), contradiction=pytest.approx(0.75)
    )
    assert answers.outcome({unknown: math.log(0.9), 7: math.log(0.1)}) == Verdict(
        "absent", 0.0, certainty=1.0, contradiction=0.0
    )


def test_both_spellings_of_an_answer_count(answers: Answers):
    with_space, without = answers.by_label["stated"]
    no = first_of_each(answers)[1]
    outcome = answers.outcome({with_space: math.log(0.25), without: math.log(0.25), no: math.log(0.5)})
    assert isinstance(outcome, Verdict)
    assert outcome.probability == pytest.approx(0.5)


@pytest.mark.parametrize("logprobs", [{}, {7: -0.1}, {"yes": -math.inf}, {"yes": math.nan}])
def test_what_holds_no_answer_is_unparseable(answers: Answers, logprobs: dict[int | str, float]):
    found = {first_of_each(answers)[0] if token == "yes" else int(token): value for token, value in logprobs.items()}
    assert answers.outcome(found) == Missing("judge_unparseable")


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.5])
def test_beside_a_number_that_is_none_the_others_do_not_decide(answers: Answers, value: float):
    yes, no, unknown = first_of_each(answers)
    assert answers.outcome({yes: value, no: -0.1, unknown: -3.0}) == Missing("judge_unparseable")


@given(st.lists(st.floats(-700, 0), min_size=3, max_size=3))
def test_the_three_probabilities_are_a_distribution(answers: Answers, values: list[float]):
    outcome = answers.outcome(dict(zip(first_of_each(answers), values, strict=True)))
    assert isinstance(outcome, Verdict)
    assert outcome.contradiction is not None
    assert 0 <= outcome.contradiction <= 1 - outcome.probability <= 1
    assert 1 / 3 - 1e-9 <= outcome.certainty <= 1


def test_a_token_has_the_label_of_its_word(answers: Answers):
    assert [answers.label(token) for token in first_of_each(answers)] == ["stated", "contradicted", "absent"]
    assert answers.label(-1) is None


def test_a_vocabulary_that_splits_an_answer_into_letters_is_refused(make_tokenizer: Callable[..., Path]):
    with pytest.raises(ValueError, match="splits the answer 'Unknown'"):
        Answers(Vocabulary(str(make_tokenizer(words="Yes No"))), WORDS)


def test_an_answer_that_is_split_counts_by_its_first_token(make_tokenizer: Callable[..., Path]):
    vocabulary = Vocabulary(str(make_tokenizer(words="Yes No Unkn")))
    found = Answers(vocabulary, WORDS)
    start, after_a_space = (vocabulary.piece(token) for token in found.by_label["absent"])
    assert "Unknown".startswith(start)
    assert after_a_space[0] == "Ġ"
    assert "Unknown".startswith(after_a_space[1:])
    assert vocabulary.piece(found.written["absent"]) == start


def test_answers_that_begin_with_the_same_token_are_refused(make_tokenizer: Callable[..., Path]):
    vocabulary = Vocabulary(str(make_tokenizer(words="Yes No")))
    with pytest.raises(ValueError, match="'No' and 'Nowhere' begin with the same token"):
        Answers(vocabulary, {"stated": "Yes", "contradicted": "No", "absent": "Nowhere"})
