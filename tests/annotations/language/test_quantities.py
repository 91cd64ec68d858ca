from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.language.formulas import DEEPEST
from perception_reward.annotations.language.quantities import QuantityError, read_quantity
from perception_reward.annotations.language.values import parse, same


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("5", "5"),
        ("0.50", "0.50"),
        (".5", "0.5"),
        ("-3z-5", "-3z - 5"),
        ("4y-10", "4y - 10"),
        ("178 - 3x", "178 - 3x"),
        ("4*y", "4y"),
        ("2*3", "2·3"),
        ("x^2+2x", "x² + 2x"),
        ("y^{2}", "y²"),
        ("2*x**2-10°", "2x² - 10"),
        ("71^\\circ", "71"),
        ("71^{\\circ}", "71"),
        ("3\\sqrt{2}", "3√2"),
        ("5*sqrt(26)", "5√26"),
        ("\\sqrt{x+1}", "√(x + 1)"),
        ("√3", "√3"),
        ("\\frac{3}{5}", "3/5"),
        ("\\frac{1}{2}x+7", "(1/2)x + 7"),
        ("2/3*x", "(2/3)x"),
        ("5\\frac{3}{4}", "5 3/4"),
        ("3+\\frac{3}{5}", "3 + 3/5"),
        ("2y-11/5", "2y - 11/5"),
        ("a/2", "a/2"),
        ("(7x+3)", "7x + 3"),
        ("2(x+1)", "2(x + 1)"),
        ("14*pi", "14π"),
        ("5*sqrt(3)/3", "5√3/3"),
        ("-1/2*x", "-(1/2)x"),
        ("3-(x+2)", "3 - (x + 2)"),
        ("1,234", "1234"),
        ("x−5", "x - 5"),
    ],
)
def test_quantities_are_written_as_plain_text(written: str, plain: str) -> None:
    assert str(read_quantity(written)) == plain


@pytest.mark.parametrize(
    "junk",
    [
        *("", " ", "0n8", "5mny44", "p-nta5", "66--y", "a=32in", "(son 8-4)", "3,5", "2 3", "+", "9" * 121),
        *("x^99", "x^y", "(x", "x)", "sqrt", "\\frac{1}", "\\frac{}{2}", "∠", "😀"),
        *("2x3", "xy", "x^2y", "2*-3", "x^-1", "4^(1/2)", "|x|", "5!", "50%", "sin(3)", "has length 5"),
    ],
)
def test_misread_labels_are_refused(junk: str) -> None:
    with pytest.raises(QuantityError):
        read_quantity(junk)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("3+x", "x + 3"),
        ("13/2", "6.5"),
        ("\\frac{1}{2}x-7", "1/2*x-7"),
        ("3\\sqrt{2}", "3*sqrt(2)"),
        ("x^2+2x", "2*x+x**2"),
        ("5.0", "5"),
        ("√8", "2√2"),
        ("(x+1)^2", "x^2+2x+1"),
    ],
)
def test_equal_quantities_share_a_key(one: str, other: str) -> None:
    assert read_quantity(one).key == read_quantity(other).key


@pytest.mark.parametrize(
    ("one", "other"), [("x", "y"), ("2x", "x+2"), ("5", "5.1"), ("x-y", "y-x"), ("1.0000000001", "1")]
)
def test_different_quantities_have_different_keys(one: str, other: str) -> None:
    assert read_quantity(one).key != read_quantity(other).key


def test_a_quantity_without_a_value_still_has_a_key() -> None:
    assert read_quantity("1/0").key == ("1/0",)
    assert read_quantity("sqrt(1-9)").key == read_quantity("sqrt(1 - 9)").key


def test_numbers_are_told_from_expressions() -> None:
    assert read_quantity("3√2").is_number
    assert read_quantity("14π").is_number
    assert not read_quantity("x").is_number


def test_nesting_is_bounded() -> None:
    with pytest.raises(QuantityError, match="neither"):
        read_quantity("(" * (DEEPEST + 2) + "x" + ")" * (DEEPEST + 2))


@given(st.text(max_size=130))
def test_any_text_is_a_quantity_or_refused(text: str) -> None:
    try:
        quantity = read_quantity(text)
    except QuantityError:
        return
    assert quantity.key == read_quantity(str(quantity)).key


@given(st.lists(st.tuples(st.sampled_from([" + ", " - "]), st.sampled_from(["7", "0.5", "3x", "b", "√9"])), min_size=1))
def test_a_label_means_the_same_in_a_sentence(parts: list[tuple[str, str]]) -> None:
    text = "".join(sign + term for sign, term in parts[:5])[3:]
    one, other = parse(text), parse(str(read_quantity(text)))
    assert one is not None
    assert other is not None
    assert same(one, other)


terms = st.sampled_from(["5", "0.5", "x", "3y", "√2", "3√2", "(1/2)x", "x²", "2x²"])
signs = st.sampled_from([" + ", " - "])


@given(st.lists(st.tuples(signs, terms), min_size=1, max_size=5))
def test_what_is_written_reads_back_to_the_same_text(parts: list[tuple[str, str]]) -> None:
    text = "".join(sign + term for sign, term in parts)[3:].replace("²", "^2")
    written = str(read_quantity(text))
    assert written == text.replace("^2", "²")


@given(st.permutations(["3", "2x", "y", "√5"]))
def test_the_order_of_terms_does_not_matter_to_the_key(order: list[str]) -> None:
    assert read_quantity("+".join(order)).key == read_quantity("3+2x+y+√5").key


@pytest.mark.parametrize(
    ("text", "values", "number"),
    [("4y-10", {"y": "7"}, "18"), ("2x+y", {"x": "1/2", "y": "-3"}, "-2"), ("\\sqrt{x}", {"x": "2"}, "1.41421")],
)
def test_letters_can_be_given_values(text: str, values: dict[str, str], number: str) -> None:
    filled = read_quantity(text).at({letter: read_quantity(value) for letter, value in values.items()})
    assert filled is not None
    assert str(filled) == number


@pytest.mark.parametrize(("text", "values"), [("2x+y", {"x": "1"}), ("1/(y-7)", {"y": "7"}), ("x^9", {"x": "9999"})])
def test_a_letter_without_a_value_or_a_value_that_is_none_leaves_no_number(text: str, values: dict[str, str]) -> None:
    assert read_quantity(text).at({letter: read_quantity(value) for letter, value in values.items()}) is None
