"""What the words between two names or values say: a link, a list, a relation, or nothing that is understood.

A sentence alternates between items (names, values) and gaps (everything else). Gaps repeat endlessly (" = ", " is ",
" and "), so their reading is memoised. A gap is understood by its words: it is a link when all its words are filler
and one of them links; it is a relation when the words left over name that relation. Mood words (not, might) are filler
here, since a statement's mood is read over its whole range.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from perception_reward.annotations.language.word_lists import words as _words

# A gap longer than this joins nothing; only what its ends say about their neighbours is read.
_MAX_GAP = 90

_WORD = re.compile(r"[a-z]+(?:[-'][a-z]+)*|[^\sa-z]")


_MOODS = _words("""
    definitely certainly obviously evidently merely mutually ≠ different differs from anything but other than far
    fails fail not never no n't isn't aren't doesn't don't wasn't cannot can't might may could would should must can
    probably perhaps maybe possibly likely either indeed really actually clearly seems seem appears appear looks
    look like were if nowhere near hardly scarcely means way rather than instead so
""")
_FILLER = _MOODS | _words("""
    is are was be being been has have had having the a an of to as it its also both each all exactly about given
    that which this with in on for figure diagram image picture length lengths measure measures measuring measured
    value values size long degree degrees marked labelled labeled label labels shown shows show reads read known
    written says tagged stated listed equals equal equalling comes out at by been get gets find found we see so same
    respectively side sides segment line leg angle number approximately approx roughly just only simply still turns
    joining connecting s it's spans extends stretches runs amounts totals carries bears displays indicates holds
    assigned takes sized noted recorded serves acts functions stands total expression denoted called represented
    indicated noted specified drawn annotated annotation does do comes becomes works side's unknown short full one
    side-length the two are ' " ~ | now therefore thus
""")
_LINKING = _words("""
    it's isn't aren't wasn't doesn't don't comes works turns = ≈ ≅ : is are was be equals equal measures measure
    measuring measured has have having labelled labeled marked shows spans extends stretches runs amounts totals
    carries bears displays indicates holds takes as reads given with being length ≠ tagged — says does of been
""")
_PLACING = _words("""
    labels on next beside near at along for above below by is belong belongs under alongside assigned goes opposite
""")
_PLACE_FILLER = (
    _FILLER
    | _PLACING
    | _words("""
    ( what joining connecting joins connects sits sit written appears located placed lies stands standing to names
    belong belonging found attached adjacent is here there
""")
)
_LISTING = _words(", and & both also then while one another at")
_OPERATORS = _words("+ - * / ^ ( ) ± ^( )/ )^ +( -( *( )+ )- )*")

# relation: (words of which one must occur, further words allowed)
_RELATIONS: dict[str, tuple[frozenset[str], frozenset[str]]] = {
    "perpendicular": (
        _words("⟂ perpendicular perpendicularly orthogonal normal angles angle"),
        _words("meets meet intersects intersect crosses cross forms form makes make angles right"),
    ),
    "parallel": (_words("∥ parallel"), _words("runs run lies lie arrows")),
    "congruent": (_words("≅ congruent matches match identical same"), _words("matching")),
    "similar": (_words("~ similar"), frozenset()),
    "tangent": (_words("tangent touches touch"), _words("point just")),
    "bisector": (_words("bisects bisect bisector halves"), _words("angle")),
    "midpoint": (_words("midpoint middle mid-point bisects"), _words("point exact centre center")),
    "between": (_words("between"), _words("lies lie lying located sits somewhere placed point halfway midway exactly")),
    "on": (
        _words("on lies lie lying ∈ through contains contain passes pass along part point"),
        _words("""
    falls belongs located point points goes go somewhere circumference passes placed located sits situated belongs
    arc
"""),
    ),
    # These deny another relation; see `DENIED_BY`.
    "off": (_words("off misses miss avoids avoid away"), _words("lies lie lying sits located placed point from well")),
    "unlike": (
        _words("longer shorter greater larger smaller bigger less unequal > <"),
        _words("than much slightly somewhat far"),
    ),
    "apart_from_circle": (
        _words("inside outside within beyond"),
        _words("lies lie lying sits located placed point falls circle of"),
    ),
}

# What a negative word denies, so that "D lies off AB" is read as "D does not lie on AB".
DENIED_BY = {
    "off": "on",
    "apart_from_circle": "on",
    "unlike": "equal",
    "not_right": "right",
    "misses_circle": "tangent",
}

_ALLOWED = {name: (needed, _FILLER | needed | allowed) for name, (needed, allowed) in _RELATIONS.items()}
_LINK_FILLER = _FILLER | {")", "=", "≈", "≅", ":", "≠", "|", "—"}
_ASIDE = frozenset({",", "(", "and", "|"})
_ASIDE_LINKING = _LINKING | {"(", "|"}
_ASIDE_FILLER = _LINK_FILLER | _ASIDE
_DIVIDING = _words("divides divide splits cuts segment line angle the")
_POSSESSIVE = frozenset({"'", "s"})
_MEETS = _words("meets meet intersects intersect crosses cross")
_MEETING = _MEETS | _MOODS | _words("line segment and does do")
_OF = _words("of the in for a this ' s given")
_HAS = _words("has have with having of a an the is , whose and its")

_PREDICATES: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("right_triangle", ("right triangle", "right-angled triangle", "right angled triangle", "right triangles",
                        "right-angled",
                        "right angled")),
    ("right", ("right angle", "right angles", "right")),
    ("isosceles", ("isosceles",)),
    ("equilateral", ("equilateral",)),
    ("rhombus", ("rhombus", "diamond")),
    ("rectangle", ("rectangle",)),
    ("square", ("square",)),
    ("parallelogram", ("parallelogram",)),
    ("trapezoid", ("trapezoid", "trapezium", "isosceles trapezoid")),
    ("kite", ("kite",)),
    ("perpendicular", ("perpendicular", "perpendicularly", "orthogonal", "at right angles", "meet at right angles",
                       "meet at a right angle", "intersect at right angles", "at a right angle",
                       "form a right angle", "intersect at a right angle")),
    ("parallel", ("parallel", "∥", "run parallel")),
    ("congruent", ("congruent", "equal", "identical", "equally long", "same length", "same measure", "same size",
                   "equal length", "equal measure", "equal in length", "equal in measure", "equal lengths")),
    ("similar", ("similar",)),
    ("diameter", ("passes through the center", "passes through the centre", "goes through the center",
                  "goes through the centre")),
    ("tangent", ("tangent", "tangents", "touches the circle", "touch the circle", "touches the circle at one point")),
    ("misses_circle", ("misses the circle", "miss the circle", "secant", "secants")),
    ("not_right", ("acute", "obtuse", "acute angle", "obtuse angle", "straight angle")),
    ("unlike", ("unequal", "different lengths", "of different lengths", "different in length", "differ in length",
                "of unequal length", "different measures", "of different measure", "different in measure",
                "differ in measure", "different sizes", "of different size", "differ in size")),
    ("hypotenuse", ("hypotenuse",)),
    ("leg", ("legs",)),
    ("center", ("center", "centre")),
    ("on_circle", ("on the circle", "lie on the circle", "lies on the circle", "points on the circle",
                   "point on the circle",
                   "on the circumference", "lies on the circumference", "on a circle")),
)  # fmt: skip
_PREDICATE_OF = {phrase: name for name, phrases in _PREDICATES for phrase in phrases}
_BEFORE_PREDICATE = _MOODS | _words("""
    is are was be being been a an the as also both each all marked labelled labeled shown given clearly forms form
    has : — meet meets cross crosses intersect intersects serves acts functions stands have with having to it in
    make makes its which drawn same equal on do does of they
""") - _words("same equal right")
_STRANGE_QUANTITIES = _words("""
    slope ratio ratios sum difference product equation square half twice third double quarter tangent sine cosine
    tan sin cos midpoint middle bisector extension projection supplement complement triple quotient times average
    mean supplementary complementary reciprocal opposite multiple equations magnitude coordinates
""")
_ARTICLES = _words("the a an all two these segment segments side sides line angle interior exterior measures lengths")
_COMPARISONS = _words("more less times greater longer shorter larger smaller % percent th")
_AT = _words("at with vertex point corner in is located of by the near placed")
_SQUARE_MARK = re.compile(
    r"(?:right[- ]angles?|right[- ]angled|90°(?: angle)?|perpendicular|square corners?"
    r"|(?:little|small|tiny)? ?squares?(?: (?:corner|mark|box|"
    r"symbol)s?)?|right[- ]angle (?:mark|symbol|marker|sign|box|square)s?)"
    r" ?(?:,? one |is |are |appears |sits |shown |drawn |located |marked |placed |must be |sign "
    r"|(?:that )?we see |being |, ){0,3}(?:at|on|in)"
    r"(?: the)?(?: vertex| point| corner| vertices| points)? ?$"
)


@dataclass(frozen=True, slots=True)
class Gap:
    """What a gap says.

    between: how it joins its neighbours: link, place, list, or, operator, of, has, or a relation; '' for nothing.
    symbol: whether a link is a mere sign (`=`), which joins nearest neighbours only, or words.
    tail: what its beginning says about the item before it ("… is a right angle").
    reach: how far into the gap that predicate goes, in characters.
    lead: what its end says about the item behind it: `right_at`, `strange` (a quantity other than its measure).
    hints: words that decide between readings.
    """

    between: str = ""
    symbol: bool = False
    tail: str = ""
    reach: int = 0
    lead: str = ""
    hints: frozenset[str] = frozenset()


# "The diameter of the circle is x": what it belongs to goes without saying.
_OF_THE_FIGURE = re.compile(
    r"\b(?:of|in) (?:the|this|that|a|an|our) (?:given |shaded |right |larger |smaller )?"
    r"(?:circle|triangle|parallelogram|rectangle"
    r"|rhombus|trapezoid|quadrilateral|sector|semicircle|polygon|pentagon|hexagon|kite|square|figure|diagram)\b"
)


@lru_cache(maxsize=8192)
def _read_short(text: str) -> Gap:
    text = _OF_THE_FIGURE.sub(lambda match: " " * len(match.group()), text)
    lowered = text.lower()
    matches = list(_WORD.finditer(lowered))
    words = [match.group() for match in matches]
    kinds = frozenset(words)
    between = _between(text.strip(), words, kinds)
    symbol = bool(kinds) and kinds <= {"=", "≈", "≅", "≠", ":", "|", "—"}
    tail, size = _tail(words)
    return Gap(between, symbol, tail, matches[size - 1].end() if tail and size else 0, _lead(lowered, words), kinds)


def read_gap(text: str) -> Gap:
    """What the text between two items says. Memoised; linear in the text, of which only the ends are read."""
    if len(text) <= _MAX_GAP:
        return _read_short(text)
    first, last = _read_short(text[:_MAX_GAP]), _read_short(text[-_MAX_GAP:])
    return Gap("", False, first.tail, first.reach, last.lead, frozenset())


def _between(stripped: str, words: list[str], kinds: frozenset[str]) -> str:
    if not words:
        return "operator"
    if stripped in _OPERATORS:
        return "operator"
    if kinds <= _LISTING and kinds & {",", "and", "&"}:
        return "list"
    if "or" in kinds and kinds <= _LISTING | {"or", "either", "maybe", "perhaps", "possibly"}:
        return "or"
    if kinds <= _OF and kinds & {"of", "for", "in"}:
        return "of"
    if kinds <= _HAS and kinds & {"has", "have", "with", "having", "whose"}:
        return "has"
    if kinds <= _LINK_FILLER and kinds & _LINKING:
        return "link"
    if kinds <= _ASIDE_FILLER and kinds & _ASIDE and kinds & _ASIDE_LINKING:
        return "aside"
    if kinds <= _MEETING and kinds & _MEETS:
        return "meets"
    if kinds <= _DIVIDING and kinds & {"divides", "divide", "splits", "cuts"}:
        return "divides"
    if kinds == _POSSESSIVE:
        return "has"
    if kinds <= _PLACE_FILLER and kinds & _PLACING:
        return "on" if kinds & {"lies", "lie"} else "place"
    for relation, (needed, allowed) in _ALLOWED.items():
        if kinds & needed and kinds <= allowed:
            return relation
    return ""


def _tail(words: list[str]) -> tuple[str, int]:
    """The predicate that a gap begins with, behind filler, up to its first punctuation mark; the words it takes."""
    if words and words[0] in _COMPARISONS:
        return "compared", 0
    if "through" in words[:8] and not {"center", "centre"}.isdisjoint(words[:12]):
        return "diameter", words.index("through") + 1
    for index, word in enumerate(words[:10]):
        for size in (5, 4, 3, 2, 1):
            found = _PREDICATE_OF.get(" ".join(words[index : index + size]))
            if found:
                return found, min(index + size, len(words))
        apposed = word == "," and index == 0 and words[1:2] in (["a"], ["an"])
        if word not in _BEFORE_PREDICATE and not apposed:
            return "", 0
    return "", 0


def _lead(lowered: str, words: list[str]) -> str:
    if _SQUARE_MARK.search(lowered):
        return "right_at"
    behind = [word for word in words[-5:] if word not in _ARTICLES]
    if len(behind) >= 2 and behind[-1] in ("of", "between", "to") and behind[-2] in _STRANGE_QUANTITIES:
        return behind[-2] if behind[-2] in ("midpoint", "bisector") else "strange"
    if behind and behind[-1] in ("half", "twice", "double", "slope"):
        return "strange"
    return ""
