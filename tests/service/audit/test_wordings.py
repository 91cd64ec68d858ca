from __future__ import annotations

import random
import re

import pytest

from perception_reward.service.audit.statements import Statement, read_statement
from perception_reward.service.audit.wordings import (
    NOTATIONS,
    any_wording,
    capital,
    denials,
    filler,
    page,
    reversed_names,
    says,
    sentence,
    wordings,
)
from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.service.rewards.format import format_reward
from perception_reward.trainer_client.wire import Fact


def read(text: str, kind: str = "statement") -> Statement:
    return read_statement(Fact(id="f", text=text, kind=kind))


FACTS = [
    read("Segment AB has length 5."),
    read("Angle ABC measures 50 degrees."),
    read("Arc AB measures 110 degrees."),
    read("The radius of circle O is 5."),
    read("Angle FEI is labelled 4.", "label"),
    read("AC is perpendicular to BC."),
    read("AB is parallel to CD."),
    read("Point G lies on line AB."),
    read("Point A lies on circle O."),
    read("Line PA is tangent to circle O."),
    read("Segments AB and AC have equal length."),
    read("Angles ABC and ACB have equal measure."),
    read("There are two dogs."),
]


def test_the_examples_are_all_the_kinds_that_have_wordings():
    assert {statement.kind for statement in FACTS} == set(wordings())


@pytest.mark.parametrize("statement", FACTS, ids=lambda statement: statement.kind)
def test_every_wording_names_all_elements_and_the_value(statement: Statement):
    for notation in NOTATIONS:
        for clause in says(statement, notation):
            assert all("".join(name) in clause for name in statement.names), clause
            assert statement.value in clause
    assert len(says(statement, "words")) > 1


@pytest.mark.parametrize("statement", FACTS, ids=lambda statement: statement.kind)
def test_wordings_differ(statement: Statement):
    clauses = [clause for notation in NOTATIONS for clause in says(statement, notation)] + denials(statement)
    assert len(set(clauses)) == len(clauses)


def test_values_are_written_in_the_notation():
    angle, root = read("Angle ABC measures (3x + 10) degrees."), read("Segment AB has length 3√2.")
    assert r"$\angle ABC = (3x + 10)^\circ$" in says(angle, "latex")
    assert "∠ABC = (3x + 10)°" in says(angle, "unicode")
    assert r"$AB = 3\sqrt{2}$" in says(root, "latex")
    assert "AB = 3√2" in says(root, "unicode")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Segment AB has length 5.", ["BA"]),
        ("Angle ABC measures 50 degrees.", ["CBA"]),
        ("AB is parallel to CD.", ["DC", "BA"]),
    ],
)
def test_symmetric_names_are_read_backwards(text: str, names: list[str]):
    turned = reversed_names(read(text))
    assert turned is not None
    assert ["".join(name) for name in turned.names] == names


def test_names_that_mean_something_else_backwards_are_not_turned():
    assert reversed_names(read("Point G lies on line AB.")) is None
    assert reversed_names(read("There are two dogs.")) is None


@pytest.mark.parametrize(
    ("clause", "expected"),
    [
        ("the length of AB is 5", "The length of AB is 5."),
        ("AB = 5", "AB = 5."),
        ("x + 2 = AB", "x + 2 = AB."),
        ("$AB = 5$", "$AB = 5$."),
    ],
)
def test_a_sentence_begins_with_a_capital_but_for_symbols(clause: str, expected: str):
    assert sentence(clause) == expected


def test_capital_bears_an_empty_clause():
    assert capital("") == ""


def test_any_wording_is_one_of_them():
    statement = FACTS[0]
    every = {clause for notation in NOTATIONS for clause in says(statement, notation)}
    assert {any_wording(statement, random.Random(seed)) for seed in range(200)} == every


@pytest.mark.parametrize("seed", range(20))
def test_a_page_holds_the_sentences_in_order(seed: int):
    written = page(random.Random(seed), "12").write(["AB = 5.", "AC = 7."])
    assert written.index("AB = 5.") < written.index("AC = 7.")
    assert "12" in written


def test_pages_come_in_blocks_prose_and_lists():
    forms = {page(random.Random(seed), None).form for seed in range(50)}
    assert forms == {"blocks", "prose", "list"}


def test_a_page_of_blocks_has_the_format_that_is_rewarded():
    pages = [page(random.Random(seed), "12") for seed in range(20)]
    assert all(format_reward(each.write(["AB = 5."])) == 1.0 for each in pages if each.form != "prose")


def test_padding_stands_around_the_sentences():
    written = page(random.Random(1), "12").write(["AB = 5."], padding=("before", "behind"))
    assert re.search(r"before.*AB = 5\..*behind", written, re.DOTALL)


def test_filler_is_as_long_as_asked_and_says_nothing():
    text = filler(random.Random(1), 5000)
    assert 5000 <= len(text) < 5200
    facts = [Fact(id="f1", text="Segment AB has length 5."), Fact(id="f2", text="There are two dogs.")]
    assert [verdict.label for verdict in decide_all(text, facts)] == ["absent", "absent"]
    assert not re.search(r"\d|\b[A-Z]{2,}\b", text)
