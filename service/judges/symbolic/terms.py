"""Text as terms: stems of its words of content, its numbers, and words that exclude one another, each with its mood.

    terms("I see 2 crimson cars.")      # number 2, color 0 (that of red), car

A term's key is what two texts share: `crimson` and `red` have one, `3` and `three`, `bar` and `bars`. Its kind says
which others would contradict it in the same place: another number, another color, another letter.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from functools import lru_cache
from typing import TypeAlias

from perception_reward.annotations.language.moods import FACTUAL_EDGES, Mood, stretches
from perception_reward.annotations.language.numbers import STARTS, number_at
from perception_reward.annotations.language.sentences import Sentence
from perception_reward.annotations.language.stems import stem
from perception_reward.annotations.language.word_lists import words

Key: TypeAlias = "str | tuple[str, object]"

_PIECE = re.compile(r"(?P<number>(?:(?<![\w)])-)?\d)|(?P<word>[^\W\d_]+(?:'[^\W\d_]+)?)|[^\w\s]")
_STATES: frozenset[Mood] = frozenset({"asserted", "weak", "negated"})

# Words that tell nothing of what a picture shows.
_TELL_NOTHING = frozenset(
    map(
        stem,
        words("""
    a an the this that these those there here it its they them their he she his her him i we you my our your
    is are was were be am being been have has had do does did can could will would shall should may might must
    and or but so if then than as while which who whom whose what when where how why also just very quite clearly
    exactly only some any each every both all such not no nor never without neither none cannot
    in on at of to from by with for into onto through during per
    see seen show shown visible image picture photo figure chart graph diagram scene depict contain include
    appear look seem find notice observe count read located placed total number amount respectively say exist present
    get let us true false wrong correct incorrect fact actually indeed
"""),
    )
)
# Each line lists values that exclude one another, those of one value in brackets.
_CLASSES = """
    (red crimson scarlet) (blue navy) green yellow orange (purple violet) (pink magenta) black (brown tan beige) white \
        (gray grey silver) (gold golden) (cyan teal turquoise)
    (big large huge giant enormous) (small tiny little miniature)
    long short
    (old elderly older) (young younger new)
    (wooden wood) (metal metallic steel) plastic glass stone brick leather paper concrete
    (full filled) (empty vacant)
    (open opened) (closed shut)
    (wet damp) dry
    (hot warm) (cold cool)
    (bright sunny) (dark dim) (cloudy overcast)
    (round circular) square triangular rectangular oval
    (standing stands) (sitting seated sits) (lying lies) (walking walks) (running runs) (sleeping asleep)
    (increase rise rose grow grew climb growth upward) (decrease fall fell decline drop shrink downward) \
        (constant stable steady unchanged)
    (highest largest most biggest greatest maximum tallest majority) \
        (lowest smallest least fewest minimum shortest minority)
    (more greater higher larger exceeds) (less fewer smaller)
    (left leftmost) (right rightmost)
    (top upper uppermost above over atop) (bottom lower lowermost below under beneath underneath)
    (inside within) outside
    front (behind back)
    (horizontal horizontally) (vertical vertically)
    first second third fourth fifth sixth seventh eighth ninth tenth last
"""


def _classes() -> Iterator[tuple[str, tuple[str, int]]]:
    for number, line in enumerate(_CLASSES.strip().replace("\\\n", " ").splitlines()):
        for value, names in enumerate(re.findall(r"\(([^)]*)\)|(\S+)", line)):
            yield from ((stem(word), (f"class {number}", value)) for word in "".join(names).split())


_EXCLUSIVE = dict(_classes())
# Kinds that tell which of several things is meant: what is said of the first takes nothing back of the third.
NAMING = ("letter", _EXCLUSIVE[stem("first")][0])
# Relations that have no opposite of two values: what is not inside a thing need not have it inside.
_ONE_WAY = {_EXCLUSIVE[stem(word)][0] for word in ("inside",)}


def _opposites() -> Iterator[tuple[Key, Key]]:
    for name in {name for name, _ in _EXCLUSIVE.values()} - _ONE_WAY:
        if {value for other, value in _EXCLUSIVE.values() if other == name} == {0, 1}:
            yield from (((name, 0), (name, 1)), ((name, 1), (name, 0)))


_OPPOSITES = dict(_opposites())
_COUNTS = {"singl": Fraction(1), "coupl": Fraction(2), "pair": Fraction(2)}
# What "A" stands in front of where it is no name, and what a name that it ends has before it, as "group A" does.
_AHEAD = re.compile(r"\w ?\(?$")
_ARTICLE = re.compile(r"\s+(?!and\b|or\b|is\b|has\b|to\b)[a-z]")
# A name of a time rather than an amount: beside an amount, another year does not speak against this one.
_YEAR = re.compile("1[89][0-9][0-9]|20[0-9][0-9]")
YEAR = "year"
# What the keys of numbers begin with: of one that is meant, and of one that is exceeded or not reached.
NUMBERS = ("number", "over", "under")
# What a sign or a screen says: words in quotes or in capitals.
TEXT = "text"
QUOTES = frozenset('"“”')
# "No dog" counts dogs; "no, …" does not.
_NONE = re.compile(r"no (?=[a-z])", re.IGNORECASE)
# "One of the cars" counts none.
_OF = re.compile(r"\s+of\b")


# A number that is only a bound: "more than three" are not three.
_BOUND = re.compile(
    r"\b(?:(?P<over>(?:more|greater|higher|larger|longer|later) than|over|above|beyond|exceed(?:s|ed|ing)?|at least)"
    r"|(?:less|fewer|lower|smaller|shorter|earlier) than|under|below|at most|almost|nearly) (?:the |a |an )?[$€£]?$",
    re.IGNORECASE,
)
_BOUND_REACH = 24


@dataclass(frozen=True, slots=True)
class Term:
    """One term at [start, end) of its sentence, the `at`-th word or mark there.

    kind: `number`, `year`, `letter`, `text`, or a class of words that exclude one another; empty for plain words.
    denied: said not to be so. idle: only supposed, asked, hedged, quoted or offered.
    """

    key: Key
    kind: str
    at: int
    start: int
    end: int
    denied: bool = False
    idle: bool = False


def opposite(key: Key) -> Key | None:
    """The one other value of a word that excludes one, as left of right; None where there are none or several."""
    return _OPPOSITES.get(key)


@lru_cache(maxsize=256)
def terms(text: str) -> tuple[Term, ...]:
    """The terms of one sentence, in order, whatever their mood. Linear in the text's length."""
    return tuple(_terms(text))


def _terms(text: str) -> Iterator[Term]:
    position = at = 0
    while piece := _PIECE.search(text, position):
        position, word, at = piece.end(), piece["word"], at + 1
        start = piece.start()
        if piece["number"] or (word and word.lower() in STARTS):
            number = number_at(text, start)
            if number is not None and (piece["number"] or number.kind == "cardinal"):
                position = number.end
                if not (number.value == 1 and word and _OF.match(text, number.end)):
                    kind = YEAR if _YEAR.fullmatch(text, start, position) else "number"
                    bound = _BOUND.search(text, max(0, start - _BOUND_REACH), start)
                    name = NUMBERS[0 if not bound else 1 if bound["over"] else 2]
                    yield Term((name, number.value), kind, at, start, position)
                continue
        if word and _NONE.match(text, start):
            yield Term(("number", Fraction(0)), "number", at, start, position)
            continue
        if word == "A" and not _AHEAD.search(text, max(0, start - 3), start) and _ARTICLE.match(text, position):
            continue
        if word and (term := _word(word, at, start, position)):
            quoted = text[start - 1 : start] in QUOTES or text[position : position + 1] in QUOTES
            is_text = quoted or (not term.kind and len(word) > 1 and word.isupper())
            yield replace(term, kind=TEXT) if is_text else term


def _word(word: str, at: int, start: int, end: int) -> Term | None:
    stemmed = stem(word)
    if count := _COUNTS.get(stemmed):
        return Term(("number", count), "number", at, start, end)
    if (excluding := _EXCLUSIVE.get(stemmed)) and not (excluding[0] in NAMING and word[-1] == "s"):
        return Term(excluding, excluding[0], at, start, end)
    letter = word.removesuffix("'s")
    if len(letter) == 1 and letter.isupper() and letter != "I":
        return Term(("letter", letter), "letter", at, start, end)
    return None if stemmed in _TELL_NOTHING else Term(stemmed, "", at, start, end)


def heard(sentence: Sentence) -> list[Term]:
    """A sentence's terms, each with what the sentence makes of it."""
    found = list(terms(sentence.text))
    if sentence.stance != "asserted":
        return [replace(term, idle=True) for term in found]
    return list(_in_mood(sentence, found))


def _in_mood(sentence: Sentence, found: Iterable[Term]) -> Iterator[Term]:
    parts = stretches(sentence.text)
    end, mood, hedged = 0, "asserted", False
    for term in found:
        while term.start >= end:
            part, mood = next(parts)
            end += len(part)
            hedged = mood not in _STATES or (hedged and part.lower() not in FACTUAL_EDGES)
        denied = mood == "negated"
        yield replace(term, denied=denied, idle=hedged) if denied or hedged else term
