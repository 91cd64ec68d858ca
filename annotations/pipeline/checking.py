"""The fourth step: what of the claims may be held against a response, and how sure it is.

    checked = check_claims(group)                           # all trajectories of one problem
    checked.kept, checked.dropped

Each claim passes the rules below, those of all trajectories are joined, and the share of trajectories that make a
claim, taken for each model and averaged over them, is its confidence. What is dropped is kept beside, with the reason;
what is flagged stays in the store with an origin that does not count.

| rule | what happens |
|---|---|
| it says the reference answer of what is asked | dropped |
| it is vague: a pronoun, a hedge, nothing particular | dropped |
| its words do not support it: they are not in the response, or lack its numbers and names | dropped |
| it names what neither the question nor the response names | dropped |
| it contradicts a claim that more trajectories make; of equally many, both | dropped |
| too few trajectories make it | dropped |
| it restates the question | flagged: given |
| it is derived | flagged: derived |
| it repeats another claim | joined with it |
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pydantic import BaseModel

from perception_reward.annotations.english import read_sentence
from perception_reward.annotations.filled import statements_filled
from perception_reward.annotations.language.moods import mood_of
from perception_reward.annotations.model import Annotation, Provenance
from perception_reward.annotations.pipeline.asks import Ask, Steps
from perception_reward.annotations.pipeline.images import ImageFault, Picture
from perception_reward.annotations.pipeline.origins import origin_of
from perception_reward.annotations.pipeline.prompts import Prompt
from perception_reward.annotations.pipeline.rows import Extracted, Problem, Sighting
from perception_reward.annotations.pipeline.wording import Wording, content_words, numbers_of, wording
from perception_reward.trainer_client.reference import options_of, texts_of
from perception_reward.trainer_client.wire import MOST_FACTS, Fact, Origin

LEAKS = "says the answer"
VAGUE = "is vague"
NOT_QUOTED = "rests on words that are not in the response"
UNSUPPORTED = "says more than the words it rests on"
UNNAMED = "names what is not there"
CONTRADICTED = "contradicts other claims"
RARE = "is made by too few trajectories"
DENIED = "is not what the image shows, says the model"
UNCLEAR = "cannot be told from the image, says the model"
REPEATS = "repeats another claim"
RESTATES = "restates the question"
DERIVED = "is derived"
# What makes a claim stay with an origin that does not count.
FLAGS: dict[Origin, str] = {"given": RESTATES, "derived": DERIVED}

_LEAST_FIRST: tuple[Origin, ...] = ("given", "derived", "seen")

# Of a claim's content words, those that the words have which it rests on.
SUPPORTED = 0.5
# Of a claim's content words beside the answer, those of the question, from which on it answers the question.
ASKED = 0.5
_PRONOUN = re.compile(
    r"\A\W*(?:it|its|they|their|this|these|those|he|she|one of them|the other|another)\b", re.IGNORECASE
)
_HEDGE = re.compile(
    r"\b(?:appears?|seems?|probably|possibly|perhaps|maybe|might|could be|roughly|approximately|about|around|some kind"
    r"|sort of|certain|various|several|some|many|etc|unclear|likely|looks like)\b",
    re.IGNORECASE,
)
_EMPTY = re.compile(
    r"\A\W*(?:the|this) (?:image|figure|picture|diagram|graph|chart|photo)\w* "
    r"(?:shows?|is|depicts?|contains?|displays?|has)"
    r"(?: (?:a|an|the))? (?:\w+ )?(?:diagram|figure|graph|chart|image|picture|problem|shape|photo\w*)\W*\Z",
    re.IGNORECASE,
)
_NAMES = re.compile(r"(?<![A-Za-z])[A-Z]{1,4}(?:['′]|_?\d{1,2})?(?![A-Za-z])")
# What a quotation has to have in the same order: numbers and words, each whole, what compares, and a value's sign.
# A mark-up tag is none of them; in scripts without spaces every character is a word.
_QUOTABLE = re.compile(
    r"</?[a-z]{1,9}/?>|(\d+(?:\.\d+)?|[a-zß-öø-ʯͰ-ϿЀ-ԯ]+|[^\W_]|[<>≤≥≠]|(?:(?<=[=(,])|(?<=[=(,] ))[-−](?= ?[\d.]))"
)
# Words in capitals at the beginning of a sentence, and of speech, that name nothing.
_NO_NAMES = frozenset({"I", "A"})


class Verdict(BaseModel):
    """What a model that sees the image says of a claim."""

    verdict: Literal["yes", "no", "unclear"]


@dataclass(slots=True)
class Candidate:
    """A claim of all trajectories that make it. wordings: how often it is put how; origins: what is said of it."""

    claim: Sighting
    said: Wording
    made_by: set[tuple[str, int]] = field(default_factory=set["tuple[str, int]"])
    wordings: Counter[str] = field(default_factory=Counter[str])
    origins: Counter[Origin] = field(default_factory=Counter[Origin])
    confidence: float = 0.0


@dataclass(slots=True)
class Dropped:
    """A claim that is not in the store, or does not count there; detail: what else is to know."""

    claim: Sighting
    why: str
    detail: str = ""
    flagged: bool = False


@dataclass(slots=True)
class Checked:
    """One problem's claims. kept: those of the store, in the order in which they were first made."""

    group: Sequence[Extracted]
    kept: list[Candidate] = field(default_factory=list[Candidate])
    dropped: list[Dropped] = field(default_factory=list[Dropped])


# The images of a problem; raises `ImageFault`.
PicturesOf: TypeAlias = Callable[[Problem], "tuple[Picture, ...]"]


@dataclass(frozen=True, slots=True)
class Checking:
    """How claims are checked. least_confidence: below it they are dropped. look: what asks a model that sees the image,
    and `pictures` what it is shown."""

    least_confidence: float = 0.0
    look: Prompt | None = None
    pictures: PicturesOf | None = None

    def step(self, group: Sequence[Extracted]) -> Steps[Checked]:
        """The claims of one problem."""
        checked = check_claims(group, self.least_confidence)
        if self.look is None or self.pictures is None or not checked.kept:
            return checked
        try:
            pictures = self.pictures(group[0])
        except ImageFault:
            return checked
        seen = [one for one in checked.kept if one.claim.origin == "seen"]
        if not pictures or not seen:
            return checked
        look = self.look
        answers = yield [
            Ask(
                look.version,
                look.filled(statement=one.claim.statement),
                pictures,
                form=Verdict,
                expected=12,
                supposed='{"verdict":"yes"}',
            )
            for one in seen
        ]
        for one, answer in zip(seen, answers, strict=True):
            verdict = answer.value.verdict if isinstance(answer.value, Verdict) else "yes"
            if verdict != "yes":
                checked.kept.remove(one)
                checked.dropped.append(Dropped(one.claim, DENIED if verdict == "no" else UNCLEAR))
        return checked


def check_claims(group: Sequence[Extracted], least_confidence: float = 0.0) -> Checked:
    """The rules, without any model. `group`: the trajectories of one problem."""
    checked = Checked(group)
    candidates: dict[tuple[object, ...], Candidate] = {}
    for row in group:
        for claim in row.claims:
            if why := fault_of(claim, row):
                checked.dropped.append(Dropped(claim, why))
                continue
            claim = claim.model_copy(
                update={"origin": origin_of(claim.statement, claim.quote, row.question, claim.origin)}
            )
            said = wording(claim.statement)
            candidate = candidates.get(said.key)
            if candidate is None:
                candidate = candidates[said.key] = Candidate(claim, said)
            else:
                checked.dropped.append(Dropped(claim, REPEATS, candidate.claim.statement))
            candidate.made_by.add((row.provenance.model or "", row.sample))
            candidate.wordings[claim.statement] += 1
            candidate.origins[claim.origin] += 1
    _settle(candidates.values(), group)
    fit = _without_contradictions(list(candidates.values()), checked)
    for one in fit:
        if one.confidence < least_confidence:
            checked.dropped.append(Dropped(one.claim, RARE, f"confidence {one.confidence:.2f}"))
            continue
        checked.kept.append(one)
        if (flag := FLAGS.get(one.claim.origin)) is not None:
            checked.dropped.append(Dropped(one.claim, flag, flagged=True))
    return checked


def fault_of(claim: Sighting, row: Extracted) -> str:
    """Why a claim cannot be used; empty where it can."""
    if leaks(claim.statement, row):
        return LEAKS
    if is_vague(claim.statement):
        return VAGUE
    if not is_quoted(claim.quote, row.response):
        return NOT_QUOTED
    if not is_supported(claim, row):
        return UNSUPPORTED
    if not _is_named(claim, row):
        return UNNAMED
    return ""


def leaks(statement: str, row: Extracted) -> bool:
    """Whether it says what the reference answer says of what is asked."""
    if re.search(
        r"\b(?:the )?(?:correct |final |right )?(?:answer|option|choice)\b(?: \w+)? (?:is|=)", statement, re.IGNORECASE
    ):
        return True
    if row.answer is None:
        return False
    options = dict(options_of(row.choices or ()))
    for text in texts_of(row.answer):
        answer = options.get(text.strip("(). "), text)
        said = read_sentence(statement)
        if said is not None and any(said.key == one.key for one in statements_filled(row.question, answer)):
            return True
        if _answers(statement, answer, row.question):
            return True
    return False


def _answers(statement: str, answer: str, question: str) -> bool:
    """Whether the statement holds the answer, and is for the rest what the question asks about."""
    values, said = numbers_of(answer), wording(statement)
    if values:
        if not values <= set(said.numbers) or values <= numbers_of(question):
            return False
        rest = said.words
    else:
        answered = content_words(answer)
        if not answered or not answered <= said.words or answered <= content_words(question):
            return False
        rest = said.words - answered
    asked = content_words(question)
    return bool(rest) and len(rest & asked) >= ASKED * len(rest)


def is_vague(statement: str) -> bool:
    """Whether it says nothing that could be held against a response."""
    said = wording(statement)
    if _PRONOUN.match(statement) or _EMPTY.match(statement) or statement.rstrip().endswith("?"):
        return True
    if said.key[0] == "claims":
        return False
    particular = bool(
        said.numbers or said.colours or _NAMES.search(statement[1:]) or '"' in statement or "“" in statement
    )
    if _HEDGE.search(statement) and not said.numbers:
        return True
    if mood_of(statement, 0, len(statement)) in ("hedged", "hypothetical", "question"):
        return True
    return len(said.words) + particular < 2


def is_quoted(quote: str, response: str) -> bool:
    """Whether the words stand in the response, whatever the white space and the marks of emphasis between them; none of
    them as a part of another word or number."""
    words = _quotable(quote)
    return any(map(str.isalnum, words)) and f" {words} " in f" {_quotable(response)} "


def is_supported(claim: Sighting, row: Extracted) -> bool:
    """Whether the words say as much: each number, and half of the content words; names may come from around them."""
    said = wording(claim.statement)
    quoted = numbers_of(claim.quote)
    around = quoted | numbers_of(row.question)
    # The 90 of "a right angle" is no word of anybody's.
    if not {number for number in said.numbers if number != 90 or "right" not in claim.quote} <= around:
        return False
    if said.numbers and not set(said.numbers) & quoted and "right" not in claim.quote:
        return False
    if said.key[0] == "claims" or not said.words:
        return True
    return len(said.words & (content_words(claim.quote) | content_words(row.question))) >= SUPPORTED * len(said.words)


def _is_named(claim: Sighting, row: Extracted) -> bool:
    """Whether every name in it stands in the response or the question; AB does where A and B do."""
    known = "".join(_NAMES.findall(f"{row.response} {row.question} {' '.join(map(str, row.choices or ()))}"))
    statement = claim.statement
    names = [
        name for name in _NAMES.findall(statement) if name not in _NO_NAMES and not statement.startswith(f"{name} ")
    ]
    names += [name for name in _NAMES.findall(statement) if len(name) > 1 and statement.startswith(f"{name} ")]
    return all(name in row.response or all(letter in known for letter in name) for name in names)


def _quotable(text: str) -> str:
    """The parts of a text that count in a quotation, with a space between them."""
    return " ".join(filter(None, _QUOTABLE.findall(" ".join(text.casefold().split())))).replace("−", "-")


def _settle(candidates: Iterable[Candidate], group: Sequence[Extracted]) -> None:
    """Each candidate's wording, origin and confidence."""
    runs = Counter((row.provenance.model or "") for row in group)
    for one in candidates:
        best = max(one.origins.values())
        # Of origins that are said as often, the one that counts least.
        origin = next(name for name in _LEAST_FIRST if one.origins[name] == best)
        statement = one.wordings.most_common(1)[0][0]
        one.claim = one.claim.model_copy(update={"statement": statement, "origin": origin})
        made = Counter(model for model, _ in one.made_by)
        one.confidence = round(sum(made[model] / count for model, count in runs.items()) / len(runs), 4)


def _without_contradictions(candidates: list[Candidate], checked: Checked) -> list[Candidate]:
    """Of claims that give one thing different values, the one that more trajectories make."""
    slots: defaultdict[tuple[object, ...], list[Candidate]] = defaultdict(list)
    for one in candidates:
        if one.said.slot is not None:
            slots[one.said.slot].append(one)
    lost: set[int] = set()
    for rivals in slots.values():
        values = {one.said.value for one in rivals}
        if len(values) < 2:
            continue
        most = max(one.confidence for one in rivals)
        best = [one for one in rivals if one.confidence == most]
        for one in rivals:
            if one is not best[0] or len(best) > 1:
                lost.add(id(one))
                other = next(rival for rival in rivals if rival is not one)
                checked.dropped.append(Dropped(one.claim, CONTRADICTED, other.claim.statement))
    return [one for one in candidates if id(one) not in lost]


def annotation_of(checked: Checked) -> Annotation:
    """The problem with the claims that stay, as the store has it; those made most often, where there are too many."""
    row = checked.group[0]
    ranked = sorted(checked.kept, key=lambda one: -one.confidence)[:MOST_FACTS]
    kept = [one for one in checked.kept if one in ranked]
    facts = [
        Fact(
            id=f"f{number}",
            text=one.claim.statement,
            kind=one.claim.kind,
            origin=one.claim.origin,
            confidence=one.confidence,
        )
        for number, one in enumerate(kept, start=1)
    ]
    return Annotation(
        id=row.id,
        question=row.question,
        answer=row.answer,
        choices=row.choices,
        images=row.images,
        facts=facts,
        provenance=_provenance(checked.group),
    )


def _provenance(group: Sequence[Extracted]) -> Provenance:
    def all_of(values: Iterable[str | None]) -> str | None:
        return "; ".join(dict.fromkeys(value for value in values if value)) or None

    made, found = [row.provenance for row in group], group[0].extraction
    return Provenance(
        source=all_of(row.source or row.provenance.source for row in group),
        method=all_of(("trajectories", found.method)),
        model=all_of((*(one.model for one in made), found.model)),
        created=found.created,
        prompt=all_of((*(one.prompt for one in made), found.prompt)),
        settings=all_of((*(one.settings for one in made), found.settings)),
    )


@dataclass(slots=True)
class CheckReport:
    """What was kept, flagged and dropped, by kind and by reason."""

    problems: int = 0
    without: int = 0
    read: Counter[str] = field(default_factory=Counter[str])
    seen: Counter[str] = field(default_factory=Counter[str])
    reasons: Counter[str] = field(default_factory=Counter[str])
    by_kind: defaultdict[str, Counter[str]] = field(default_factory=lambda: defaultdict(Counter[str]))
    confidence: Counter[int] = field(default_factory=Counter[int])

    def add(self, checked: Checked) -> None:
        self.problems += 1
        self.read.update(claim.kind for row in checked.group for claim in row.claims)
        seen = [one for one in checked.kept if one.claim.origin == "seen"]
        self.without += not seen
        self.seen.update(one.claim.kind for one in seen)
        self.confidence.update(min(9, int(one.confidence * 10)) for one in seen)
        for one in checked.dropped:
            self.reasons[one.why] += 1
            self.by_kind[one.claim.kind][one.why] += 1

    def lines(self) -> Iterator[str]:
        """A table for people: all kinds first, then each kind."""
        total, seen = self.read.total(), self.seen.total()
        yield f"{self.problems} problems, {self.without} without any seen fact; {total} claims, {seen} seen facts"
        yield f"{'':24} {'claims':>8} {'facts':>8}  dropped, flagged or joined"
        for kind, count in (("all kinds", total), *self.read.most_common()):
            reasons = self.reasons if kind == "all kinds" else self.by_kind[kind]
            told = ", ".join(f"{count} {why}" for why, count in reasons.most_common())
            facts = seen if kind == "all kinds" else self.seen[kind]
            yield f"{kind[:24]:24} {count:8} {facts:8}  {told}".rstrip()
