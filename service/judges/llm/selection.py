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
unless it is last. Linear in the length of the response.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from perception_reward.service.judges.llm import related
from perception_reward.service.judges.llm.related import Spoken
from perception_reward.service.judges.llm.stem import stem
from perception_reward.trainer_client.wire import Fact

# Part of the fingerprint of every judge that shows evidence: raise it with each change to what `select` returns.
VERSION = 5

GAP = "[…]"

# Sentences chosen for themselves; those that they lean on come on top.
MOST_SENTENCES = 6
# A sentence as long as this is cut in pieces, so that text without full stops is not kept whole.
MAX_SENTENCE = 400

# What sharing a term is worth. A whole name tells most; a single letter, or "segment", next to nothing.
_NAME, _VALUED, _NUMBER, _PART, _WORD, _COMMON = 3.0, 1.5, 2.0, 1.0, 1.0, 0.3
_LEAST = 1.0
# Of sentences that bear on a fact, those far behind the best only dilute it.
_SHARE_OF_BEST = 0.25

_BOUNDARY = re.compile(r"(?<=[.!?;])[\"')\]$*]{0,3}\s+(?![\sa-z])|(?<=[。！？；])|\n\s*")
_TERM = re.compile(
    r"(?P<name>(?<![A-Za-z\\])(?:[A-Z](?:_?\d)?['′]{0,2}){1,8}(?![A-Za-z]))(?P<valued>[}$]{0,2}\s?(?:=|≈|is\b|measures\b))?"
    r"|(?P<number>\d+(?:\.\d+)?(?:[a-z](?![A-Za-z]))?)|(?P<word>[^\W\d_]{1,40})|(?P<sign>[⊥⟂∥≅])"
)
# Words in neither Latin letters nor Greek ones, which English about a figure has as well.
_OTHER_SCRIPT = re.compile(r"[^\W\d_\u0000-\u024f\u0370-\u03ff]{2,}")
# A response in another script has more of it than this share of its characters: a stray word is none.
_SHARE_OF_SCRIPT = 0.1
_POINT = re.compile(r"[A-Z](?:_?\d)?['′]{0,2}")
_NUMBER_WORDS = {
    word: str(value)
    for value, word in enumerate(
        ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    )
}
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
_LEANS = re.compile(
    r"\W{0,3}(?:it|its|this|that|these|those|they|both|each|then|so|which|here|the (?:same|other))\b", re.I
)
_TAKES_BACK = re.compile(
    r"\W{0,3}(?:wait|no\b|actually|but\b|however|hmm|oops|sorry|correction|on second|rather|not\b)", re.I
)
# What is said of the lines below, and how many lines below it is looked for.
_HEADING_DENIES = re.compile(r"\b(?:false|wrong|incorrect|untrue|none|neither|not|never|no)\b|n't\b", re.I)
_LONGEST_LIST = 12


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


@dataclass(frozen=True, slots=True)
class _Sentence:
    text: str
    terms: _Terms


def select(response: str, fact: Fact) -> str:
    """The evidence for or against `fact`, in the order of the response; '' where nothing bears on it. The response
    itself where the two are not both in words that are understood here.

    Sentences that did not stand next to each other are separated by `GAP`.
    """
    if _in_another_script(fact.text):
        return response
    sentences = _sentences(response)
    terms = _terms(fact.text)
    scores = [_score(sentence.terms, terms) if sentence.terms is not _NO_TERMS else 0.0 for sentence in sentences]
    best = max(scores, default=0.0)
    if best < _LEAST:
        return response if _in_another_script(response) else ""
    floor = max(_LEAST, _SHARE_OF_BEST * best)
    bearing = [
        at
        for at, score in enumerate(scores)
        # "There is a right angle at B" shares less with "AB is perpendicular to BC" than "AB = 3 and BC = 4" does.
        if score >= floor or (score >= _LEAST and related.related(sentences[at].terms.spoken, terms.spoken))
    ]
    chosen = _strongest(sentences, sorted(bearing, key=lambda at: -scores[at]))
    # However often the right thing is said, what is said last may take it back.
    chosen.append(bearing[-1])
    return _joined(sentences, sorted(set(_with_neighbours(sentences, chosen))))


def _strongest(sentences: tuple[_Sentence, ...], ranked: list[int]) -> list[int]:
    """The first few of `ranked`; a sentence that is repeated counts once."""
    chosen: dict[str, int] = {}
    for at in ranked:
        chosen.setdefault(sentences[at].text, at)
        if len(chosen) == MOST_SENTENCES:
            break
    return list(chosen.values())


def _in_another_script(text: str) -> bool:
    return sum(len(word[0]) for word in _OTHER_SCRIPT.finditer(text)) > _SHARE_OF_SCRIPT * len(text)


def _with_neighbours(sentences: tuple[_Sentence, ...], chosen: list[int]) -> Iterator[int]:
    for at in chosen:
        yield at
        if at and _LEANS.match(sentences[at].text):
            yield at - 1
        if (heading := _denying_heading(sentences, at)) is not None:
            yield heading
        if at + 1 < len(sentences) and _TAKES_BACK.match(sentences[at + 1].text):
            yield at + 1


def _denying_heading(sentences: tuple[_Sentence, ...], at: int) -> int | None:
    """The heading above the line at `at`, where it denies what stands below it."""
    for above in range(at - 1, max(-1, at - 1 - _LONGEST_LIST), -1):
        text = sentences[above].text
        if text.endswith(":") or (above == at - 1 and text.endswith("that")):
            return above if _HEADING_DENIES.search(text) else None
    return None


def _joined(sentences: tuple[_Sentence, ...], kept: list[int]) -> str:
    pieces: list[str] = []
    last = -1
    for at in kept:
        if at != last + 1:
            pieces.append(GAP)
        pieces.append(sentences[at].text)
        last = at
    if last + 1 < len(sentences):
        pieces.append(GAP)
    return "\n".join(pieces)


def _score(said: _Terms, wanted: _Terms) -> float:
    score = _NAME * len(said.names & wanted.names) + _VALUED * len(said.valued & wanted.names)
    score += _NUMBER * len(said.numbers & wanted.numbers)
    common = _COMMON if wanted.telling else _WORD
    shared = said.words & wanted.words
    score += sum(common if word in _COMMON_WORDS else _WORD for word in shared)
    if shared <= _COMMON_WORDS and related.related(said.spoken, wanted.spoken):
        score += _WORD
    if wanted.points:
        # ∠B for ∠ABC, △ABC for AB: two shared points of a figure are a part of it, one is hardly a sign.
        score += _PART * (len(said.points & wanted.points) / len(wanted.points)) ** 2
    return score


@lru_cache(maxsize=64)
def _sentences(response: str) -> tuple[_Sentence, ...]:
    """A response is read once for all its facts."""
    return tuple(_Sentence(text, _read(text)) for text in _split(response))


def _split(response: str) -> Iterator[str]:
    at = 0
    for match in _BOUNDARY.finditer(response):
        yield from _pieces(response[at : match.start()])
        at = match.end()
    yield from _pieces(response[at:])


def _pieces(sentence: str) -> Iterator[str]:
    for at in range(0, len(sentence), MAX_SENTENCE):
        piece = sentence[at : at + MAX_SENTENCE].strip()
        if piece:
            yield piece


@lru_cache(maxsize=1024)
def _terms(fact: str) -> _Terms:
    return _read(fact)


def _read(text: str) -> _Terms:
    names: set[str] = set()
    valued: set[str] = set()
    numbers: set[str] = set()
    words: set[str] = set()
    stems: set[str] = set()
    for match in _TERM.finditer(text):
        term, kind = match[match.lastgroup or 0], match.lastgroup
        if name := match["name"]:
            names.add(_name(name))
            if kind == "valued":
                valued.add(_name(name))
        elif kind == "number":
            numbers.add(_number(term))
        else:
            stems.add(_stem(term.lower()))
            if word := _word(term.lower()):
                (numbers if word.isdigit() else words).add(word)
    if not (names or numbers or words):
        return _NO_TERMS
    points = frozenset(point for name in names for point in _POINT.findall(name))
    spoken = related.spoken(stems | numbers)
    return _Terms(frozenset(names), frozenset(valued), points, frozenset(numbers), frozenset(words), spoken)


@lru_cache(maxsize=4096)
def _name(term: str) -> str:
    """Whichever way round it is written."""
    return "".join(sorted(_POINT.findall(term.replace("_", "").replace("′", "'"))))


def _number(term: str) -> str:
    """12, 12.0 and 012 are one number; 3x is 3x."""
    digits = term.rstrip("abcdefghijklmnopqrstuvwxyz")
    return f"{float(digits):g}{term[len(digits) :]}"


@lru_cache(maxsize=8192)
def _word(word: str) -> str:
    """The stem, the common word for synonyms, or '' for a word that tells nothing."""
    if word in _EMPTY_WORDS:
        return ""
    if word in _SAME or word in _NUMBER_WORDS:
        return _SAME.get(word) or _NUMBER_WORDS[word]
    cut = _stem(word)
    return _SAME.get(cut, cut)


_stem = lru_cache(maxsize=8192)(stem)


# Every other sentence of a response about a figure has these.
_OFTEN = (
    "segment line side length measure angle triangle circle point degree figure diagram label value quadrilateral one "
    "lie equal"
)
_COMMON_WORDS = frozenset(map(stem, _OFTEN.split()))
