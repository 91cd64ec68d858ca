from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.expressions import QuantityError, read
from perception_reward.annotations.language.quantities import read_quantity
from perception_reward.annotations.language.values import parse, same

numbers = st.integers(0, 999).map(str) | st.decimals(0, 99, places=2).map(str)
letters = st.sampled_from("xyzab")
terms = st.builds(str.__add__, numbers, letters) | numbers | letters | numbers.map("√{}".format)


@given(st.lists(st.tuples(st.sampled_from([" + ", " - "]), terms), min_size=1, max_size=5))
def test_a_label_means_the_same_in_a_sentence(parts: list[tuple[str, str]]) -> None:
    text = "".join(sign + term for sign, term in parts)[3:]
    one, other = parse(text), parse(str(read_quantity(text)))
    if one is None:
        assert other is None
    else:
        assert other is not None
        assert same(one, other)


@pytest.mark.parametrize("text", ["2x3", "xy", "2 3", "2*-3", "x^-1", "4^(1/2)"])
def test_a_sentence_may_say_what_a_label_never_does(text: str) -> None:
    read(text, strict=False)
    with pytest.raises(QuantityError):
        read(text)


@pytest.mark.parametrize("piece", ["(", "2^", "-", "sqrt(", "((1)/(", "x/", "\\frac{", "9,", "1 2/3"])
@pytest.mark.parametrize("strict", [True, False])
def test_hostile_text_is_refused_at_once(piece: str, strict: bool) -> None:
    began = time.process_time()
    for length in (20, 119, 65_000):
        try:
            read((piece * length)[:length], strict=strict)
        except QuantityError:
            continue
    assert time.process_time() - began < 2


@given(st.text(alphabet="0123456789.,xyAB+-*/^(){}√π² \\frac·", max_size=130), st.booleans())
def test_any_text_is_read_or_refused(text: str, strict: bool) -> None:
    try:
        read(text, strict=strict)
    except QuantityError:
        return
