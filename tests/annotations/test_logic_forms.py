from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perception_reward.annotations.logic_forms import LogicFormError, Term, read_logic_form

LINE = Term("Line", ("A", "B"))


@pytest.mark.parametrize(
    ("text", "term"),
    [
        ("Line(A, B)", LINE),
        (" Line( A ,B ) ", LINE),
        ("LengthOf(Line(A,B))", Term("LengthOf", (LINE,))),
        ("Equals(LengthOf(Line(A, B)), 2(x+1))", Term("Equals", (Term("LengthOf", (LINE,)), "2(x+1)"))),
        ("Equals(x, (7x+3))", Term("Equals", ("x", "(7x+3)"))),
        ("MeasureOf(angle 1)", Term("MeasureOf", ("angle 1",))),
        ("Cirle(O)", Term("Circle", ("O",))),
        ("Equals(x, \\frac{3}{5})", Term("Equals", ("x", "\\frac{3}{5}"))),
        ("Equals(x, 2x-3))", Term("Equals", ("x", "2x-3"))),
    ],
)
def test_forms_are_read_as_terms(text: str, term: Term) -> None:
    assert read_logic_form(text) == term


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "is empty"),
        ("  ", "is empty"),
        ("x", "no name with arguments"),
        ("Line(A, B", "ends before"),
        ("Line(A, )", "empty argument"),
        ("Line()", "empty argument"),
        ("PointLiesOnLine(Y, Line(Z, I)) K))", "goes on with 'K))'"),
        ("Equals(Line(A, B) C)", "where a comma"),
        ("F(" * 20 + "x" + ")" * 20, "nested deeper"),
        ("F(" + "x" * 2000 + ")", "longer than"),
    ],
)
def test_junk_is_refused_with_a_reason(text: str, complaint: str) -> None:
    with pytest.raises(LogicFormError) as caught:
        read_logic_form(text)
    assert complaint in str(caught.value)


atoms = st.text(alphabet="ABCxyz0159 '+-", min_size=1, max_size=6).map(str.strip).filter(bool)
forms = st.recursive(
    atoms,
    lambda inner: st.builds(
        Term,
        st.sampled_from(["Line", "Equals", "LengthOf"]),
        st.lists(inner, min_size=1, max_size=4).map(tuple),
    ),
    max_leaves=12,
).filter(lambda form: isinstance(form, Term) and str(form).count("(") <= 8)


@given(forms)
def test_what_is_written_reads_back(form: Term) -> None:
    assert read_logic_form(str(form)) == form


@given(st.text(max_size=200) | st.text(alphabet="(),AB ", max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    with contextlib.suppress(LogicFormError):
        assert isinstance(read_logic_form(text), Term)
