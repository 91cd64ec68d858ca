"""Facts that are not geometry: how much of one a response says close together, and what stands in its values' places.

    decide(Fact(id="f", text="There are three dogs."), Passages(read("I see 2 dogs.")))   # contradicted

A fact is a list of terms. What a response says of it is told by five numbers (`Features`), and a softmax regression
makes probabilities of them. Its weights are in `coverage.toml` (`make fit-coverage` fits them, `packaged` reads them).
Only what the response asserts counts: what is supposed, asked, hedged, quoted or offered is no statement.

Whatever the weights say, a fact whose value stands in no better place than another one, and one that is denied as fully
as it is said, is contradicted, and one of which no more than the value is said is not stated: a response cannot earn a
fact by saying everything.
"""

from __future__ import annotations

import math
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from importlib import resources
from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

import tomllib

from perception_reward.annotations.language.sentences import read
from perception_reward.service.judges.base import Verdict
from perception_reward.service.judges.symbolic.passages import Passage, Passages
from perception_reward.service.judges.symbolic.roles import Roles, from_its_side, roles_of
from perception_reward.service.judges.symbolic.terms import NAMING, NUMBERS, QUOTES, TEXT, YEAR, Key, Term, heard
from perception_reward.trainer_client.wire import Fact, Label

# Terms of a fact that are looked for, and units in which their places are: those that share most with the fact.
MOST_TERMS = 32
MOST_COMPARED = 48
# Values of one kind in one unit that are compared with a fact's.
_MOST_RIVALS = 16
# A number is tied half as closely to what it does not stand before: in "five chairs and four plates" four are plates.
_OF_OTHERS = 0.5
# Words over which two terms belong together: at this distance the tie is weaker by the factor e.
_REACH = 8.0
# Another value that is less close by this much is well behind.
_AHEAD = 0.4
# By this share of its own closeness a value has to lead over others in the same words.
_LEAD = 0.02
# A value that stands this much less closely is still one of two that a sentence gives in the same words.
_TWICE = 0.1
# So many values in a list leave it open which one is meant; and what stands between two of these.
_LISTED = 3
_BETWEEN = re.compile(r"[%°\"”]?\s*[,/;]?\s*(?:\b(?:and|or)\b\s*)?(?:an?\s+)?[$€£\"“]?")
_LETTER = re.compile(r"[^\W\d_]")
# From this coverage on, a sentence says the fact, or denies it.
_SAYS = 0.75
# The most that a fact which is not said is given for it.
_UNSAID = 0.49
# From here on nothing of it is missing.
_ALL = 0.999
LABELS: Final[tuple[Label, ...]] = ("stated", "contradicted", "absent")

# Sets of a fact's terms, as bits.
_Masks: TypeAlias = "dict[int, int]"


class Features(NamedTuple):
    """What a response says of a fact, each in [0, 1] but `lead`, in [-1, 1].

    near: the share of its terms in the sentence that has most of them; none where a number of the fact's is not there.
    anywhere: their share in the whole response.
    number: 1 where the fact has a number.
    bound: how closely its value stands with the fact's other terms, the least of its values; 0 without values.
    lead: how much more closely than another value of the same kind; 1 for any value that is well ahead.
    """

    near: float
    anywhere: float
    number: float
    bound: float
    lead: float


class Seen(NamedTuple):
    """Features, what of them no fit may overrule, and where the response speaks of the fact.

    mentioned: `near` with what the response does not assert.
    denied: the share of its terms in the sentence that has most of them and denies one that the fact does not, or the
        other way round.
    rivalled: another value stands where its own does. lacking: nothing is said of what it is about.
    best: the unit that says most of it.
    """

    features: Features
    mentioned: float
    denied: float
    rivalled: bool
    lacking: bool
    best: int | None


@dataclass(frozen=True, slots=True)
class Wanted:
    """A fact's terms: each key's bit, its kind, whether the fact denies it, and what stands on either side of one."""

    bits: dict[Key, int]
    kinds: dict[Key, str]
    denied: frozenset[Key]
    roles: Roles | None = None

    @property
    def numbers(self) -> int:
        return _union(bit for key, bit in self.bits.items() if key[0] in NUMBERS)

    @property
    def values(self) -> list[Key]:
        return [key for key in self.bits if self.kinds[key]]

    def is_plain(self, term: Term) -> bool:
        """Whether it is no value of any kind that the fact is about."""
        return not term.kind or (term.kind in (TEXT, YEAR) and term.kind not in self.kinds.values())

    def lacks(self, mask: int) -> bool:
        """Whether these terms have none of the fact's plain words, or nothing of one of two things that it compares."""
        words = [key for key in self.bits if isinstance(key, str) and not self.kinds[key]]
        sides = (self.roles.first, (self.roles.second,)) if self.roles else ()
        return any(not any(mask & self.bits.get(key, 0) for key in about) for about in (*sides, words) if about)

    def share(self, mask: int) -> float:
        """How much of the fact these terms are; nothing without its numbers."""
        return mask.bit_count() / len(self.bits) if mask & self.numbers == self.numbers else 0.0


@lru_cache(maxsize=4096)
def wanted(text: str) -> Wanted:
    """The terms of a fact's text."""
    found: dict[Key, Term] = {}
    roles: list[Roles | None] = []
    for sentence in read(text).sentences:
        said = heard(sentence)
        roles.append(roles_of(sentence.text, said))
        for term in said:
            # A fact's "no" is in what it denies.
            if len(found) < MOST_TERMS and sentence.text[term.start : term.end].lower() != "no":
                found.setdefault(term.key, term)
    # Capitals alone may be any abbreviation; a fact that is about a text has it in quotes.
    if not QUOTES.intersection(text):
        found = {key: replace(term, kind="") if term.kind == TEXT else term for key, term in found.items()}
    # A year is what the fact tells where it tells no amount, and else when.
    if any(term.kind == "number" for term in found.values()):
        found = {key: replace(term, kind="") if term.kind == YEAR else term for key, term in found.items()}
    return Wanted(
        {key: 1 << at for at, key in enumerate(found)},
        {key: term.kind for key, term in found.items()},
        frozenset(key for key, term in found.items() if term.denied),
        roles[0] if len(roles) == 1 else None,
    )


def decide(fact: Fact, units: Passages) -> Verdict:
    """The verdict on any fact by its terms and the sentences' moods. Never raises."""
    sought = wanted(fact.text)
    if not sought.bits:
        return Verdict("absent", 0.05, None, 0.2)
    seen = look(sought, units)
    if seen.best is None:
        return Verdict("absent", 0.02, None, 0.85, truncated=units.truncated)
    chances = probabilities(seen.features, packaged())
    label, settled = label_of(seen, chances)
    stated = chances["stated"] if label == "stated" else min(chances["stated"], _UNSAID)
    return Verdict(
        label,
        stated,
        _span(sought, units.all[seen.best]) if label != "absent" else None,
        chances[label] if not settled else max(0.6, chances[label]),
        contradiction=min(chances["contradicted"], 1.0 - stated),
        truncated=units.truncated,
        settled=settled,
    )


def label_of(seen: Seen, chances: Mapping[Label, float]) -> tuple[Label, bool]:
    """The label, and whether it stands whatever the chances: what is also ruled out, or only mentioned."""
    near = seen.features.near
    if seen.denied >= max(near, _SAYS) or (seen.rivalled and near >= _SAYS):
        return "contradicted", near >= _ALL
    if near < _SAYS <= seen.mentioned:
        return "absent", seen.mentioned >= _ALL
    if chances["stated"] >= 0.5 and not seen.lacking:
        return "stated", False
    return max(("contradicted", "absent"), key=lambda label: chances[label]), False


def look(sought: Wanted, units: Passages) -> Seen:
    """What the units say of a fact. The work is bounded by the places of its terms."""
    units = from_its_side(sought.roles, units) if sought.roles else units
    said: _Masks = defaultdict(int)
    mentioned: _Masks = defaultdict(int)
    against: _Masks = defaultdict(int)
    for key, bit in sought.bits.items():
        for at, found in units.places.get(key, {}).items():
            mentioned[at] |= bit
            for term in found:
                if not term.idle:
                    said[at] |= bit
                    if term.denied != (key in sought.denied) and (key in sought.denied or not sought.denied):
                        against[at] |= bit
    plain = {at: mask & ~against.get(at, 0) for at, mask in said.items()}
    near, best = _most(sought, plain)
    anywhere = _union(said.values())
    bound, lead, rivalled = _bound(sought, units, said)
    return Seen(
        Features(
            near,
            anywhere.bit_count() / len(sought.bits),
            float(bool(sought.numbers)),
            bound,
            math.tanh(lead / _AHEAD),
        ),
        mentioned=_most(sought, mentioned)[0],
        denied=max((said[at].bit_count() for at in against), default=0) / len(sought.bits),
        rivalled=rivalled,
        lacking=sought.lacks(anywhere),
        best=min(mentioned, default=None) if best is None else best,
    )


def _most(sought: Wanted, masks: Mapping[int, int]) -> tuple[float, int | None]:
    """The largest share in one unit, and the first that has it."""
    best = max(masks, key=lambda at: (sought.share(masks[at]), masks[at].bit_count(), -at), default=None)
    return (0.0, None) if best is None or not masks[best] else (sought.share(masks[best]), best)


def _union(masks: Iterable[int]) -> int:
    whole = 0
    for mask in masks:
        whole |= mask
    return whole


class _Place(NamedTuple):
    """Where a value of the fact's kind stands: how closely with the fact's other terms, and in which unit."""

    tie: float
    unit: int
    at: int
    own: bool


def _bound(sought: Wanted, units: Passages, said: Mapping[int, int]) -> tuple[float, float, bool]:
    """How closely the fact's values stand with its other terms, the least lead over others in their places, and
    whether one of these is worded alike."""
    least, lead, rivalled = 1.0, 1.0, False
    for key in sought.values:
        places = list(_places(sought, key, units, said))
        own = max((place.tie for place in places if place.own), default=0.0)
        other = max((place.tie for place in places if not place.own), default=0.0)
        least, lead = min(least, own), min(lead, own - other)
        told = own > 0 and sought.kinds[key] not in NAMING
        rivalled = rivalled or (told and _worded_alike(sought, key, units, places, own))
    return (least, lead, rivalled) if sought.values else (0.0, 0.0, False)


def _worded_alike(sought: Wanted, key: Key, units: Passages, places: Sequence[_Place], own: float) -> bool:
    """Whether another value stands as close as the fact's: beside it, or in words that say nothing more."""
    further: dict[int, set[Key]] = {}
    alike = [place for place in places if place.tie >= own * (1 - _LEAD)]
    for unit in {place.unit for place in alike}:
        further[unit] = {term.key for term in units.all[unit].terms if sought.is_plain(term)} - sought.bits.keys()
    with_others = {place.unit for place in places if not place.own and place.tie >= own * (1 - _TWICE)}
    for mine in (place for place in alike if place.own):
        others = [place for place in alike if not place.own]
        beside = [place for place in others if place.unit == mine.unit]
        if any(further[place.unit] <= further[mine.unit] for place in others if place.unit != mine.unit):
            return True
        if any(place.tie <= own for place in beside):
            return True
        if mine.unit in with_others and _said_twice(sought, key, units.all[mine.unit]):
            return True
        if _in_a_row(units.all[mine.unit], mine.at) >= _LISTED:
            return True
    return False


def _said_twice(sought: Wanted, key: Key, unit: Passage) -> bool:
    """Whether a sentence has all that the fact says besides a value two times, as one that gives it two values has."""
    told = Counter(term.key for term in unit.terms)
    rest = sought.bits.keys() - {key}
    return bool(rest) and all(told[other] > 1 for other in rest)


def _in_a_row(unit: Passage, at: int) -> int:
    """How many values stand in the list that holds the one at `at`, those that are only offered included."""
    terms = sorted(unit.terms, key=lambda term: term.at)
    place = next(place for place, term in enumerate(terms) if term.at == at)
    first = last = place
    while first > 0 and _is_listed(unit, terms[first - 1], terms[first]):
        first -= 1
    while last + 1 < len(terms) and _is_listed(unit, terms[last], terms[last + 1]):
        last += 1
    return last + 1 - first


def _is_listed(unit: Passage, one: Term, other: Term) -> bool:
    between = unit.sentence.text[one.end : other.start]
    return one.kind == other.kind and _BETWEEN.fullmatch(between) is not None


def _places(sought: Wanted, key: Key, units: Passages, said: Mapping[int, int]) -> Iterator[_Place]:
    """The places of a value of the fact's and of others of its kind."""
    rest = len(sought.bits) - 1
    # A fact of nothing but its value is spoken of wherever a sentence has one of its kind.
    masks = said if rest else {at: 0 for at, unit in enumerate(units.all) if _LETTER.search(unit.sentence.text)}
    shared = {at: (mask & ~sought.bits[key]).bit_count() for at, mask in masks.items()}
    for at in sorted((at for at in shared if shared[at] or not rest), key=lambda at: (-shared[at], at))[:MOST_COMPARED]:
        mine, kin = _split(sought, key, units.all[at].terms)
        counting = _counting_others(sought, units.all[at].terms)
        for term in kin[:_MOST_RIVALS]:
            alike = term.denied == (key in sought.denied)
            if alike or term.key == key:
                tie = _tie(term.at, mine) / rest if rest else 1.0
                share = _OF_OTHERS if term.at in counting else 1.0
                yield _Place(tie * share, at, term.at, alike and term.key == key)


def _split(sought: Wanted, key: Key, found: Iterable[Term]) -> tuple[Sequence[list[int]], list[Term]]:
    """The places of the fact's other terms, each term's in order, and the values of this one's kind."""
    mine: dict[Key, list[int]] = defaultdict(list)
    kin: list[Term] = []
    for term in found:
        if term.idle:
            continue
        if term.key != key and term.key in sought.bits:
            mine[term.key].append(term.at)
        elif term.kind == sought.kinds[key]:
            kin.append(term)
    return list(mine.values()), kin


def _counting_others(sought: Wanted, found: Sequence[Term]) -> set[int]:
    """Where numbers stand right before a word that the fact does not have."""
    return {
        term.at
        for term, behind in pairwise(found)
        if term.kind == "number" and behind.at == term.at + 1 and not (behind.kind or behind.key in sought.bits)
    }


def _tie(at: int, places: Iterable[list[int]]) -> float:
    return sum(math.exp(-_distance(at, each) / _REACH) for each in places)


def _distance(at: int, places: list[int]) -> int:
    after = bisect_left(places, at)
    return min(abs(at - place) for place in places[max(0, after - 1) : after + 1])


def _span(sought: Wanted, unit: Passage) -> tuple[int, int] | None:
    found = [term for term in unit.terms if term.key in sought.bits]
    return unit.sentence.source(found[0].start, found[-1].end) if found else None


# --- the fit ----------------------------------------------------------------------------------------------------------

Weights: TypeAlias = "Mapping[str, Sequence[float]]"
"""For each feature, and `bias`, what it adds to the log-odds of `stated` and `contradicted` over `absent`."""


@cache
def packaged() -> Weights:
    text = resources.files(__package__ or "").joinpath("coverage.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)["weights"]


def probabilities(features: Features, weights: Weights) -> dict[Label, float]:
    """One for each label; their sum is 1."""
    odds = [*map(float, weights["bias"]), 0.0]
    for name, value in features._asdict().items():
        for at, weight in enumerate(weights[name]):
            odds[at] += weight * value
    powers = [math.exp(odd - max(odds)) for odd in odds]
    return {label: power / sum(powers) for label, power in zip(LABELS, powers, strict=True)}
