"""A response is read as sentences that know where they come from and what is merely supposed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.sentences import MAX_SENTENCE, MAX_SENTENCES, read, sentence_ranges


def test_sentences_bullets_and_rows_are_told_apart() -> None:
    document = read("AB is 5.5 cm. BC is 7.\n- CD = 8\n| AB | 5 |")
    assert [sentence.text for sentence in document.sentences] == ["AB is 5.5 cm.", "BC is 7.", "- CD = 8", "| AB | 5 |"]
    assert [sentence.form for sentence in document.sentences] == ["prose", "prose", "bullet", "row"]


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Each side is a straight line.The width is 24.", 2),
        ("Use e.g.Figure 3.", 1),
        ("It is 3.5 cm long, see A.B", 1),
    ],
)
def test_a_full_stop_between_two_words_ends_a_sentence(text: str, sentences: int) -> None:
    assert len(read(text).sentences) == sentences


def test_a_sentence_leads_back_to_the_response() -> None:
    response = r"Look. $\overline{BC} = 7$"
    sentence = read(response).sentences[1]
    assert sentence.text == "BC = 7"
    start, end = sentence.source(0, 6)
    assert response[start:end] == r"\overline{BC} = 7"[len(r"\overline{") :]


def test_cells_of_a_row_have_their_places() -> None:
    row = read("| AB | 5 cm |").sentences[0]
    assert row.cells() == [("AB", 2), ("5 cm", 7)]


@pytest.mark.parametrize("numbered", ["(i) AC = 7", "2) AC = 7", "(3) AC = 7", " (iv)  AC = 7"])
def test_a_number_in_brackets_is_no_part_of_its_sentence(numbered: str) -> None:
    sentence = read(numbered).sentences[0]
    assert sentence.text == "AC = 7"
    assert sentence.source(0, 6) == (len(numbered) - 6, len(numbered))


def test_a_dash_before_a_list_entry_is_no_minus() -> None:
    assert [sentence.text for sentence in read("- 11 = JK\n-11 = x\n- JK = 11").sentences] == [
        "11 = JK",
        "-11 = x",
        "- JK = 11",
    ]


def test_a_number_in_brackets_alone_stays_a_sentence() -> None:
    assert [sentence.text for sentence in read("(1) ").sentences] == ["(1) "]


def test_what_is_to_be_checked_is_asked() -> None:
    stances = [sentence.stance for sentence in read("Facts to check:\n1. AB = 5.\nAC = 7.").sentences]
    assert stances == ["question", "question", "question", "asserted"]


def test_listed_choices_are_options() -> None:
    stances = [sentence.stance for sentence in read("(A) AB = 5\n(B) AB = 7\n(C) AB = 9\nAB = 7").sentences]
    assert stances == ["option", "option", "option", "asserted"]


@given(st.text(max_size=300))
def test_reading_never_raises_and_covers_only_the_response(text: str) -> None:
    for sentence in read(text).sentences:
        start, end = sentence.source(0, len(sentence.text))
        assert 0 <= start < end <= len(text)


@pytest.mark.parametrize("text", ["x" * 50_000, ". " * 50_000, "\n" * 50_000, "? " * 50_000])
def test_the_caps_hold(text: str) -> None:
    sentences = read(text).sentences
    assert len(sentences) <= MAX_SENTENCES
    assert all(len(sentence.text) <= MAX_SENTENCE for sentence in sentences)


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("One. Two! Three?", ["One.", "Two!", "Three?"]),
        ("He said (so.) Then: no.", ["He said (so.", "Then: no."]),
        ("It is approx. 5 cm. Fig. 2 shows it.", ["It is approx. 5 cm.", "Fig. 2 shows it."]),
        ("It's... a dog. Well... Yes.", ["It's... a dog.", "Well...", "Yes."]),
        ("桌上有猫。它是黑的！", ["桌上有猫。", "它是黑的！"]),
        ("A. first\nB. second", ["A. first", "B. second"]),
        ("x = 3.5;  y = 4", ["x = 3.5;", "y = 4"]),
        (" \n\n ", []),
    ],
)
def test_any_text_falls_into_sentences(text: str, sentences: list[str]) -> None:
    assert [text[start:end].strip() for start, end in sentence_ranges(text)] == sentences


@given(st.text(alphabet="ab A.!?\n。 ", max_size=200), st.integers(1, 40))
def test_sentences_are_in_order_and_none_is_longer_than_asked(text: str, most: int) -> None:
    end = 0
    for start, stop in sentence_ranges(text, most):
        assert end <= start < stop <= start + most
        end = stop
