"""Evidence: the sentences of a response that can bear on one fact, for a judge that reads those and not the whole.

    select("I see a triangle. AB = 5 and BC = 7. Nice.", Fact(id="f", text="Segment AB has length 5."))
    # '[…]\\nAB = 5 and BC = 7.\\n[…]'

A sentence bears on a fact when it shares names, numbers or content words with it: AB and BA are one name, "right angle"
and "⟂" one word, `∠B` is part of `∠ABC`; or when it says in other words of geometry what the fact says (`related`).
The strongest few are kept, each with the sentence that it leans on ("Then it …"), the one that takes it back ("Wait,
…"), and the heading that denies it ("None of these holds:"). Nothing is reworded, so what a model reads is what the
response says.

The words are those of English. A fact in another script is shown the whole response, and so is one that nothing
bears on in a response in another script: "桌子上有一只猫" may well say that the cat is on the table.

What can be lost: a synonym outside geometry that stands alone ("a crimson vehicle" for a red car), a pronoun that
reaches over more than one sentence, and what a response says after six other sentences that bear on the fact as much,
unless it is last. A response is read once, in time linear in its length, and indexed by its terms: a fact then looks at
the sentences that share one with it.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain
from typing import TypeAlias, TypeVar

from perception_reward.annotations.language.cues import FALSE, NEGATION
from perception_reward.annotations.language.names import NAME, points_of
from perception_reward.annotations.language.numbers import STARTS, Number, number_at
from perception_reward.annotations.language.sentences import sentence_ranges
from perception_reward.annotations.language.stems import stem
from perception_reward.service.judges.llm import related
from perception_reward.service.judges.llm.related import Spoken
from perception_reward.trainer_client.wire import Fact

# Part of the fingerprint of every judge that shows evidence: raise it with each change to what `select` returns.
VERSION = 7

GAP = "[…]"

# Sentences chosen for themselves; those that they lean on come on top.
MOST_SENTENCES = 6
# A sentence as long as this is cut in pieces, so that text without full stops is not kept whole.
MAX_SENTENCE = 400

# What sharing a term is worth. A whole name tells most; a single letter, or "segment", next to nothing. In tenths, so
# that sums do not depend on their order.
_NAME, _VALUED, _NUMBER, _PART, _WORD, _COMMON = 30, 15, 20, 10, 10, 3
_LEAST = 10
# Of sentences that bear on a fact, those far behind the best only dilute it.
SHARE_OF_BEST = 0.25

_TERM = re.compile(
    rf"(?P<name>{NAME})"
    r"(?P<valued>[}$]{0,2}\s?(?:=|≈|is\b|measures\b))?"
    r"|(?P<number>\d+(?:\.\d+)?(?:[a-z](?![A-Za-z]))?)|(?P<word>[^\W\d_]{1,40})|(?P<sign>[⊥⟂∥≅])"
)
# Words in neither Latin letters nor Greek ones, which English about a figure has as well.
_OTHER_SCRIPT = re.compile(r"[^\W\d_\u0000-\u024f\u0370-\u03ff]{2,}")
# A response in another script has more of it than this share of its characters: a stray word is none.
_SHARE_OF_SCRIPT = 0.1
# Words and signs for one thing. A right angle is 90 degrees between perpendicular lines.
_SAME = {
    **dict.fromkeys(["perpendicular", "perp", "bot", "right", "altitude", "square", "⊥", "⟂"], "perpendicular"),
    **dict.fromkeys(["parallel", "∥"], "parallel"),
    **dict.fromkeys(["equal", "congruent", "cong", "same", "≅"], "equal"),
    **dict.fromkeys(["center", "centre", "centered", "centred"], "center"),
    **dict.fromkeys(["midpoint", "bisect", "middle", "half"], "midpoint"),
}
_TELLS_NOTHING = (
    "the and are was were that this these those with for from its into which there here between each all of is in on "
    "at to an as by be it we so or if not can since given know answer text frac sqrt overline thus then therefore "
    "boxed left circ has have a"
)
_EMPTY_WORDS = frozenset(_TELLS_NOTHING.split())
_SMALL_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LEANS = re.compile(
    r"\W{0,3}(?:it|its|this|that|these|those|they|both|each|then|so|which|here|the (?:same|other))\b", re.I
)
_TAKES_BACK = re.compile(
    r"\W{0,3}(?:wait|no\b|actually|but\b|however|hmm|oops|sorry|correction|on second|rather|not\b)", re.I
)
# What is said of the lines below, and how many lines below it is looked for.
_HEADING_DENIES = re.compile(rf"\b(?:{FALSE}|{NEGATION})\b|n't\b", re.I)
_LONGEST_LIST = 12


T = TypeVar("T")
# By term, where the sentences stand that hold it.
_Places: TypeAlias = defaultdict[T, list[int]]


@dataclass(frozen=True, slots=True)
class _Terms:
    """names: in canonical order of points; valued: those before an equals sign or "is"; points: of the names;
    spoken: terms of geometry, also where other words are used for them."""

    names: frozenset[str]
    valued: frozenset[str]
    points: frozenset[str]
    numbers: frozenset[str]
    words: frozenset[str]
    spoken: Spoken

    @property
    def telling(self) -> bool:
        """Whether anything but words that every response about a figure has."""
        return bool(self.names or self.numbers or self.words - _COMMON_WORDS)


_NONE = frozenset[str]()
_NO_TERMS = _Terms(_NONE, _NONE, _NONE, _NONE, _NONE, related.NOTHING)


class _Text:
    """A response as sentences, and by term the places of the sentences that hold it."""

    def __init__(self, response: str) -> None:
        ranges = sentence_ranges(response, MAX_SENTENCE)
        self.sentences = tuple(response[start:end].strip() for start, end in ranges)
        self.spoken: list[Spoken] = []
        self.named: _Places[str] = defaultdict(list)
        self.valued: _Places[str] = defaultdict(list)
        self.points: _Places[str] = defaultdict(list)
        self.numbers: _Places[str] = defaultdict(list)
        self.words: _Places[str] = defaultdict(list)
        self.terms: _Places[int] = defaultdict(list)
        self.ways: _Places[int] = defaultdict(list)
        for at, sentence in enumerate(self.sentences):
            terms = _read(sentence)
            self.spoken.append(terms.spoken)
            self._index(at, terms)

    def _index(self, at: int, terms: _Terms) -> None:
        for places, held in (
            (self.named, terms.names),
            (self.valued, terms.valued),
            (self.points, terms.points),
            (self.numbers, terms.numbers),
            (self.words, terms.words),
        ):
            for each in held:
                places[each].append(at)
        for places, entries in ((self.terms, terms.spoken.terms), (self.ways, terms.spoken.ways)):
            for entry in entries:
                places[entry].append(at)

    def scores(self, wanted: _Terms) -> dict[int, float]:
        """By place, what each sentence that shares anything with `wanted` shares with it."""
        scores: dict[int, float] = defaultdict(float)
        common = _COMMON if wanted.telling else _WORD
        for places, terms, worth in (
            (self.named, wanted.names, _NAME),
            (self.valued, wanted.names, _VALUED),
            (self.numbers, wanted.numbers, _NUMBER),
            (self.words, wanted.words & _COMMON_WORDS, common),
            (self.words, wanted.words - _COMMON_WORDS, _WORD),
        ):
            for term in terms:
                for at in places.get(term, ()):
                    scores[at] += worth
        for at in self._related(wanted):
            scores[at] += _WORD
        shared = Counter(chain.from_iterable(self.points.get(point, ()) for point in wanted.points))
        # ∠B for ∠ABC, △ABC for AB: two shared points of a figure are a part of it, one is hardly a sign.
        worth = [_PART * (count / (len(wanted.points) or 1)) ** 2 for count in range(len(wanted.points) + 1)]
        for at, count in shared.items():
            scores[at] += worth[count]
        return scores

    def _related(self, wanted: _Terms) -> set[int]:
        """The sentences that share no word with `wanted` but common ones, and say in other words what it says."""
        ways = (self.terms.get(entry, ()) for entry in wanted.spoken.ways)
        found = set(chain.from_iterable(ways))
        found.update(chain.from_iterable(self.ways.get(entry, ()) for entry in wanted.spoken.terms))
        if found:
            found.difference_update(*(self.words.get(word, ()) for word in wanted.words - _COMMON_WORDS))
        return found


def select(response: str, fact: Fact, *, most: int = MOST_SENTENCES, share: float = SHARE_OF_BEST) -> str:
    """The evidence for or against `fact`, in the order of the response; '' where nothing bears on it. The response
    itself where the two are not both in words that are understood here.

    Sentences that did not stand next to each other are separated by `GAP`. most: sentences chosen for themselves, of
    those that share with the fact at least `share` of what the best of them does.
    """
    if _in_another_script(fact.text):
        return response
    text, terms = _text(response), _terms(fact.claim)
    scores = {at: score for at, score in text.scores(terms).items() if score >= _LEAST}
    if not scores:
        return response if _in_another_script(response) else ""
    floor = share * max(scores.values())
    bearing = {
        at: score
        for at, score in scores.items()
        # "There is a right angle at B" shares less with "AB is perpendicular to BC" than "AB = 3 and BC = 4" does.
        if score >= floor or related.related(text.spoken[at], terms.spoken)
    }
    chosen = _strongest(text.sentences, bearing, most)
    # However often the right thing is said, what is said last may take it back.
    chosen.append(max(bearing))
    return _joined(text.sentences, sorted(set(_with_neighbours(text.sentences, chosen))))


def _strongest(sentences: tuple[str, ...], bearing: dict[int, float], most: int) -> list[int]:
    """The few that share most, of as much the first; a sentence that is repeated counts once."""
    equal: dict[float, list[int]] = defaultdict(list)
    for at, score in bearing.items():
        equal[score].append(at)
    chosen: dict[str, int] = {}
    for score in sorted(equal, reverse=True):
        for at in sorted(equal[score]):
            chosen.setdefault(sentences[at], at)
            if len(chosen) == most:
                return list(chosen.values())
    return list(chosen.values())


def _in_another_script(text: str) -> bool:
    return sum(len(word[0]) for word in _OTHER_SCRIPT.finditer(text)) > _SHARE_OF_SCRIPT * len(text)


def _with_neighbours(sentences: tuple[str, ...], chosen: list[int]) -> Iterator[int]:
    for at in chosen:
        yield at
        if at and _LEANS.match(sentences[at]):
            yield at - 1
        if (heading := _denying_heading(sentences, at)) is not None:
            yield heading
        if at + 1 < len(sentences) and _TAKES_BACK.match(sentences[at + 1]):
            yield at + 1


def _denying_heading(sentences: tuple[str, ...], at: int) -> int | None:
    """The heading above the line at `at`, where it denies what stands below it."""
    for above in range(at - 1, max(-1, at - 1 - _LONGEST_LIST), -1):
        text = sentences[above]
        if text.endswith(":") or (above == at - 1 and text.endswith("that")):
            return above if _HEADING_DENIES.search(text) else None
    return None


def _joined(sentences: tuple[str, ...], kept: list[int]) -> str:
    pieces: list[str] = []
    last = -1
    for at in kept:
        if at != last + 1:
            pieces.append(GAP)
        pieces.append(sentences[at])
        last = at
    if last + 1 < len(sentences):
        pieces.append(GAP)
    return "\n".join(pieces)


@lru_cache(maxsize=8)
def _text(response: str) -> _Text:
    """A response is read once for all its facts."""
    return _Text(response)


@lru_cache(maxsize=1024)
def _terms(fact: str) -> _Terms:
    return _read(fact)


def _read(text: str) -> _Terms:
    names: set[str] = set()
    valued: set[str] = set()
    numbers: set[str] = set()
    words: set[str] = set()
    stems: set[str] = set()
    at = 0
    for match in _TERM.finditer(text):
        if match.start() < at:
            continue
        term, kind = match[match.lastgroup or 0], match.lastgroup
        if name := match["name"]:
            names.add(_name(name))
            if kind == "valued":
                valued.add(_name(name))
        elif number := _number(text, match.start(), term, kind):
            numbers.add(f"{float(number.value):g}")
            at = number.end
        elif kind == "number":
            numbers.add(f"{float(term.rstrip(_SMALL_LETTERS)):g}{term.lstrip('0123456789.')}")
        else:
            stems.add(stem(term.lower()))
            if word := _word(term.lower()):
                words.add(word)
    if not (names or numbers or words):
        return _NO_TERMS
    points = frozenset(chain.from_iterable(map(points_of, names)))
    spoken = related.spoken(stems | numbers)
    return _Terms(frozenset(names), frozenset(valued), points, frozenset(numbers), frozenset(words), spoken)


@lru_cache(maxsize=4096)
def _name(term: str) -> str:
    """Whichever way round it is written."""
    return "".join(sorted(points_of(term)))


def _number(text: str, start: int, term: str, kind: str | None) -> Number | None:
    """The number that begins here: 12, 12.0 and twelve are one. 3x is none, and of a fraction both parts are."""
    if kind != "number" and term.lower() not in STARTS:
        return None
    number = number_at(text, start)
    return number if number and number.kind == "cardinal" and number.end >= start + len(term) else None


@lru_cache(maxsize=8192)
def _word(word: str) -> str:
    """The stem, the common word for synonyms, or '' for a word that tells nothing."""
    if word in _EMPTY_WORDS:
        return ""
    if word in _SAME:
        return _SAME[word]
    cut = stem(word)
    return _SAME.get(cut, cut)


# Every other sentence of a response about a figure has these.
_OFTEN = (
    "segment line side length measure angle triangle circle point degree figure diagram label value quadrilateral one "
    "lie equal"
)
_COMMON_WORDS = frozenset(map(stem, _OFTEN.split()))
