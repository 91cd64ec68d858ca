"""The items of a sentence: names of elements, values with units, quantities, and the gaps between them."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from perception_reward.annotations.language.geometry.elements import Element, angle_between, element, role_kind, segment
from perception_reward.annotations.language.geometry.gaps import Gap, read_gap
from perception_reward.annotations.language.names import POINT
from perception_reward.annotations.language.numbers import CARDINALS, number_at
from perception_reward.annotations.language.units import UNIT
from perception_reward.annotations.language.values import Value, parse
from perception_reward.annotations.language.word_lists import words

# Items behind this many in one sentence are not read.
MAX_ITEMS = 160

_NUMBER = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+"
_LETTER = r"(?:[b-ln-zπθαβγφ](?![A-Za-z'])|[am](?=\s?[-+*/^=.,;:)°]|\s*$|\s(?:is|has|measures|equals)\b)(?!\.[a-z]))"
_ATOM = rf"(?:{_NUMBER}|sqrt|{_LETTER})"
_VALUE = (
    rf"(?:(?:(?<![A-Z0-9°)])(?<![A-Z0-9°)] )-|\()\s?){{0,3}}(?:{_NUMBER}|(?<![A-Za-z'])(?:sqrt|{_LETTER}))"
    rf"(?:\s?[-+*/^]\s?(?:[-(]\s?)*{_ATOM}|\s?(?:sqrt|π)|\s?\((?:[-(]|\s)*{_ATOM}|\s?\)|{_LETTER}|{_NUMBER}"
    r"|(?<=\d)\s[xyz](?![A-Za-z'])(?!\s\d))*"
)
_NOUN = re.compile(
    r"(?i:(?:shaded |central |inscribed )?(?:radius|radii|diameter|circumference|area|perimeter|hypotenuse|altitude"
    r"|height|width|region|sector|sides?|legs?|(?<!right )(?<!right-)(?<!° )(?<!degree )angles?|base))\b"
    r"(?!\s?(?:[∠A-Z]|labell?ed\s[A-Z]|at\s|between\s|by\s"
    r"|joining\s|\d{1,2}(?:,|\s?[=≅]|\s(?:and|is|equals|measures|has)\b)|[b-z](?![A-Za-z'])|a(?=\s?=|\s(?:is|has|measures)\b)))"
)
_FUNCTION = re.compile(
    r"(?:sin|cos|tan|sec|csc|cot|log|ln)(?![a-z])(?:\^-?\d|\^\(-?\d\))?\s?\(?\s?(?:m\s?)?∠?\s?(?:[A-Z]{1,3}|\d+°?|[a-z](?![a-z]))?"
)
_NOUN_STARTS = words("""
    shaded central inscribed radius radii diameter circumference area perimeter hypotenuse altitude height width
    region sector side sides leg legs angle angles base
""")
_FUNCTIONS = frozenset(["sin", "cos", "tan", "sec", "csc", "cot", "log", "ln"])
_NUMBER_WORDS = CARDINALS - {"zero", "one"}
# "Five." and "five cm" are values, "five sides" is none.
_ENDS_NUMBER = re.compile(r"\s?(?:[.,;)]|$|and\b|units?\b|cm\b|mm\b|degrees?\b|inches\b|feet\b|met(?:er|re)s?\b)")
_WORDS = _NOUN_STARTS | _FUNCTIONS | _NUMBER_WORDS
# A word is matched only to be stepped over, or to see whether a quantity or a function begins there.
_ITEM = re.compile(
    r"(?P<word>(?!sqrt)[a-z]{2,})"
    rf"|(?P<value>{_VALUE})"
    rf"|(?P<name>(?<![A-Za-z_\\])(?:{POINT}(?: {POINT}){{1,3}}|(?:{POINT}){{1,8}})(?![A-Za-z0-9_]))"
    r"|(?P<title>[A-Za-z]{2,})"
)
_UNIT = re.compile(UNIT)
_ROLE = re.compile(
    r"(?:(?<![A-Za-z])m\s?)?[∠△⊙]\s?$"
    r"|(?<![a-z])(?:(?:right|right-angled|isosceles|equilateral|scalene|obtuse|acute) triangles?|right angles?"
    r"|(?:(?:minor|major|inscribed|central|line|straight|obtuse|acute) )?(?:m |m)?"
    r"(?:(?<!right )(?<!right-)angles?(?: at(?: vertex| point| corner)?| labell?ed)?|segments?|sides?|lines?|rays?"
    r"|legs?|hypotenuse|base|chords?|radi(?:us|i)|diameters?"
    r"|diagonals?|tangents?|secants?|altitude|median|edges?|arcs?|triangles?"
    r"|circles?(?: cent(?:ered|red) (?:at|on)| with cent(?:er|re)(?: at)?)?"
    r"|quadrilateral|parallelogram|rhombus"
    r"|rectangle|square|trapezoid|trapezium|kite|diamond|polygon|pentagon|hexagon|points?|vertex|vertices"
    r"|cent(?:er|re)))(?: named| labell?ed)? ?\(?$",
    re.IGNORECASE,
)
# Capitals that are words or theorems, not names.
_NO_NAMES = frozenset(
    ["SAS", "ASA", "SSS", "AAS", "AA", "RHS", "CPCTC", "AND", "THE", "NOT", "QED", "LHS", "GIVEN", "STEP", "NOTE"]
) | {"TRUE", "FALSE", "YES", "ANSWER"}
_SHORT_WORDS = frozenset(
    ["IF", "IS", "IN", "OR", "NO", "OF", "TO", "SO", "BE", "WE", "ON", "IT", "AS", "AT", "BY", "AN"]
)
# "By HL", "the HL theorem"; else HL is a segment.
_THEOREM = re.compile(r"(?<=by )HL|HL(?= (?:theorem|congruence|postulate|criterion|rule|test)\b)", re.IGNORECASE)
_SHOUTED = re.compile(r" [A-Z]{3,}")
# "The ratio of AB to CD": what is strange about one is so about the other.
_CARRIES_ON = frozenset({"to", "and", ",", "with"})
# Across these gaps a bare name is of the kind of the name before: "angles ABC and DEF".
_PASSES_ROLE = frozenset({"list", "or", "congruent", "similar"})
_ARTICLE = re.compile(r" (?!(?:is|and|to|has|lies|or|does|sits|belongs|bisects|divides|are)\b)[a-z]{2,}")
_AFTER_POINT = re.compile(r"(?:at|vertex|point|angle|from|and|of|∠|through|circle) ?$", re.IGNORECASE)
Kind = Literal["element", "value", "opaque"]


@dataclass(frozen=True, slots=True)
class Item:
    """A name, value or quantity at [start, end) of a sentence; `opaque` is what has no plain reading.

    role: the word in front of a name ("right triangle", "diameter"), lowered.
    """

    kind: Kind
    start: int
    end: int
    element: Element | None = None
    value: Value | None = None
    unit: str = ""
    role: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence as items and gaps: gap i stands before item i, the last gap behind the last item."""

    text: str
    items: tuple[Item, ...]
    gaps: tuple[Gap, ...]


def read_items(text: str) -> Line:
    """Split a sentence in plain notation into items and gaps."""
    items: list[Item] = []
    gaps: list[Gap] = []
    position = 0
    strange = False
    for match in _ITEM.finditer(text):
        kind = match.lastgroup
        if kind == "word" and match.group() not in _WORDS:
            continue
        if match.start() < position or (kind == "title" and match.group().lower() not in _WORDS):
            continue
        item = _item(text, match)
        if item is None:
            continue
        gap_text, role = _split_role(text[position : item.start])
        gap = read_gap(gap_text)
        length = item.start - position - len(gap_text)
        if not role and items and gap.between in _PASSES_ROLE:
            role = items[-1].role
        item = _in_role(item, role, length)
        if gap.lead in ("midpoint", "bisector"):
            item = replace(item, role=f"{gap.lead} of")
        strange = (gap.lead == "strange" and not gap.between) or (strange and gap.hints <= _CARRIES_ON)
        items.append(replace(item, kind="opaque", element=None) if strange else item)
        gaps.append(gap)
        position = item.end
        if len(items) >= MAX_ITEMS:
            break
    gaps.append(read_gap(text[position:]))
    return _merged(text, items, gaps)


def _item(text: str, match: re.Match[str]) -> Item | None:
    kind, start, end = match.lastgroup, match.start(), match.end()
    if kind in ("word", "title"):
        return _worded(text, match.group().lower(), start)
    if kind == "name":
        return _name(text, match.group(), start, end)
    return _valued(text, match.group(), start)


def _worded(text: str, word: str, start: int) -> Item | None:
    """A quantity ("the radius") or a function ("sin A") that begins with this word, if one does."""
    if word in _NOUN_STARTS:
        noun = _NOUN.match(text, start)
        return Item("element", start, noun.end(), Element(_noun(noun.group()), "")) if noun else None
    if word in _NUMBER_WORDS:
        return _spelt(text, start)
    if word in _FUNCTIONS:
        function = _FUNCTION.match(text, start)
        return Item("opaque", start, function.end()) if function else None
    return None


def _spelt(text: str, start: int) -> Item | None:
    """A number in words ("five cm")."""
    number = number_at(text, start)
    if number is None or number.kind != "cardinal" or not _ENDS_NUMBER.match(text, number.end):
        return None
    unit = _UNIT.match(text, number.end)
    stop = unit.end() if unit and unit.group().strip() else number.end
    return Item("value", start, stop, value=parse(str(number.value)), unit=text[number.end : stop].strip())


def _noun(text: str) -> str:
    word = text.strip().lower()
    return {"radii": "radius", "sides": "side", "legs": "leg", "angles": "angle?", "angle": "angle?"}.get(word, word)


def _name(text: str, name: str, start: int, end: int) -> Item | None:
    if name in _NO_NAMES or (name in _SHORT_WORDS and _SHOUTED.match(text, end)):
        return None
    if name == "HL" and _THEOREM.match(text, start):
        return None
    if len(name) == 1 and text[start - 1 : start] == "(" and text[end : end + 1] == ")":
        return None
    if name in ("A", "I") and _ARTICLE.match(text, end) and not _AFTER_POINT.search(text, max(0, start - 8), start):
        return None
    return Item("element", start, end, element("", name))


def _valued(text: str, raw: str, start: int) -> Item:
    start, raw = _balanced(raw, start)
    end = start + len(raw)
    unit = _UNIT.match(text, end)
    value = parse(raw)
    if unit and unit.group().strip():
        return Item("value" if value else "opaque", start, unit.end(), value=value, unit=unit.group().strip(" -"))
    return Item("value" if value else "opaque", start, end, value=value)


def _balanced(raw: str, start: int) -> tuple[int, str]:
    """Cut the parentheses that have no partner."""
    open_at: list[int] = []
    stop = len(raw)
    for index, character in enumerate(raw):
        if character == "(":
            open_at.append(index)
        elif character == ")":
            if not open_at:
                stop = index
                break
            open_at.pop()
    raw = raw[:stop]
    if open_at and open_at[0] == 0:
        depth = len(open_at) if open_at == list(range(len(open_at))) else 1
        raw, start = raw[depth:], start + depth
    elif open_at:
        raw = raw[: open_at[0]]
    trimmed = raw.lstrip()
    return start + len(raw) - len(trimmed), trimmed.rstrip(" +-*/^")


@lru_cache(maxsize=8192)
def _role_at(tail: str) -> int:
    match = _ROLE.search(tail)
    return len(tail) - match.start() if match else 0


def _split_role(gap: str) -> tuple[str, str]:
    """Cut the word that says what the next name is off the end of a gap."""
    length = _role_at(gap[-40:])
    if not length:
        return gap, ""
    return gap[:-length], gap[-length:].strip(" (").lower()


def _in_role(item: Item, role: str, length: int) -> Item:
    """What an item is, knowing the word in front of it."""
    start = item.start - length
    if not role:
        return item
    if item.kind == "element" and item.element and item.element.kind in ("point", "segment", "three", "polygon"):
        named = element(_plain_role(role), item.element.name)
        return replace(item, element=named, start=start, role=role, kind="element" if named else "opaque")
    if item.kind == "value" and item.value and not item.unit:
        name = _single_letter(item.value)
        number = item.value.number
        angle = role_kind(_plain_role(role)) == "angle"
        if name and (angle or role.split()[-1] in ("side", "line", "leg", "segment", "sides", "lines")):
            return Item("element", start, item.end, Element("mark" if angle else "label", name), role=role)
        if angle and " at" not in role and number and number == int(number) and 0 < number < 100:
            return Item("element", start, item.end, Element("mark", str(int(number))), role=role)
    return item


_NAMES_IT = re.compile(
    r"(?: (?:at(?: vertex| point| corner)?|labell?ed|named|with cent(?:er|re)|cent(?:er|r)ed(?: on)?))+$"
)


def _plain_role(role: str) -> str:
    return _NAMES_IT.sub("", role).strip("( ")


def _single_letter(value: Value) -> str:
    if len(value.terms) == 1:
        ((powers, radicand), factor) = value.terms[0]
        if factor == 1 and radicand == 1 and len(powers) == 1 and powers[0][1] == 1 and powers[0][0] != "π":
            return powers[0][0]
    return ""


def _merged(text: str, items: list[Item], gaps: list[Gap]) -> Line:
    """Join what belongs together: sums, "radius of circle O", "angle between AB and BC"."""
    kept: list[Item] = []
    before: list[Gap] = []
    for item, gap in zip(items, gaps, strict=False):
        joined = (_ratio(text, kept[-1], item) or _join(kept[-1], gap, item, before[-1])) if kept else None
        if joined is None:
            kept.append(item)
            before.append(gap)
        else:
            kept[-1] = joined
    return Line(text, tuple(kept), (*before, gaps[-1]))


def _ratio(text: str, left: Item, right: Item) -> Item | None:
    """ "AB:CD = 2:1" gives neither AB nor CD a value."""
    if text[left.end : right.start] != ":" or left.kind != right.kind:
        return None
    return Item("opaque", left.start, right.end)


_QUANTITIES = frozenset(
    {"radius", "diameter", "circumference", "area", "perimeter", "central angle", "height", "width"}
)


def _join(left: Item, gap: Gap, right: Item, ahead: Gap) -> Item | None:
    """The one item that two neighbours make, or None."""
    if gap.between == "operator" and not (left.kind == "value" and right.kind == "value" and not gap.hints):
        if left.kind == "element" and right.kind == "value" and (not gap.hints or "(" in gap.hints):
            return None
        return Item("opaque", left.start, right.end)
    one, other = left.element, right.element
    if one is None or other is None:
        return None
    if gap.between == "of" and one.name == "" and one.kind in _QUANTITIES and other.kind not in _QUANTITIES:
        return replace(left, end=right.end, element=Element(one.kind, _owner(other)))
    owns = one.kind in _OWNERS or left.role.startswith("cent")
    if gap.between == "has" and other.name == "" and other.kind in _QUANTITIES and owns:
        return replace(left, end=right.end, element=Element(other.kind, _owner(one)), role="")
    if gap.between == "list" and "and" in gap.hints:
        named = _between(one, other, ahead)
        if named is not None:
            return Item("element", left.start, right.end, named)
    if gap.hints == frozenset({"to"}) and "from" in ahead.hints and one.kind == other.kind == "point" and one != other:
        named = segment(one.name, other.name)
        return Item(
            "element", left.start, right.end, Element("arc" if "arc" in ahead.hints else named.kind, named.name)
        )
    return None


_JOINING = frozenset({"joining", "connecting", "joins", "connects", "distance"})


def _between(one: Element, other: Element, ahead: Gap) -> Element | None:
    """ "The angle between AB and BC", "the side joining A and B"."""
    joined = ahead.hints & _JOINING or ahead.hints >= {"line", "through"}
    if one.kind == other.kind == "point" and joined and one != other:
        return segment(one.name, other.name)
    return angle_between(one, other) if "between" in ahead.hints else None


_OWNERS = frozenset({"circle", "triangle", "polygon", "region", "shaded region", "sector", "shaded sector", "square"})


def _owner(owner: Element) -> str:
    return owner.name or ("" if owner.kind in ("circle",) else owner.kind.removeprefix("shaded ") and owner.kind)
