r"""Multiple choice: which option an answer names, by its letter or by its text."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

Same = Callable[[str, str], bool]

_lead = re.compile(
    r"(?:so |thus |therefore |hence )?,?\s?(?:the )?(?:final |correct |right |best )?"
    r"(?:answer|option|choice)(?: is)?\s?:?\s?(?:option |choice )?",
    re.IGNORECASE,
)
_letter = re.compile(
    r"(?:\(\s?(?P<a>[A-Za-z])\s?\)|\[\s?(?P<b>[A-Za-z])\s?\]|(?P<c>[A-Za-z])\s?[.:)]|(?P<d>[A-Za-z])(?=$)"
    r"|(?P<e>[A-Z])(?=\s\(|,\s))"
    r"(?P<tail>.*)",
    re.DOTALL,
)
_wrapped = re.compile(r"\\(?:text|mathrm|mathbf|rm)\s?\{([^{}]*)\}")
_another = re.compile(
    r"\(\s?([A-Z])\s?\)|(?<![A-Za-z\\(])([A-Z])(?=[.:)](?:\s|$))|(?:\bor|\band|[,/&|;])\s?\(?([A-Z])\)?(?![A-Za-z0-9\\^_])"
)


def named_letter(text: str) -> tuple[str, str] | None:
    r"""(the letter in upper case, what stands behind it), or None where the text names none, or several.

    `A`, `(A)`, `A. 5 cm`, `A (5 cm)`, `Option A`, `the answer is (B)`, `\text{(C)}`. `text` is in plain notation.
    """
    text = _wrapped.sub(r"\1", text).strip()
    lead = _lead.match(text)
    match = _letter.fullmatch(text[lead.end() :] if lead is not None else text)
    if match is None:
        return None
    letter = (match["a"] or match["b"] or match["c"] or match["d"] or match["e"]).upper()
    tail: str = match["tail"].strip()
    others = {found.upper() for groups in _another.findall(tail) for found in groups if found}
    tail = tail.lstrip(", ")
    tail = tail[1:-1] if tail.startswith("(") and tail.endswith(")") and len(tail) > 3 else tail
    return None if others - {letter} else (letter, tail)


def chosen(text: str, choices: Sequence[str], same: Same) -> int | None:
    """The index of the option that the text names, or None: none, or a letter with another option's text.

    An option's own text comes before its place: where the options are `C`, `A`, `B`, "A" is the second.
    """
    if text in choices:
        return choices.index(text)
    named = named_letter(text)
    if named is None:
        return next((index for index, choice in enumerate(choices) if same(text, choice)), None)
    letter, tail = named
    index = ord(letter) - ord("A")
    if index >= len(choices):
        return None
    if not tail or tail == choices[index] or same(tail, choices[index]):
        return index
    return None if any(same(tail, choice) for choice in choices) else index
