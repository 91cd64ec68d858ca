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
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from perception_reward.service.judges.base import Verdict
from perception_reward.service.judges.symbolic.alternatives import offered
from perception_reward.service.judges.symbolic.anchors import TERSE, Claim, read_claim
from perception_reward.service.judges.symbolic.document import Document, Sentence
from perception_reward.service.judges.symbolic.lexicon import CHART_WORDS, COPULAS, EXCLUSIVE, OTHERS, TOTALS
from perception_reward.service.judges.symbolic.slots import Slot, Text, relations
from perception_reward.service.judges.symbolic.words import Word, words
from perception_reward.trainer_client.wire import Fact

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
class Evidence:
    """What one sentence, of the words `heard`, says about a claim: support and denial in [0, 1]."""

    support: float
    denial: float
    start: int
    end: int
    sentence: Sentence
    heard: tuple[Word, ...]
    other: bool = False
    total: bool = False


@dataclass(frozen=True, slots=True)
class Unit:
    """What is compared with a fact: a sentence's words, or a table cell's under its headings; `lemmas` are theirs."""

    sentence: Sentence
    heard: tuple[Word, ...]
    lemmas: frozenset[str]


def units_of(document: Document) -> tuple[Unit, ...]:
    """A document's units, to be made once for all its facts."""
    return tuple(
        Unit(sentence, heard, frozenset([word.lemma for word in heard])) for sentence, heard in _units(document)
    )


def decide(fact: Fact, units: Sequence[Unit]) -> Verdict:
    """The verdict on any fact by its words, slots and the sentences' moods. Never raises."""
    claim = read_claim(fact.text)
    if not claim.anchors and not claim.slots:
        return Verdict("absent", 0.05, None, 0.2)
    found = list(_evidence(claim, units))
    if not found:
        return Verdict("absent", 0.02, None, 0.85)
    return _verdict(claim, found)


def _verdict(claim: Claim, found: list[Evidence]) -> Verdict:
    committed = [item for item in found if item.sentence.mood(item.start, item.end) in ("asserted", "weak", "negated")]
    best = max(committed, key=lambda item: item.support, default=None)
    stated = best is not None and best.support >= _STATED
    partial = stated and best is not None and best.total
    denials = [item for item in committed if item.denial > 0 and not (stated and (item.other or partial))]
    if denials and stated and best is not None:
        further = _further(claim, best.heard)
        denials = [item for item in denials if _further(claim, item.heard) <= further]
    denial = max(denials, key=lambda item: item.denial, default=None)
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


def _is_offered(claim: Claim, found: list[Evidence]) -> bool:
    """Whether the claim's value is one of several that the response leaves open."""
    return (
        bool(claim.slots)
        and claim.is_typed
        and any(
            item.sentence.mood(item.start, item.end) == "hedged" and offered(item.sentence.text, item.start, item.end)
            for item in found
            if item.support >= _OFFERED or item.denial > 0
        )
    )


def _span(item: Evidence) -> tuple[int, int]:
    return item.sentence.source(item.start, item.end)


def _evidence(claim: Claim, units: Sequence[Unit]) -> Iterator[Evidence]:
    anchors = claim.anchors.keys()
    for unit in units:
        if not anchors.isdisjoint(unit.lemmas):
            evidence = _compare(claim, unit.sentence, unit.heard)
            if evidence is not None:
                yield evidence


def _units(document: Document) -> Iterator[tuple[Sentence, tuple[Word, ...]]]:
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


def _parts(sentence: Sentence) -> Iterator[tuple[Word, ...]]:
    """A sentence's words; what it says is not so by itself, without the "not" of the rest."""
    start, end = sentence.denied
    if start == end:
        yield words(sentence.text)
        return
    for first, last in ((0, start), (start, end), (end, len(sentence.text))):
        yield tuple(_moved(words(sentence.text[first:last]), first))


def _cells(cells: list[tuple[str, int]], headings: list[tuple[str, int]]) -> Iterator[tuple[Word, ...]]:
    (name, at), *rest = cells
    title = _moved(words(name), at)
    for index, (cell, start) in enumerate(rest, 1):
        heading = words(headings[index][0]) if index < len(headings) else ()
        linked = Word(":", ":", start, start, None, False, 0)
        yield (*_placed(heading, at), *title, linked, *_moved(words(cell), start))


def _moved(heard: Iterable[Word], by: int) -> list[Word]:
    return [Word(w.lemma, w.text, w.start + by, w.end + by, w.value, w.negated, w.clause) for w in heard]


def _placed(heard: Iterable[Word], at: int) -> list[Word]:
    """A heading's words, standing where the row begins."""
    return [Word(w.lemma, w.text, at, at, w.value, w.negated, w.clause) for w in heard]


def _compare(claim: Claim, sentence: Sentence, heard: tuple[Word, ...]) -> Evidence | None:
    mentioned = [word for word in heard if word.lemma in claim.anchors]
    if not any(word.weight >= 1 for word in mentioned):
        return None
    likeness = _likeness(claim, heard)
    said = [_agrees(slot, negated, heard) for slot, negated in claim.slots]
    flipped = sum(claim.anchors[name] for name in _flipped(claim, mentioned)) / sum(claim.anchors.values())
    speaks = likeness.share >= (_ABOUT_TERSE if likeness.terse else _ABOUT)
    otherwise = {type(slot) for (slot, _), agrees in zip(claim.slots, said, strict=True) if agrees is False}
    denial = likeness.share if speaks and (len(otherwise) == 1 or flipped >= _DENIED) else 0.0
    support = 0.0 if denial or otherwise else _support(claim, likeness, said) * (1 - flipped)
    span = (heard[0], heard[-1]) if said else (mentioned[0], mentioned[-1])
    other = any(word.lemma in OTHERS for word in heard)
    total = support >= _STATED and any(word.lemma in TOTALS for word in heard)
    if sentence.denies(span[0].start, span[1].end):
        support, denial = 0.0, support if support >= _STATED else 0.0
    return Evidence(support, denial, span[0].start, span[1].end, sentence, heard, other, total)


def _further(claim: Claim, heard: tuple[Word, ...]) -> frozenset[str]:
    """Names and words of content that the claim lacks, but for values, and the claim's numbers that are not heard."""
    numbers = {name for name in claim.anchors if name.startswith("#")} - {word.lemma for word in heard}
    if any(isinstance(slot, Text) for slot, _ in claim.slots):
        # Which of the words are what is written cannot be told.
        return frozenset(numbers)
    names = {word.text for before, word in pairwise(heard) if before.is_content and _NAME.fullmatch(word.text)}
    values = {at for first, end, _ in relations(heard) for at in range(first, end)}
    values |= {at for at, word in enumerate(heard) if word.lemma in EXCLUSIVE or word.value is not None}
    content = {word.lemma for at, word in enumerate(heard) if word.is_content and at not in values}
    return frozenset(names | numbers | (content - claim.anchors.keys()))


@dataclass(frozen=True, slots=True)
class Likeness:
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


def _likeness(claim: Claim, heard: tuple[Word, ...]) -> Likeness:
    lemmas = {word.lemma for word in heard}
    content = [word.lemma for word in heard if word.is_content]
    own = [name for name in content if name not in CHART_WORDS and name not in COPULAS]
    share = sum(weight for name, weight in claim.anchors.items() if name in lemmas) / sum(claim.anchors.values())
    pairs = claim.pairs.intersection(pairwise(content))
    order = len(pairs) / len(claim.pairs) if claim.pairs else 1.0
    missing = any(weight >= 0.5 and name not in lemmas for name, weight in claim.anchors.items())
    kept = order >= _KEPT_ORDER or len(claim.pairs) < TERSE
    return Likeness(
        share=share,
        order=order,
        further=sum(name not in claim.anchors for name in content),
        terse=len(own) <= TERSE and all(name in claim.anchors for name in own),
        whole=kept and not missing,
    )


def _support(claim: Claim, likeness: Likeness, said: list[bool | None]) -> float:
    """The share of the claim that is there, a little less for words out of order and for further words."""
    terse = likeness.terse and bool(said) and None not in said
    share = max(likeness.share, 0.9) if terse else likeness.share
    anchors, slots = sum(claim.anchors.values()), _SLOT_WEIGHT * len(said)
    share = (share * anchors + _SLOT_WEIGHT * said.count(True)) / (anchors + slots)
    share *= 1.0 if likeness.whole or terse else _PARTIAL
    return max(0.0, share * (0.9 + 0.1 * likeness.order) - 0.01 * min(likeness.further, 5))


def _agrees(slot: Slot, negated: bool, heard: tuple[Word, ...]) -> bool | None:
    said = slot.said(heard)
    return said if said is None else said is not negated


def _flipped(claim: Claim, mentioned: list[Word]) -> list[str]:
    """The anchors that are negated on one side only, wherever they stand in the sentence."""
    flags: dict[str, set[bool]] = {}
    for word in mentioned:
        flags.setdefault(word.lemma, set()).add(word.negated)
    return [name for name, found in flags.items() if found == {name not in claim.negated}]
