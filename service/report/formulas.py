"""LaTeX of questions and responses as MathML, for browsers to draw. What cannot be drawn is shown as it is written.

The LaTeX is the policy's, so nothing but elements and attributes of a list gets through.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable
from xml.etree import ElementTree

# Formulas as models write them; a $ that is money has no partner in its line.
FORMULA = re.compile(
    r"\$\$(.+?)\$\$|\\\[(.+?)\\\]|\\\((.+?)\\\)|(?<![\\$])\$(?!\s)([^$\n]{1,300}?)(?<![\s\\])\$(?!\d)|(\\boxed\{[^{}\n]*\})",
    re.DOTALL,
)
LONGEST = 400
# Formulas of a page: more take seconds to make, and nobody reads them all.
MOST = 2_000
_MATHML = "{http://www.w3.org/1998/Math/MathML}"
_ELEMENTS = re.compile(
    r"math|mrow|mi|mn|mo|mtext|mspace|mfrac|msqrt|mroot|msub|msup|msubsup|munder|mover|munderover|mtable|mtr|mtd|mstyle"
    r"|mpadded|mphantom|menclose|mfenced|mmultiscripts"
)
_ATTRIBUTES = re.compile(
    r"display|mathvariant|stretchy|fence|separator|lspace|rspace|form|accent|linethickness|columnalign|notation|width"
    r"|height|depth|minsize|maxsize|displaystyle|scriptlevel"
)


def found(text: str) -> list[str]:
    """The LaTeX of the formulas in a text, in order."""
    return [next(part for part in match.groups() if part is not None).strip() for match in FORMULA.finditer(text)]


def rendered(texts: Iterable[str]) -> dict[str, str]:
    """MathML by LaTeX, for the first `MOST` different formulas; empty where latex2mathml is not installed."""
    try:
        convert = importlib.import_module("latex2mathml.converter").convert
    except ImportError:
        return {}
    made: dict[str, str | None] = {}
    for text in texts:
        for latex in found(text):
            if len(made) >= MOST:
                return {latex: mathml for latex, mathml in made.items() if mathml}
            if latex not in made and len(latex) <= LONGEST:
                made[latex] = _safe(convert, latex)
    return {latex: mathml for latex, mathml in made.items() if mathml}


def _safe(convert: object, latex: str) -> str | None:
    # The converter raises its own errors, and any other, for what it does not know.
    try:
        tree = ElementTree.fromstring(convert(latex))  # type: ignore[operator]
    except Exception:
        return None
    for element in tree.iter():
        if not _ELEMENTS.fullmatch(element.tag.removeprefix(_MATHML)):
            return None
        for name in [name for name in element.attrib if not _ATTRIBUTES.fullmatch(name)]:
            del element.attrib[name]
    ElementTree.register_namespace("", _MATHML.strip("{}"))
    return ElementTree.tostring(tree, encoding="unicode")
