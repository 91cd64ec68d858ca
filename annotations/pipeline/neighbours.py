"""The fifth step: false neighbours of facts in anybody's words, as a careless look at the same image would have them.

| kind | of | a false neighbour |
|---|---|---|
| value, cell | The bar for 2019 is 45. | The bar for 2019 is 50. (what another bar is; else a number near by) |
| count | There are three red balls. | There are four red balls. |
| colour | The large ball is red. | The large ball is blue. |
| text | The sign reads "STOP". | The sign reads "YIELD". (what another fact quotes) |
| relation, order | The cup is left of the plate. | The cup is right of the plate. |
| element | A is above B. | B is above A. |

Each says of one thing what cannot hold beside the fact itself, and is left out where another fact says it, or where the
rules take it for said by the facts: whoever says what is true would pay for it. Facts in the words of `english` get
those of `distractors`, which are surer. With a model, it is asked whether the facts imply one.
"""

from __future__ import annotations

import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from functools import partial
from typing import Literal, cast

from pydantic import BaseModel

from perception_reward.annotations.distractors import LEAST_SHARE, MOST, MOST_OF_ONE, with_distractors
from perception_reward.annotations.english import read_sentence
from perception_reward.annotations.language.geometry.elements import Element
from perception_reward.annotations.language.numbers import Number, in_words, numbers_in
from perception_reward.annotations.model import Annotation
from perception_reward.annotations.pipeline.asks import Ask, Steps
from perception_reward.annotations.pipeline.prompts import Prompt
from perception_reward.annotations.pipeline.wording import wording
from perception_reward.trainer_client.wire import Fact

ENTAILED = "the other facts imply it, says the model"
# Pairs that cannot both hold of the same two things, or of one.
_OPPOSITES = (
    "left|right above|below over|under taller|shorter larger|smaller bigger|smaller longer|shorter higher|lower"
    " more|fewer before|after inside|outside horizontal|vertical increases|decreases increasing|decreasing"
    " rises|falls highest|lowest largest|smallest tallest|shortest longest|shortest most|least top|bottom first|last"
    " parallel|perpendicular open|closed on|off full|empty dark|light older|younger"
)
_OPPOSITE = {
    one: other
    for pair in _OPPOSITES.split()
    for one, other in (tuple(pair.split("|")), tuple(reversed(pair.split("|"))))
}
# "On" and "before" are more often something else; only as states and between events.
_ONLY_LAST = frozenset({"on", "off", "open", "closed", "full", "empty", "dark", "light"})
_ADJECTIVES = frozenset({"left", "right", "light", "dark", "first", "last", "over", "under"})
_CORNER = re.compile(r"\s+(?:left|right|corner|half|part|edge|row)\b")
_SUPERLATIVES = frozenset({"highest", "lowest", "largest", "smallest", "tallest", "shortest", "longest"})
_ORDERING = re.compile("left|right|above|below|taller|shorter|larger|smaller|longer|higher|lower|before|after|behind")
_SIDES = re.compile(
    r"\A(?P<one>[A-Z][\w' ]{0,40}?) (?P<how>is (?:to the )?(?:left of|right of|above|below|taller than|shorter than"
    r"|larger than|smaller than|longer than|higher than|lower than|before|after|behind|in front of)) "
    r"(?P<other>[^.,;]{1,40})\.?\Z"
)
_QUOTED = re.compile(r"[\"“]([^\"”]{1,80})[\"”]")
_BOUND = re.compile(
    r"\b(?:at least|at most|more than|less than|fewer than|over|under|about|around|approximately|between)\b", re.I
)
# What is written on a thing; nothing else is written there.
_NAMED = re.compile(r"\b(?:reads?|says?|titled|labell?ed|named|called|headed|is|shows?):? [\"“]")
# "One of the dice shows a five", "there are pots on the shelf" and "trucks are parked outside" leave room for others.
_ONE_OF_MANY = re.compile(
    r"\A\W*(?:an?|one of|some|another|any|most|several|many|exactly|two|three|four|five|there (?:is|are))\b"
    r"|\b(?:an?|one of|some|another) [\w ]+ (?:named|called|of)\b"
    r"|\A\W*(?!(?:the|th[eo]se|its|his|her|their|all|both|each|in|on|at|for|from|of)\b)(?:(?! and )[^,.])*?"
    r"\b(?:are|were|have)\b",
    re.I,
)
# Of "the green blocks are of metal" there may be white ones too; what is said of a thing is its colour.
_PREDICATED = re.compile(
    r"\b(?:is|are|was|were|has|have|looks?)\s+(?:(?:an?|all|light|dark|bright|mostly)\s+)*\Z", re.I
)
_VERB = re.compile(
    r"\b(?:is|are|was|were|has|have|had|comes?|lies|stands?|sits|gets?|got|scores?|fell|rose|runs?|gave|belongs?)\b"
)
_VERBS = frozenset({"increases", "decreases", "rises", "falls", "increasing", "decreasing"})
# Shades of which one may be taken for the other.
_SHADES = (
    "grey gray silver white|gold yellow orange beige|red maroon orange brown|purple violet magenta pink"
    "|blue navy cyan teal turquoise|green teal turquoise|black navy"
)
_ALIKE = tuple(set(group.split()) for group in _SHADES.split("|"))
_COMMON_COLOURS = ("red", "blue", "green", "yellow", "black", "white")


class Entailment(BaseModel):
    """Whether the facts make a statement true."""

    verdict: Literal["true", "false", "open"]


@dataclass(slots=True)
class Distracted:
    """An annotation with its distractors. dropped: (text, why)."""

    annotation: Annotation
    dropped: list[tuple[str, str]] = field(default_factory=list["tuple[str, str]"])
    added: Counter[str] = field(default_factory=Counter[str])


@dataclass(frozen=True, slots=True)
class Distracting:
    """How distractors are made. most: of one annotation. entailed: the prompt that asks a model, if one is asked.

    heard: whether a judge takes a statement, the second, for said by a text, the first; one that knows no model.
    """

    most: int = MOST
    seed: int = 0
    entailed: Prompt | None = None
    heard: Callable[[str, str], bool] = lambda text, statement: False

    def step(self, annotation: Annotation) -> Steps[Distracted]:
        """The annotation with its distractors; the same seed gives the same ones."""
        sure = with_distractors(annotation, most=self.most, seed=self.seed)
        room = self.most - sum(fact.polarity == "distractor" for fact in sure.facts)
        found = Distracted(sure)
        facts = "\n".join(fact.text for fact in annotation.facts if fact.polarity == "present")
        drawn = list(_drawn(sure, room, random.Random(f"{self.seed}/{annotation.id}"), partial(self.heard, facts)))
        if self.entailed is not None and drawn:
            prompt = self.entailed
            answers = yield [
                Ask(
                    prompt.version,
                    prompt.filled(facts=facts, statement=one.text),
                    form=Entailment,
                    expected=12,
                    supposed='{"verdict":"false"}',
                )
                for one in drawn
            ]
            verdicts = [one.value.verdict if isinstance(one.value, Entailment) else "" for one in answers]
            found.dropped = [(one.text, ENTAILED) for one, said in zip(drawn, verdicts, strict=True) if said == "true"]
            drawn = [one for one, said in zip(drawn, verdicts, strict=True) if said != "true"]
        found.annotation = sure.model_copy(update={"facts": [*sure.facts, *drawn]}) if drawn else sure
        known = len(annotation.facts)
        found.added.update(fact.kind for fact in found.annotation.facts[known:])
        return found


def _drawn(annotation: Annotation, room: int, rng: random.Random, heard: Callable[[str], bool]) -> Iterator[Fact]:
    """Up to `room` new distractors of facts in other words than `english`: one of each first."""
    present = [fact for fact in annotation.facts if fact.polarity == "present"]
    said = {wording(fact.text).key for fact in annotation.facts}
    taken = {fact.id for fact in annotation.facts}
    free = [fact for fact in present if read_sentence(fact.text) is None]
    rng.shuffle(free)
    queues = [(fact, false_neighbours(fact.text, [one.text for one in present], rng)) for fact in free]
    for fact, neighbours in queues * MOST_OF_ONE:
        for text, kind in neighbours:
            if room <= 0:
                return
            if wording(text).key in said or heard(text):
                continue
            said.add(wording(text).key)
            number = next(n for n in range(1, len(taken) + 2) if f"{fact.id}-d{n}" not in taken)
            taken.add(f"{fact.id}-d{number}")
            room -= 1
            named = {"id": f"{fact.id}-d{number}", "text": text, "kind": kind}
            yield fact.model_copy(update={**named, "polarity": "distractor", "confidence": None})
            break


def false_neighbours(text: str, facts: Sequence[str], rng: random.Random) -> Iterator[tuple[str, str]]:
    """Statements that cannot hold beside `text`, with their kind. facts: all that are true, `text` included."""
    yield from _values(text, facts, rng)
    yield from _colours(text, facts, rng)
    yield from _texts(text, facts, rng)
    yield from _swapped(text)
    yield from _opposites(text)


def _values(text: str, facts: Sequence[str], rng: random.Random) -> Iterator[tuple[str, str]]:
    said, found = wording(text), list(numbers_in(text))
    slot = said.slot
    if slot is None or slot[0] not in ("number", "value") or not found or _BOUND.search(text):
        return
    # Of what is said of a figure, the number that is its value, and no part of an expression or a name.
    if found[-1].kind != "cardinal" or said.value != found[-1].value:
        return
    counts = re.match(r"\W*(?:there (?:is|are)|exactly)\b", text, re.I)
    if slot[0] == "number" and ((not counts and _is_one_of_many(text)) or text[: found[-1].start].endswith(":")):
        return
    true = {wording(fact).value for fact in facts if wording(fact).slot == slot}
    value = found[-1].value
    # What the same is of another thing: as many words, and another slot.
    others = [wording(fact) for fact in facts]
    borrowed = [
        one.value
        for one in others
        if one.slot is not None and one.slot != slot and one.slot[0] == slot[0] and _sort(one.slot) == _sort(slot)
    ]
    rng.shuffle(borrowed)
    near = [value + step * (10 if abs(value) >= 40 and value.denominator == 1 else 1) for step in (1, -1, 2, -2, 3)]
    rng.shuffle(near)
    counted = (
        slot[0] == "number"
        and value.denominator == 1
        and re.search(r"\bthere (?:is|are)\b|\bcontains?\b|\bhas\b", text, re.I)
    )
    kind = "count" if counted else "value"
    for other in (*borrowed, *near):
        if not isinstance(other, Fraction) or other <= 0 or other in true or not _differ(value, other):
            continue
        # Not of another order of size, nor "one stars", nor more than all of it.
        alike = value == 0 or Fraction(1, 10) <= other / value <= 10
        turned = slot[0] == "value" and _sort(slot) == "angle" and value < 180 <= other
        if (
            alike
            and not turned
            and not ((counted or counts) and 1 in (value, other))
            and (other <= 100 or not _is_share(text, found[-1]))
        ):
            yield _with(text, found[-1], other), "cell" if other in borrowed and kind == "value" else kind


def _is_share(text: str, number: Number) -> bool:
    return text[number.start : number.end + 1].endswith("%") or text[number.end :].lstrip().startswith(("%", "percent"))


def _is_one_of_many(text: str) -> bool:
    """Whether it says that there is such a thing, so that others may be there too."""
    return _ONE_OF_MANY.search(text) is not None


def _sort(slot: tuple[object, ...]) -> object:
    """Equal for things whose values may be taken for one another: elements of one kind, or as many words."""
    about = slot[1]
    if isinstance(about, Element):
        return "angle" if about.kind == "vertex" else about.kind
    return len(cast("tuple[str, ...]", about))


def _differ(one: Fraction, other: Fraction) -> bool:
    return abs(one - other) > Fraction(LEAST_SHARE) * max(abs(one), abs(other))


def _with(text: str, number: Number, value: Fraction) -> str:
    """The text with another number in a number's place, in words where it was in words."""
    written = text[number.start : number.end]
    whole = value.denominator == 1
    if whole and not any(character.isdigit() for character in written):
        shown = in_words(int(value))
        shown = shown.capitalize() if written[:1].isupper() else shown
    else:
        digits = len(written.partition(".")[2].rstrip("%")) if "." in written else 0
        shown = str(int(value)) if whole and not digits else f"{float(value):.{max(digits, 1)}f}"
    return text[: number.start] + shown + text[number.end :]


def _colours(text: str, facts: Sequence[str], rng: random.Random) -> Iterator[tuple[str, str]]:
    said = wording(text)
    if len(said.colours) != 1 or _is_one_of_many(text):
        return
    colour = said.colours[0]
    if not (place := re.search(rf"\b{colour}\b", text, re.I)) or not _PREDICATED.search(text[: place.start()]):
        return
    others = [one for fact in facts for one in wording(fact).colours] + list(_COMMON_COLOURS)
    rng.shuffle(others)
    alike = {colour}.union(*(group for group in _ALIKE if colour in group))
    true = {wording(fact).value for fact in facts if said.slot is not None and wording(fact).slot == said.slot}
    for other in dict.fromkeys(others):
        if other not in alike and other not in true:
            yield text[: place.start()] + other + text[place.end() :], "colour"


def _texts(text: str, facts: Sequence[str], rng: random.Random) -> Iterator[tuple[str, str]]:
    quoted = _QUOTED.findall(text)
    if len(quoted) != 1 or not _NAMED.search(text) or _is_one_of_many(text):
        return
    others = [one for fact in facts for one in _QUOTED.findall(fact) if one.casefold() != quoted[0].casefold()]
    rng.shuffle(others)
    for other in dict.fromkeys(others):
        yield text.replace(quoted[0], other, 1), "text"


def _swapped(text: str) -> Iterator[tuple[str, str]]:
    if match := _SIDES.fullmatch(text):
        one, other = match["one"], match["other"]
        named = {part.split()[0].istitle() and part.split()[0] != "The" for part in (one, other)}
        if one.split()[0] in ("In", "At", "On", "For", "From") or other.endswith("'s") or _is_one_of_many(text):
            return
        # A thing and a name, or a number, do not change places.
        if not re.match(r"(?:the\b|[A-Z])", other) or len(named) > 1:
            return
        lowered = one[0].lower() + one[1:] if one.split()[0] == "The" else one
        yield f"{other[0].upper()}{other[1:]} {match['how']} {lowered}.", "element"


def _opposites(text: str) -> Iterator[tuple[str, str]]:
    """The opposite of what is said of a thing; what says which thing is meant stays."""
    words = list(re.finditer(r"[A-Za-z]+", text))
    named = {word[0].lower() for word in words}
    verb = _VERB.search(text)
    if named & {"not", "no", "never"} or _is_one_of_many(text):
        return
    for at, word in enumerate(words):
        lowered = word[0].lower()
        other = _OPPOSITE.get(lowered)
        if other is None or other in named or (lowered in _ONLY_LAST and at < len(words) - 1):
            continue
        if lowered not in _VERBS and (verb is None or word.start() < verb.end()):
            continue
        # What falls in a range does not move.
        if lowered in _VERBS and re.match(r"\s+(?:in|on|under|within|between)\b", text[word.end() :]):
            continue
        # "The right triangle", "57 tiles are left": said of a thing, and not of its place.
        if lowered in _ADJECTIVES and not _is_place(text, word.start(), word.end()):
            continue
        if len(named & _SUPERLATIVES) > 1:
            continue
        if lowered == "lower" and _CORNER.match(text, word.end()):
            other = "upper"
        yield text[: word.start()] + other + text[word.end() :], "order" if _ORDERING.search(lowered) else "relation"


def _is_place(text: str, start: int, end: int) -> bool:
    behind = re.match(r"\s+(?:of|than|side|row|column|edge|end|half|pan|corner|panel)\b", text[end:])
    before = re.search(r"\b(?:at|on|in|to) the (?:\w+ )?\Z", text[:start]) and re.match(r"\W*\Z", text[end:])
    return bool(behind or before)


@dataclass(slots=True)
class NeighbourReport:
    """What was added, by kind."""

    annotations: int = 0
    without: int = 0
    added: Counter[str] = field(default_factory=Counter[str])
    dropped: Counter[str] = field(default_factory=Counter[str])

    def add(self, found: Distracted) -> None:
        self.annotations += 1
        self.without += not any(fact.polarity == "distractor" for fact in found.annotation.facts)
        self.added += found.added
        self.dropped.update(why for _, why in found.dropped)

    def lines(self) -> list[str]:
        """For people."""
        total = self.added.total()
        told = [f"{self.annotations} annotations, {total} distractors; {self.without} annotations without any"]
        told += [f"  {kind}: {count}" for kind, count in self.added.most_common()]
        return told + [f"{count} dropped: {why}" for why, count in self.dropped.most_common()]
