"""Facts that are not geometry: counts, colours, chart values, texts, places, existence, and plain sentences.

    decide(Fact(id="f", text="There are three dogs."), units_of(read("I see 2 dogs.")))   # contradicted

A fact is split into *anchors* (what it is about) and *slots* (what another value would contradict; see
`slots`). Every sentence, and every cell of a table under its headings, that mentions an anchor is compared:

- support: the share of the fact's words and slots that the sentence has, all slots agreeing. From `_STATED`
  on, in a sentence that commits to it, the fact counts as stated.
- denial: the anchors are there and a slot says otherwise, or exactly one of the two is negated.

A fact both stated and denied is contradicted, where the denial is worded like the statement: "Boat B has two circles"
takes nothing from "Boat A has one circle". Nor do two grey squares from three white ones: a sentence in which slots of
two sorts are otherwise is about something else. Words alone cannot tell "the cat chases the dog" from "the dog chases
the cat", nor know that a puppy is a dog: without slots the certainty stays low, so that a cascade asks a model.

A response is read once and indexed by its words (`Units`); of the sentences that share a word with a fact, at most
`MOST_COMPARED` are compared with it, those that share most. Where there are more, the verdict is `truncated`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice, pairwise
from typing import NamedTuple

from perception_reward.annotations.language.sentences import Document, Sentence
from perception_reward.service.judges.base import Verdict
from perception_reward.service.judges.symbolic.alternatives import offered
from perception_reward.service.judges.symbolic.anchors import TERSE, Claim, read_claim
from perception_reward.service.judges.symbolic.lexicon import CHART_WORDS, COPULAS, EXCLUSIVE, OTHERS, TOTALS
from perception_reward.service.judges.symbolic.slots import Slot, relations
from perception_reward.service.judges.symbolic.words import Heard, Word, words
from perception_reward.trainer_client.wire import Fact

# The sentences and table cells that are compared with one fact, and those that are read of a response.
MOST_COMPARED = 256
MOST_UNITS = 16_000
# Words of a heading, and of a row's name, that stand with each of their cells.
_HEADING = 24
# From this support on, a sentence counts as saying the fact.
_STATED = 0.74
_SLOT_WEIGHT = 1.5
# From this support on, a sentence that leaves several values open speaks of the fact's.
_OFFERED = 0.3
# Of the anchors, the share that a sentence must mention before it can speak against the fact.
_ABOUT = 0.55
# Of a terse sentence less is enough, but "there are two dogs" is not about the one under the bench.
_ABOUT_TERSE = 0.35
# Denied are the anchors of which this share is negated on one side only.
_DENIED = 0.3
# A sentence that lacks a word of the fact's, or keeps fewer of its neighbours than this, is like it and no more.
_KEPT_ORDER = 0.6
_PARTIAL = 0.8
_NAME = re.compile("[A-Z]")


@dataclass(frozen=True, slots=True)
class Unit:
    """What is compared with a fact: a sentence's words, or a table cell's under its headings."""

    sentence: Sentence
    heard: Heard
    lemmas: frozenset[str]


# A named tuple, like `Likeness`: of these, sixty thousand a response are made faster than of dataclasses.
class Evidence(NamedTuple):
    """What one unit says about a claim at [start, end) of its sentence: support and denial in [0, 1]."""

    support: float
    denial: float
    start: int
    end: int
    unit: Unit

    @property
    def commits(self) -> bool:
        """Whether the sentence says it, be it so or not so, and does not only suppose or ask it."""
        return self.unit.sentence.mood(self.start, self.end) in ("asserted", "weak", "negated")

    @property
    def is_partial(self) -> bool:
        return self.support >= _STATED and not TOTALS.isdisjoint(self.unit.heard.places)

    @property
    def is_other(self) -> bool:
        return not OTHERS.isdisjoint(self.unit.heard.places)


class Units:
    """A document's units, to be made once for all its facts."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self._known: dict[frozenset[str], tuple[list[Unit], bool]] = {}

    @cached_property
    def _all(self) -> list[Unit]:
        """One more than are read, where there are more."""
        found = islice(_units(self._document), MOST_UNITS + 1)
        return [Unit(sentence, heard, frozenset([word.lemma for word in heard])) for sentence, heard in found]

    def about(self, claim: Claim) -> tuple[list[Unit], bool]:
        """The units that share a word with a claim, in order, and whether there may be more: those share less with it,
        or stand at the end of very long tables."""
        names = claim.about
        if names not in self._known:
            self._known[names] = self._find(names)
        return self._known[names]

    def _find(self, names: frozenset[str]) -> tuple[list[Unit], bool]:
        units = self._all[:MOST_UNITS]
        about = [unit for unit in units if not names.isdisjoint(unit.lemmas)]
        if len(about) <= MOST_COMPARED:
            return about, len(self._all) > len(units)
        by_share: dict[int, list[int]] = defaultdict(list)
        for at, unit in enumerate(about):
            by_share[len(names & unit.lemmas)].append(at)
        kept: list[int] = []
        for share in sorted(by_share, reverse=True):
            # Of those that share as much, the last: what is said last may take the rest back.
            kept += by_share[share][-(MOST_COMPARED - len(kept)) :]
            if len(kept) == MOST_COMPARED:
                break
        return [about[at] for at in sorted(kept)], True


def units_of(document: Document) -> Units:
    return Units(document)


def decide(fact: Fact, units: Units) -> Verdict:
    """The verdict on any fact by its words, slots and the sentences' moods. Never raises."""
    claim = read_claim(fact.text)
    if not claim.anchors and not claim.slots:
        return Verdict("absent", 0.05, None, 0.2)
    about, truncated = units.about(claim)
    found = [_compare(claim, unit) for unit in about]
    verdict = _verdict(claim, found) if found else Verdict("absent", 0.02, None, 0.85)
    return replace(verdict, truncated=True) if truncated else verdict


def _verdict(claim: Claim, found: list[Evidence]) -> Verdict:
    # Whether a sentence commits to what it says is looked into only where it matters.
    best = next((item for item in sorted(found, key=lambda item: -item.support) if item.commits), None)
    stated = best is not None and best.support >= _STATED
    denial = _denial(claim, found, best if stated else None)
    if denial is not None:
        certainty = (0.85 if claim.is_typed else 0.5) * (0.6 if stated else denial.denial)
        probability = 0.25 if stated else 0.06 * (1 - denial.denial)
        return Verdict("contradicted", probability, _span(denial), certainty, settled=stated and claim.is_typed)
    if best is not None and stated:
        certainty = 0.9 * best.support if claim.is_typed else 0.55 * best.support
        return Verdict("stated", 0.5 + 0.48 * best.support, _span(best), certainty)
    likeness = best.support if best is not None else 0.0
    mentioned = max(item.support for item in found)
    probability = 0.04 + 0.4 * max(likeness, 0.3 * mentioned)
    # Said, but only supposed, asked, hedged or quoted.
    settled = mentioned >= _STATED or _is_offered(claim, found)
    return Verdict("absent", probability, None, 0.8 - 0.6 * likeness, settled=settled)


def _denial(claim: Claim, found: list[Evidence], stated: Evidence | None) -> Evidence | None:
    """The strongest denial; of a claim that is stated as well, one that is worded like the statement."""
    if stated is not None and stated.is_partial:
        return None
    further = _further(claim, stated.unit.heard) if stated is not None else frozenset[str]()
    denials = sorted((item for item in found if item.denial > 0), key=lambda item: -item.denial)
    return next((item for item in denials if _counts(item, claim, stated, further) and item.commits), None)


def _counts(item: Evidence, claim: Claim, stated: Evidence | None, further: frozenset[str]) -> bool:
    return stated is None or (not item.is_other and _further(claim, item.unit.heard) <= further)


def _is_offered(claim: Claim, found: list[Evidence]) -> bool:
    """Whether the claim's value is one of several that the response leaves open."""
    return (
        bool(claim.slots)
        and claim.is_typed
        and any(
            offered(item.unit.sentence.text, item.start, item.end)
            and item.unit.sentence.mood(item.start, item.end) == "hedged"
            for item in found
            if item.support >= _OFFERED or item.denial > 0
        )
    )


def _span(item: Evidence) -> tuple[int, int]:
    return item.unit.sentence.source(item.start, item.end)


def _units(document: Document) -> Iterator[tuple[Sentence, Heard]]:
    """Sentences as words; of a table, each cell under its column's heading and beside its row's."""
    headings: list[tuple[str, int]] = []
    for sentence in document.sentences:
        cells = sentence.cells()
        if not cells:
            headings = []
            yield from ((sentence, part) for part in _parts(sentence))
        elif not headings:
            headings = cells
            yield sentence, words(sentence.text)
        else:
            yield from ((sentence, cell) for cell in _cells(cells, headings))


def _parts(sentence: Sentence) -> Iterator[Heard]:
    """A sentence's words; what it says is not so by itself, without the "not" of the rest."""
    start, end = sentence.denied
    if start == end:
        yield words(sentence.text)
        return
    for first, last in ((0, start), (start, end), (end, len(sentence.text))):
        yield Heard(_moved(words(sentence.text[first:last]), first))


def _cells(cells: list[tuple[str, int]], headings: list[tuple[str, int]]) -> Iterator[Heard]:
    (name, at), *rest = cells
    title = _moved(words(name)[:_HEADING], at)
    for index, (cell, start) in enumerate(rest, 1):
        heading = words(headings[index][0])[:_HEADING] if index < len(headings) else ()
        linked = Word(":", ":", start, start, None, False, 0)
        yield Heard((*_placed(heading, at), *title, linked, *_moved(words(cell), start)))


def _moved(heard: Iterable[Word], by: int) -> list[Word]:
    return [Word(w.lemma, w.text, w.start + by, w.end + by, w.value, w.negated, w.clause) for w in heard]


def _placed(heard: Iterable[Word], at: int) -> list[Word]:
    """A heading's words, standing where the row begins."""
    return [Word(w.lemma, w.text, at, at, w.value, w.negated, w.clause) for w in heard]


def _compare(claim: Claim, unit: Unit) -> Evidence:
    sentence, heard = unit.sentence, unit.heard
    names = claim.anchors.keys() & heard.places.keys()
    likeness = _likeness(claim, heard)
    said = [_agrees(slot, negated, heard) for slot, negated in claim.slots]
    flipped = 0.0
    if claim.negated or heard.negates:
        flipped = sum(claim.anchors[name] for name in _flipped(claim, names, heard)) / claim.weight
    speaks = likeness.share >= (_ABOUT_TERSE if likeness.terse else _ABOUT)
    otherwise = {type(slot) for (slot, _), agrees in zip(claim.slots, said, strict=True) if agrees is False}
    denial = likeness.share if speaks and (len(otherwise) == 1 or flipped >= _DENIED) else 0.0
    support = 0.0 if denial or otherwise else _support(claim, likeness, said) * (1 - flipped)
    first, last = (heard[0], heard[-1]) if said else _ends(names, heard)
    if sentence.denies(first.start, last.end):
        support, denial = 0.0, support if support >= _STATED else 0.0
    return Evidence(support, denial, first.start, last.end, unit)


def _ends(names: Iterable[str], heard: Heard) -> tuple[Word, Word]:
    """The first and the last word of these lemmas."""
    places = [heard.places[name] for name in names]
    return heard[min(each[0] for each in places)], heard[max(each[-1] for each in places)]


def _further(claim: Claim, heard: Heard) -> frozenset[str]:
    """Names and words of content that the claim lacks, but for values, and the claim's numbers that are not heard."""
    numbers = {name for name in claim.anchors if name.startswith("#") and name not in heard.places}
    if claim.names_writing:
        # Which of the words are what is written cannot be told.
        return frozenset(numbers)
    names, content = heard.once("further", lambda: _told(heard))
    return frozenset(names | numbers | (content - claim.anchors.keys()))


def _told(heard: Heard) -> tuple[frozenset[str], frozenset[str]]:
    """Its names, and its words of content that are no values."""
    names = (word.text for before, word in pairwise(heard) if before.is_content and _NAME.fullmatch(word.text))
    values = {at for first, end, _ in relations(heard) for at in range(first, end)}
    values |= {at for at, word in enumerate(heard) if word.lemma in EXCLUSIVE or word.value is not None}
    return frozenset(names), frozenset(
        word.lemma for at, word in enumerate(heard) if word.is_content and at not in values
    )


class Likeness(NamedTuple):
    """How a sentence's words compare with the anchors.

    share: the weight of the anchors that it mentions, in [0, 1].
    order: the share of the claim's neighbouring words that are neighbours here too.
    further: its words of content that the claim lacks.
    terse: whether it is short and all of its content the claim's, as in `- 2019: 40`.
    whole: whether no word of content or place is missing and the order is largely kept.
    """

    share: float
    order: float
    further: int
    terse: bool
    whole: bool


def _likeness(claim: Claim, heard: Heard) -> Likeness:
    lemmas, content = heard.places, heard.content
    own, count = heard.once("own", lambda: _own(heard))
    pairs = claim.pairs & heard.pairs
    order = len(pairs) / len(claim.pairs) if claim.pairs else 1.0
    kept = order >= _KEPT_ORDER or len(claim.pairs) < TERSE
    return Likeness(
        share=sum(weight for name, weight in claim.anchors.items() if name in lemmas) / claim.weight,
        order=order,
        further=len(content) - sum(len(lemmas[name]) for name in claim.content if name in lemmas),
        terse=count <= TERSE and own <= claim.anchors.keys(),
        whole=kept and claim.needed <= lemmas.keys(),
    )


def _own(heard: Heard) -> tuple[frozenset[str], int]:
    """Its words of content but for those of every chart and link, and how many words they are."""
    own = [name for name in heard.content if name not in CHART_WORDS and name not in COPULAS]
    return frozenset(own), len(own)


def _support(claim: Claim, likeness: Likeness, said: list[bool | None]) -> float:
    """The share of the claim that is there, a little less for words out of order and for further words."""
    terse = likeness.terse and bool(said) and None not in said
    share = max(likeness.share, 0.9) if terse else likeness.share
    anchors, slots = sum(claim.anchors.values()), _SLOT_WEIGHT * len(said)
    share = (share * anchors + _SLOT_WEIGHT * said.count(True)) / (anchors + slots)
    share *= 1.0 if likeness.whole or terse else _PARTIAL
    return max(0.0, share * (0.9 + 0.1 * likeness.order) - 0.01 * min(likeness.further, 5))


def _agrees(slot: Slot, negated: bool, heard: Heard) -> bool | None:
    said = slot.said(heard)
    return said if said is None else said is not negated


def _flipped(claim: Claim, names: Iterable[str], heard: Heard) -> list[str]:
    """Of the anchors that are heard, those negated on one side only, wherever they stand in the sentence."""
    found = [name for name in names if heard.negated(name) is (name not in claim.negated)]
    # Sums of weights depend on their order in the last bit.
    return sorted(found, key=heard.places.__getitem__)
