"""The repetition penalty is the public code's on ordinary text, and reaches text without spaces too."""

from __future__ import annotations

import random
import time
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.service.rewards.repetition import LOOKED_AT_CHARACTERS, count_ngrams, repetition_penalty


def words(count: int) -> str:
    return " ".join(f"w{number}" for number in range(count))


@pytest.mark.parametrize(
    ("response", "penalty"),
    [
        ("", 0.0),
        (" \n\t ", 0.0),
        (words(19), 0.0),
        (words(20), 0.0),
        (words(500), 0.0),
        ("Wait, " * 19, 0.0),
        ("Wait, " * 20, 0.0),
        ("Wait, " * 21, -1.0),
        ("Wait, " * 22, -2.0 * 2 / 3),
        (f"{words(30)} {words(30)}", -2.0 * 11 / 41),
        (f"{words(30)} {words(30).upper()}", -2.0 * 11 / 41),
        (f"{words(30)}\n\n\t{words(30)}", -2.0 * 11 / 41),
    ],
)
def test_repeated_ngrams_are_punished_by_their_share(response: str, penalty: float) -> None:
    assert repetition_penalty(response) == pytest.approx(penalty, abs=1e-12)


def test_no_penalty_is_plain_zero() -> None:
    assert str(repetition_penalty(words(20))) == "0.0"


@pytest.mark.parametrize(
    "phrase",
    [
        "如图所示，三角形的两个角分别为五十度。",
        "三角形の角は五十度です。だから答えは五です。",
        "เพราะว่ามุมเอเท่ากับห้าสิบองศา",
        "ដូច្នេះមុំនេះស្មើនឹងហាសិបដឺក្រេ",
        "所以AB=5，而且CD=7，因此",
        "0.3333333",
        "((((",
        "WaitWait",
    ],
)
def test_text_without_spaces_is_punished_when_it_repeats(phrase: str) -> None:
    assert repetition_penalty(phrase * 60) < -1.5


@pytest.mark.parametrize(
    "text",
    [
        "如图所示，三角形ABC中角A为五十度，角B为六十度，求角C的大小。",
        "x" * 150,
        "\\frac{\\sqrt{81-22x+3x^2}}{2}-2x=\\frac{\\sqrt{32}}{2}-\\frac{64}{5}=\\frac{8}{5}\\sqrt{2}",
    ],
)
def test_text_without_spaces_is_free_when_it_does_not_repeat(text: str) -> None:
    assert repetition_penalty(text) == 0.0


def test_invisible_characters_do_not_hide_a_repetition() -> None:
    copies = " ".join(words(30).replace("w7", "w" + "\u200b" * number + "7") for number in range(1, 9))
    assert repetition_penalty(copies) == repetition_penalty(" ".join([words(30)] * 8)) < -1.5


def test_a_size_below_one_or_a_reward_is_refused() -> None:
    with pytest.raises(ValueError, match="size must be at least 1"):
        repetition_penalty("a b c", size=0)
    with pytest.raises(ValueError, match="maximum at most 0"):
        repetition_penalty("a b c", maximum=0.5)


def counted_simply(text: list[str], size: int) -> tuple[int, int]:
    ngrams = [tuple(text[start : start + size]) for start in range(len(text) - size + 1)]
    return len(set(ngrams)), len(ngrams)


@given(
    st.lists(st.sampled_from(["a", "b", "ab", "a\x00b", "é", "\ud800", "b" * 300]), min_size=1, max_size=60),
    st.integers(1, 25),
)
def test_counting_by_hash_is_exact(text: list[str], size: int) -> None:
    assert count_ngrams(text, size) == (counted_simply(text, size) if len(text) >= size else (0, 0))


def test_counting_is_exact_where_the_hash_is_known_to_collide() -> None:
    # Thue-Morse words of 2048 letters collide under every polynomial hash modulo 2**64.
    straight = [bin(number).count("1") % 2 for number in range(2048)]
    pair = ["".join("ab"[bit] for bit in straight), "".join("ba"[bit] for bit in straight)]
    assert count_ngrams(pair, 1) == (2, 2)


def test_counting_is_exact_on_texts_longer_than_the_kept_powers() -> None:
    generator = random.Random(7)
    text = [str(generator.randrange(3)) * 40 for _ in range(2500)]
    assert count_ngrams(text, 4) == counted_simply(text, 4)


@given(st.text(max_size=400), st.integers(1, 8), st.floats(-10, 0))
def test_the_penalty_is_between_the_maximum_and_zero(response: str, size: int, maximum: float) -> None:
    assert maximum <= repetition_penalty(response, size=size, maximum=maximum) <= 0.0


@given(st.text("ab \n", max_size=200), st.integers(1, 6))
def test_white_space_and_case_make_no_difference(response: str, size: int) -> None:
    spaced = f"\t{response.upper().replace(' ', '  ')}\r\n"
    assert repetition_penalty(spaced, size=size) == repetition_penalty(response, size=size)


def test_of_a_long_text_the_beginning_counts() -> None:
    beginning = words(LOOKED_AT_CHARACTERS // 4)[:LOOKED_AT_CHARACTERS]
    assert repetition_penalty(beginning + " again" * 1000) == 0.0
    assert repetition_penalty(beginning[:-6000] + " again" * 1000) < 0.0


@pytest.mark.parametrize(
    "filling", ["a ", "(", "ab ", "0123456789 ", "😀 ", "如图", "𠀀", "İ", "\ud800", "\u200b", "the quick brown fox "]
)
def test_a_megabyte_of_anything_is_quick_and_bounded_in_memory(filling: str) -> None:
    response = filling * (1_000_000 // len(filling.encode("utf-8", "surrogatepass")))
    started = time.thread_time()
    assert repetition_penalty(response) <= 0.0
    assert time.thread_time() - started < 0.2  # under 50 ms on an idle machine
    tracemalloc.start()
    repetition_penalty(response[:100_000])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 2**20
