from __future__ import annotations

import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from perception_reward.annotations.language.stems import stem


@pytest.mark.parametrize(
    ("forms", "shared"),
    [
        (("measure", "measures", "measured", "measuring"), "measur"),
        (("side", "sides", "sided"), "side"),
        (("city", "cities"), "citi"),
        (("equal", "equally", "equals"), "equal"),
        (("is", "as", "red", "the"), None),
    ],
)
def test_forms_of_a_word_have_one_stem_and_short_words_stay(forms: tuple[str, ...], shared: str | None) -> None:
    assert [stem(form) for form in forms] == [shared or form for form in forms]


def test_what_is_no_word_stays() -> None:
    assert stem("ing" * 20_000) == "ing" * 20_000
    assert stem("") == ""


@pytest.fixture
def impatient() -> Iterator[None]:
    """Threads that take turns as often as they can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


def test_threads_do_not_mix_their_words_up(impatient: None) -> None:
    words = [f"{first}{second}{end}" for first in "bcdfglm" for second in "aeio" for end in ("nnings", "lly", "cities")]

    def stems() -> list[str]:
        return [stem.__wrapped__(word) for word in words]

    alone = stems()
    with ThreadPoolExecutor(8) as threads:
        found = [threads.submit(stems) for _ in range(32)]
    assert all(one.result() == alone for one in found)
