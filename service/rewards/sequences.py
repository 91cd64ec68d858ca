r"""Lists, sets, tuples and intervals: `1, 2`, `\{1,2\}`, `(1, 2)`, `(1, 2]`, `\pm 3`."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

MOST_ITEMS = 20
MOST_DEPTH = 3

_conjunction = re.compile(r",?\s(?:and|or|\\text\s?\{\s?(?:and|or)\s?\})\s")
_braces = re.compile(r"\\[{}]|\\[lr]brace(?![A-Za-z])")


@dataclass(frozen=True, slots=True)
class Sequence:
    """brackets: `()`, `[]`, `{}`, `(]`, `[)`; empty for a bare list."""

    brackets: str
    items: tuple[str, ...]

    @property
    def ordered(self) -> bool:
        return self.brackets not in ("", "{}")


def read_sequence(text: str) -> Sequence | None:
    """The sequence that the whole text is, of 2 to `MOST_ITEMS` items, or None. `text` is in plain notation."""
    if text.count(r"\pm") == 1:
        return Sequence("", (text.replace(r"\pm", "+").strip("+ "), text.replace(r"\pm", "-")))
    brackets, body = _opened(_braces.sub(lambda match: "⦃" if match.group()[1] in "{l" else "⦄", text))
    items = _items(body if brackets else _conjunction.sub(", ", body))
    if items is None:
        return None
    return Sequence(brackets, tuple(item.replace("⦃", r"\{").replace("⦄", r"\}") for item in items))


def same_sequence(answer: Sequence, reference: Sequence, same: Callable[[str, str], bool]) -> bool:
    """Item by item: in order for tuples and intervals, in any order for sets and bare lists.

    A bare list stands for the set or the tuple that the reference is; otherwise the brackets must agree.
    """
    if len(answer.items) != len(reference.items):
        return False
    if answer.brackets != reference.brackets and not _stands_for(answer, reference):
        return False
    if answer.ordered or reference.ordered:
        return all(same(mine, theirs) for mine, theirs in zip(answer.items, reference.items, strict=True))
    left = list(answer.items)
    for theirs in reference.items:
        found = next((index for index, mine in enumerate(left) if same(mine, theirs)), None)
        if found is None:
            return False
        del left[found]
    return True


def _stands_for(answer: Sequence, reference: Sequence) -> bool:
    return {answer.brackets, reference.brackets} in ({"", "{}"}, {"", "()"})


def _opened(text: str) -> tuple[str, str]:
    """(brackets, what is inside), or ("", text) where the first bracket does not close at the very end."""
    kinds = {"(": "(", "[": "[", "{": "{", "⦃": "{"}
    ends = {")": ")", "]": "]", "}": "}", "⦄": "}"}
    if len(text) < 2 or text[0] not in kinds or text[-1] not in ends:
        return "", text
    depth = 0
    for position, char in enumerate(text):
        depth += (char in kinds) - (char in ends)
        if depth == 0 and position < len(text) - 1:
            return "", text
    brackets = kinds[text[0]] + ends[text[-1]]
    return (brackets, text[1:-1]) if brackets in ("()", "[]", "{}", "(]", "[)") else ("", text)


def _items(body: str) -> list[str] | None:
    items: list[str] = []
    depth = start = 0
    for position, char in enumerate(body):
        depth += (char in "([{⦃") - (char in ")]}⦄")
        if char in ",;" and depth == 0:
            items.append(body[start:position].strip())
            start = position + 1
        if depth > MOST_DEPTH or len(items) >= MOST_ITEMS:
            return None
    items.append(body[start:].strip())
    return items if len(items) > 1 and all(items) else None
