"""LaTeX to MathML: what is found, and what a hostile one becomes."""

from __future__ import annotations

import pytest

from perception_reward.service.report.formulas import found, rendered


def test_formulas_are_found_in_every_way_that_models_write_them():
    text = r"So $x = 1$ and \(y\), \[z^2\] and $$w$$; \boxed{5}. It costs $5 and then $6."
    assert found(text) == ["x = 1", "y", "z^2", "w", r"\boxed{5}"]


def test_a_formula_becomes_mathml():
    pytest.importorskip("latex2mathml")
    made = rendered([r"$\frac{a}{b}$"])
    assert made[r"\frac{a}{b}"].startswith('<math xmlns="http://www.w3.org/1998/Math/MathML"')
    assert "<mfrac>" in made[r"\frac{a}{b}"]


@pytest.mark.parametrize(
    "latex", [r"\text{<script>alert(1)</script>}", r"\href{javascript:alert(1)}{x}", r"\frac{", "{" * 90]
)
def test_nothing_but_mathml_gets_through(latex: str):
    for made in rendered([f"${latex}$"]).values():
        assert "script" not in made
        assert "href" not in made
