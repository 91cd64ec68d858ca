r"""Texts that are made of others: `1, 2`, `\{1,2\}`, `(1, 2]`, `-1 and 3`, matrices, cases.

Everything here splits text at depth 0, outside brackets, and reads no further; what the parts mean is for others to
say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")

MOST_ITEMS = 20
MOST_DEPTH = 6
MOST_CELLS = 100


@dataclass(frozen=True, slots=True)
class Sequence:
    """brackets: `()`, `[]`, `{}`, `(]`, `[)`, `<>`; none for a bare list. word: `and` or `or`, if one joins them."""

    brackets: str
    items: tuple[str, ...]
    word: str = ""

    @property
    def ordered(self) -> bool:
        return self.brackets not in ("", "{}")


@dataclass(frozen=True, slots=True)
class Matrix:
    """kind: `matrix`, or `determinant` for one between bars, or `cases`."""

    kind: str
    rows: tuple[tuple[str, ...], ...]

    @property
    def vector(self) -> tuple[str, ...] | None:
        """Its entries, where it has one row or one column."""
        if self.kind != "matrix" or (len(self.rows) > 1 and len(self.rows[0]) > 1):
            return None
        return self.rows[0] if len(self.rows) == 1 else tuple(row[0] for row in self.rows)


_BRACES = str.maketrans({"⦃": r"\{", "⦄": r"\}", "⟪": r"\langle ", "⟫": r"\rangle "})
_brace = re.compile(r"\\\{|\\\}|\\langle(?![A-Za-z])\s?|\\rangle(?![A-Za-z])\s?")
_MARKS = {r"\{": "⦃", r"\}": "⦄", r"\langle": "⟪", r"\rangle": "⟫"}
_OPENING = {"(": "(", "[": "[", "{": "{", "⦃": "{", "⟪": "<"}
_CLOSING = {")": ")", "]": "]", "}": "}", "⦄": "}", "⟫": ">"}
_KINDS = ("()", "[]", "{}", "(]", "[)", "<>")

_word = re.compile(
    r",?\s(and|or)\s|,?\s\\?(and|or)\s|,?\s?\\(land|lor)(?![A-Za-z])\s?|,?\s?(?:以及|([和与且或及]))\s?|\s(&)\s"
)
_WORDS = {"and": "and", "land": "and", "&": "and", "or": "or", "lor": "or", "或": "or"} | dict.fromkeys(
    "和与且及", "and"
)
_joint = re.compile(r"[,;&和与且或及]|\b(?:and|or)\b|\\l(?:and|or)")
_environment = re.compile(
    r"\\begin\s?\{(?P<name>[pbvVB]?matrix|smallmatrix|array|cases|dcases|rcases)\*?\}"
    r"(?:\s?\{[^{}]{0,20}\})?(?P<body>.*)\\end\s?\{(?P=name)\*?\}",
    re.DOTALL,
)
_bracket = re.compile(r"[([{⦃\\]")
_block = re.compile(r"\\begin\s?\{.*\\end\s?\{[^{}]*\}", re.DOTALL)
_condition = re.compile(r"^(?:\\text\s?\{\s?)?(?:if|for|when|where|,)?\s?\}?\s*", re.IGNORECASE)


_group = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_grouped = re.compile(r"[+-]?\d{1,3}(?:,\d{3}){1,6}(?:\.\d{1,9})?")


def read_sequence(text: str) -> Sequence | None:
    """The sequence that the whole text is, of 2 to `MOST_ITEMS` items, or None. `text` is in plain notation."""
    if _joint.search(text) is None:
        return None
    brackets, body = _opened(_marked(text))
    parts, word = _split(body) if not brackets else (_commas(body, bare=False), "")
    if parts is None or len(parts) < 2 or not all(parts):
        return None
    return Sequence(brackets, tuple(part.translate(_BRACES) for part in parts), word)


def inside(text: str) -> tuple[str, str]:
    """(brackets, what they hold) where one pair of them encloses the whole text, else ("", text)."""
    brackets, body = _opened(_marked(text))
    return brackets, body.translate(_BRACES).strip()


def same_items(answer: Sequence, reference: Sequence, same: Callable[[str, str], bool]) -> bool:
    """Item by item: in order for tuples and intervals, in any order for sets and bare lists.

    A bare list stands for the set or the tuple that the reference is; otherwise the brackets must agree.
    """
    if len(answer.items) != len(reference.items):
        return False
    if answer.brackets != reference.brackets and not _stands_for(answer, reference):
        return False
    if answer.ordered or reference.ordered:
        return all(same(mine, theirs) for mine, theirs in zip(answer.items, reference.items, strict=True))
    return same_unordered(answer.items, reference.items, same)


def same_unordered(answer: Iterable[T], reference: Iterable[T], same: Callable[[T, T], bool]) -> bool:
    """Each item of the reference has one of the answer's for itself."""
    left = list(answer)
    for theirs in reference:
        found = next((index for index, mine in enumerate(left) if same(mine, theirs)), None)
        if found is None:
            return False
        del left[found]
    return not left


def read_matrix(text: str) -> Matrix | None:
    r"""`\begin{pmatrix}1&2\\3&4\end{pmatrix}`, `[[1,2],[3,4]]`, or cases; None for what is none or has ragged rows."""
    brackets, body = inside(text)
    match = _environment.fullmatch(text.strip()) or (_environment.fullmatch(body) if brackets in ("()", "[]") else None)
    if match is None:
        return _nested(text)
    name = match["name"]
    rows = [
        tuple(cell.strip() for cell in row.split("&")) for row in match["body"].split(r"\\") if row.strip().strip("&")
    ]
    if not rows or sum(map(len, rows)) > MOST_CELLS or "\\begin" in match["body"]:
        return None
    if name.endswith("cases"):
        return Matrix("cases", tuple(tuple(_condition.sub("", cell).rstrip(",. ") for cell in row) for row in rows))
    if len({len(row) for row in rows}) > 1:
        return None
    return Matrix("determinant" if name in ("vmatrix", "Vmatrix") else "matrix", tuple(rows))


def _nested(text: str) -> Matrix | None:
    outer = read_sequence(text)
    if outer is None or outer.brackets != "[]":
        return None
    rows = [read_sequence(item) for item in outer.items]
    if any(row is None or row.brackets != "[]" for row in rows):
        return None
    found = tuple(row.items for row in rows if row is not None)
    return Matrix("matrix", found) if len({len(row) for row in found}) == 1 else None


def split_top(text: str, separators: re.Pattern[str]) -> Iterator[tuple[str, str]]:
    """(the separator before it, part) of the text parted at depth 0; the first has "" before it."""
    start, before = 0, ""
    masked = _masked(text)
    for match in separators.finditer(masked):
        yield before, text[start : match.start()].strip()
        start, before = match.end(), match.group().strip()
    yield before, text[start:].strip()


def _masked(text: str) -> str:
    """The text with what brackets hold blotted out, so that patterns see depth 0 alone. As long as the text."""
    if _bracket.search(text) is None:
        return text
    marked = text.replace(r"\{", "⦃ ").replace(r"\}", "⦄ ")
    if "\\begin" in marked:
        marked = _block.sub(lambda match: "\x00" * len(match.group()), marked)
    depth = 0
    found: list[str] = []
    for char in marked:
        closes = char in ")]}⦄"
        depth -= closes and depth > 0
        found.append("\x00" if depth else char)
        depth += char in "([{⦃"
    return "".join(found)


def _marked(text: str) -> str:
    return _brace.sub(lambda match: _MARKS[match.group().strip()], text) if "\\" in text else text


def _opened(text: str) -> tuple[str, str]:
    """(brackets, what is inside), or ("", text) where the first bracket does not close at the very end."""
    text = text.strip()
    if len(text) < 2 or text[0] not in _OPENING or text[-1] not in _CLOSING:
        return "", text
    depth = 0
    for position, char in enumerate(text):
        depth += (char in _OPENING) - (char in _CLOSING)
        if depth == 0 and position < len(text) - 1:
            return "", text
    brackets = _OPENING[text[0]] + _CLOSING[text[-1]]
    return (brackets, text[1:-1]) if brackets in _KINDS else ("", text)


def _split(body: str) -> tuple[list[str] | None, str]:
    """The items of a bare list, and the word that joins them."""
    masked = _masked(body)
    words = {_WORDS.get(next(filter(None, match.groups()), "和"), "and") for match in _word.finditer(masked)}
    parts = [part for _, part in split_top(body, _word)]
    items: list[str] = []
    for part in parts:
        found = _commas(part)
        if found is None or len(items) > MOST_ITEMS:
            return None, ""
        items += found
    return items, next(iter(words)) if len(words) == 1 else ""


def _commas(body: str, *, bare: bool = True) -> list[str] | None:
    # `1,728, 1,331`: where a space follows the commas that part items, the others group digits.
    if (bare and _grouped.fullmatch(body.strip())) or ", " in body:
        body = _group.sub("", body)
    items: list[str] = []
    depth = start = 0
    for position, char in enumerate(body):
        depth += (char in "([{⦃⟪") - (char in ")]}⦄⟫")
        if char in ",;" and depth <= 0:
            items.append(body[start:position].strip())
            start = position + 1
        if depth > MOST_DEPTH or len(items) >= MOST_ITEMS:
            return None
    items.append(body[start:].strip())
    return items


def _stands_for(answer: Sequence, reference: Sequence) -> bool:
    kinds = {answer.brackets, reference.brackets}
    return kinds in ({"", "{}"}, {"", "()"}, {"()", "<>"}, {"", "<>"})
