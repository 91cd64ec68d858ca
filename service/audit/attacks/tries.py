"""Probes from the catalogue: each attack on each fact, in each place and spelling, as many as are asked for."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from perception_reward.service.audit.attacks.catalogue import SPELLINGS, Entry, Family, Place, Spelling, Twin
from perception_reward.service.audit.attacks.filling import Filling
from perception_reward.service.audit.probes import Probe, Purpose, probe
from perception_reward.service.audit.subjects import Subject
from perception_reward.service.audit.wordings import any_wording, enclosed, filler, sentence
from perception_reward.service.excerpt import WHOLE
from perception_reward.trainer_client.wire import Label


@dataclass(frozen=True, slots=True)
class _Try:
    """One way to use an entry's text on a subject."""

    subject: Subject
    text: str
    place: Place
    spelling: Spelling


def attacks(family: Family, subjects: Sequence[Subject], most: int, cap: int, rng: random.Random) -> list[Probe]:
    """Up to `most` different probes of a family, of all its texts alike. cap: characters that the judge is shown."""
    paid = [subject for subject in subjects if subject.paid] if family.paid else subjects
    return written_out(family, "attack", family.expected, paid, most, cap, rng)


def written_out(
    entry: Entry,
    purpose: Purpose,
    expected: Label,
    subjects: Sequence[Subject],
    most: int,
    cap: int,
    rng: random.Random,
) -> list[Probe]:
    """Up to `most` different probes whose response is a text of the entry, with what the fact puts into it."""

    def made(chosen: _Try) -> Iterator[Probe]:
        filled = Filling(chosen.subject, rng).fill(chosen.text)
        if filled is not None:
            response = _response(entry, chosen, filled, cap, rng)
            fact, problem = chosen.subject.fact, chosen.subject.problem
            yield probe(purpose, entry.name, fact, response, expected, problem=problem)

    return _drawn(entry, subjects, most, made, rng)


def twin_probes(twin: Twin, subjects: Sequence[Subject], most: int, cap: int, rng: random.Random) -> list[Probe]:
    """Up to `most` twins, each behind the plain response that is its base."""

    def made(chosen: _Try) -> Iterator[Probe]:
        filling = Filling(chosen.subject, rng)
        plain, filled = filling.fill("{Statement}."), filling.fill(chosen.text)
        if plain is None or filled is None:
            return
        fact, problem = chosen.subject.fact, chosen.subject.problem
        base = probe(
            "generated", "plain", fact, _placed(chosen.subject, "blocks", plain, rng), "stated", problem=problem
        )
        yield base
        response = _response(twin, chosen, filled, cap, rng)
        yield probe("flip", twin.family, fact, response, twin.expected, base=base, problem=problem)

    return _drawn(twin, subjects, most, made, rng)


def _drawn(
    entry: Entry, subjects: Sequence[Subject], most: int, made: Callable[[_Try], Iterator[Probe]], rng: random.Random
) -> list[Probe]:
    """The last probe that each try makes counts towards `most`; those before it are its bases."""
    most = min(most, entry.most or most)
    found: dict[str, Probe] = {}
    count = 0
    for chosen in _tries(entry, subjects, rng):
        if count >= most:
            break
        probes = list(made(chosen))
        if probes and probes[-1].id not in found:
            count += 1
            found.update((each.id, each) for each in probes)
    return list(found.values())


def _tries(entry: Entry, subjects: Sequence[Subject], rng: random.Random) -> Iterator[_Try]:
    """Rounds over the texts, each with the next subject, in every place and spelling in turn."""
    ways: list[tuple[Place, Spelling]] = [(place, spelling) for place in entry.places for spelling in entry.spellings]
    rounds = len(ways) * max(1, len(subjects))
    for number in range(rounds if subjects else 0):
        for at, text in enumerate(rng.sample(entry.texts, len(entry.texts))):
            subject = subjects[(number * len(entry.texts) + at) % len(subjects)]
            place, spelling = ways[rng.randrange(len(ways))]
            yield _Try(subject, text, place, spelling)


def _response(entry: Entry, chosen: _Try, filled: str, cap: int, rng: random.Random) -> str:
    text = SPELLINGS[chosen.spelling](filled)
    if entry.times > 1:
        text = "\n".join([text] * entry.times)
    if entry.beyond_cap:
        text = f"{filler(rng, cap)}\n{text}"
    return _placed(chosen.subject, chosen.place, text, rng, outside=entry.outside)


def _placed(subject: Subject, place: Place, text: str, rng: random.Random, *, outside: bool = False) -> str:
    if subject.scope != WHOLE and not outside:
        return _inside(subject, place, text, rng)
    answer = subject.answer or "0"
    match place:
        case "alone":
            return text
        case "blocks":
            return enclosed(text, answer)
        case "before":
            return f"{text}\n{_silent(subject, rng)}"
        case "after":
            return f"{_silent(subject, rng)}\n{text}"
        case _:
            block = enclosed(filler(rng, 120), answer, subject.scope).removesuffix(
                f"<answer>\\boxed{{{answer}}}</answer>"
            )
            return f"{block}<answer>\n{text}\n\\boxed{{{answer}}}\n</answer>"


def _inside(subject: Subject, place: Place, text: str, rng: random.Random) -> str:
    """The same within the part of a response that is judged."""
    layout = subject.page(rng)
    match place:
        case "before":
            text = f"{text}\n{layout.thought(_bystanders(subject, rng))}"
        case "after":
            text = f"{layout.thought(_bystanders(subject, rng))}\n{text}"
        case "answer":
            text = f"{filler(rng, 120)}\n{text}"
        case _:
            pass
    return enclosed(text, layout.answer, subject.scope)


def _silent(subject: Subject, rng: random.Random) -> str:
    """An honest response that says nothing about the fact."""
    sentences = _bystanders(subject, rng)
    return subject.page(rng).write(sentences)


def _bystanders(subject: Subject, rng: random.Random) -> list[str]:
    return [sentence(any_wording(statement, rng)) for statement in subject.draw_bystanders(rng)]
