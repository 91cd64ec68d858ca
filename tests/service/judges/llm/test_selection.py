from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.judges.llm.selection import GAP, MAX_SENTENCE, MOST_SENTENCES, select
from perception_reward.service.judges.symbolic.judge import decide_all
from perception_reward.trainer_client.wire import Fact

NOISE = "The weather was fine that day."


def evidence(response: str, fact: str) -> str:
    return select(response, Fact(id="f", text=fact))


def noisy(*sentences: str) -> str:
    """The sentences with more around and between them than would be kept anyway."""
    return " ".join([NOISE, *(part for sentence in sentences for part in (sentence, NOISE))])


@pytest.mark.parametrize(
    ("fact", "sentence"),
    [
        ("Segment AB has length 5.", "AB = 5."),
        ("Segment AB has length 5.", "The side BA is 7."),
        ("Segment AB has length 5.", r"And $\overline{BA} = 7$."),
        ("Segment AB has length 5.", "One of its sides measures 5.0 cm."),
        ("Angle ABC measures 40 degrees.", "∠CBA is 50°."),
        ("AB is perpendicular to BC.", "There is a right angle at B in triangle ABC."),
        ("AB is perpendicular to BC.", r"$AB \perp BC$."),
        ("D is the midpoint of BC.", "D bisects CB."),
        ("Angle AC'B' measures 13 degrees.", "∠B'C'A = 32°."),
        ("There are three dogs.", "I can see 2 dogs."),
        ("The value for Norway is 56%.", "Norway has 56.0 %."),
        ("The car is red.", "A blue car is parked outside."),
        ("The figure is a triangle.", "We see a triangle."),
    ],
)
def test_a_sentence_about_the_fact_is_kept_and_others_are_not(fact: str, sentence: str) -> None:
    assert evidence(noisy(sentence), fact) == f"{GAP}\n{sentence}\n{GAP}"


def test_nothing_is_left_of_a_response_about_something_else() -> None:
    assert evidence("I like the colours. It is a nice picture!", "Segment AB has length 5.") == ""
    assert evidence("", "Segment AB has length 5.") == ""


@pytest.mark.parametrize(
    ("fact", "response"),
    [
        ("猫在桌子上。", "图中桌子上有一只猫。窗外有一棵树。"),
        ("图中有3只猫。", "第3步：看图。图中有三只猫在睡觉。"),
        ("The cat is on the table.", "图中桌子上有一只猫。窗外有一棵树。"),
        ("Кошка на столе.", "Здесь стол. На нём спит кот."),
    ],
)
def test_what_is_in_another_script_is_read_whole(fact: str, response: str) -> None:
    assert evidence(response, fact) == response


@pytest.mark.parametrize(
    "response",
    [
        "None of these holds:\n- CD = 8\n- AB = 5",
        "The following are all wrong:\nAB = 5",
        "It is not the case that\nAB = 5",
    ],
)
def test_the_heading_that_denies_a_line_comes_with_it(response: str) -> None:
    kept = evidence(f"{NOISE}\n{response}\n{NOISE}", "Segment AB has length 5.")
    assert response.splitlines()[0] in kept
    assert NOISE not in kept


def test_another_heading_stays_away() -> None:
    assert evidence("None of these:\nCD = 8\nGiven:\nAB = 5", "Segment AB has length 5.") == f"{GAP}\nAB = 5"


def test_a_stray_foreign_word_does_not_bring_the_whole_response() -> None:
    assert evidence(f"{NOISE} {NOISE} 你好", "Segment AB has length 5.") == ""
    assert evidence(noisy("∠α = 30°."), "Angle α measures 30 degrees.") == f"{GAP}\n∠α = 30°.\n{GAP}"


def test_names_are_found_in_another_script() -> None:
    assert (
        evidence("图中有一个三角形。线段AB长5。今天天气很好。", "Segment AB has length 5.")
        == f"{GAP}\n线段AB长5。\n{GAP}"
    )


def test_the_sentence_leaned_on_comes_too() -> None:
    kept = evidence(
        noisy("Look at the triangle.", "AC = 5.").replace(f"{NOISE} AC", "It is drawn thinly. This AC"), "AC is 5."
    )
    assert "It is drawn thinly." in kept


def test_what_takes_a_sentence_back_comes_too() -> None:
    assert "Wait, no." in evidence(f"AB = 5. Wait, no. {NOISE}", "Segment AB has length 5.")


def test_a_whole_response_about_the_fact_has_no_gaps() -> None:
    assert evidence("AB = 5. AB is short.", "Segment AB has length 5.") == "AB = 5.\nAB is short."


def test_of_many_sentences_the_strongest_are_kept() -> None:
    kept = evidence(" ".join(["Then AB is drawn."] * 30 + ["AB = 5."]), "Segment AB has length 5.")
    assert "AB = 5." in kept
    assert kept.count("AB") <= 2 * MOST_SENTENCES


def test_text_without_full_stops_is_kept_in_pieces() -> None:
    assert (
        len(evidence("so we add " * 500 + "AB = 5 " + "and then " * 500, "Segment AB has length 5.")) < 3 * MAX_SENTENCE
    )


@given(st.text(max_size=400), st.text(min_size=1, max_size=80).filter(str.strip))
def test_any_text_gives_the_same_pieces_of_the_response_in_order(response: str, fact: str) -> None:
    kept = evidence(response, fact)
    assert kept == evidence(response, fact)
    at = 0
    for piece in kept.split("\n"):
        if piece and piece != GAP:
            at = response.index(piece, at) + len(piece)


@given(
    st.lists(st.sampled_from(["We add both sides.", "So x = 3.", "It is clear!", "Hence the area is 12."]), max_size=12)
)
def test_a_sentence_that_says_the_fact_is_never_lost(around: list[str]) -> None:
    for place in range(len(around) + 1):
        response = " ".join([*around[:place], "The length of PQ is 25.", *around[place:]])
        assert "The length of PQ is 25." in evidence(response, "Segment PQ has length 25.")


def test_labelled_responses_keep_what_the_rules_found(shared_data: Path) -> None:
    texts = {
        f"mathvista/{row['model']}/{row['pid']}": row["response"]
        for row in rows(shared_data / "mathvista/responses.jsonl")
    }
    texts |= {row["key"]: row["response"] for row in rows(shared_data / "labelled/own_responses.jsonl")}
    kept = found = 0
    for row in rows(shared_data / "labelled/pairs.jsonl"):
        response, fact = texts[row["key"]], Fact(id="f", text=row["fact"])
        (verdict,) = decide_all(response, (fact,))
        if verdict.span is None:
            continue
        found += 1
        said = response[slice(*verdict.span)].split("\n")
        kept += all(line.strip() in select(response, fact) for line in said)
    assert found > 80
    assert kept >= 0.97 * found


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").split("\n") if line]


def test_what_is_said_last_is_kept_however_often_its_contrary_was_said():
    fact = Fact(id="f", text="Segment AB has length 5.")
    repeated = "AB = 5. " * 9 + "I see a circle. " + "AB is 9."
    words = ["once", "twice", "thrice", "before", "again", "often", "always"]
    varied = " ".join(f"AB = 5 as I said {word}." for word in words)
    for response in (repeated, f"{varied} Nice. AB is 9."):
        assert "AB is 9." in select(response, fact)


def test_the_page_of_a_fact_chooses_among_sentences_that_say_the_same():
    pages = " ".join(f"On page {page} the total is {page * 11}." for page in range(1, 30))
    shown = select(pages, Fact(id="f", text="The total is 99.", page=7))
    assert "On page 7 the total is 77." in shown
