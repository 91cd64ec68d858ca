"""What a judge is taught on, and the problems that are held back to measure it.

    data = collect(annotations, labelled, most=200, held_out=0.2, seed=0, cap=65536)
    data.taught     # probes whose right verdict is known, in the order in which they are taught
    data.held_out   # the audit's probes about other problems, attacks among them

Statements are made from annotations: by the families of the audit, and by those of `lessons.toml`, which say what the
audit's attacks say in other words. Beside them stand responses that people, or a stronger judge, labelled, and the
starting pairs of `starting.jsonl`: responses of many domains, written for this and labelled by hand.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from hashlib import blake2b
from importlib.resources import as_file, files

import tomllib

from perception_reward.annotations.model import Annotation
from perception_reward.service.audit.attacks.catalogue import Entry
from perception_reward.service.audit.attacks.tries import written_out
from perception_reward.service.audit.generate import GENERATED, generate
from perception_reward.service.audit.labelled import read_labelled
from perception_reward.service.audit.probes import Probe
from perception_reward.service.audit.quality import unit_of
from perception_reward.service.audit.subjects import in_turn, subjects_of
from perception_reward.service.excerpt import WHOLE
from perception_reward.trainer_client.wire import Fact, Label

_PACKAGE = files("perception_reward.service.training")


class Lesson(Entry):
    """A family of statements that judges are taught on; `lessons.toml` says what the fields mean."""

    description: str = ""
    expected: Label


@dataclass(frozen=True, slots=True)
class Data:
    """No problem is in both. `held_out` has the audit's probes besides those with a label."""

    taught: tuple[Probe, ...]
    held_out: tuple[Probe, ...]


@cache
def lessons() -> tuple[Lesson, ...]:
    """The packaged families, in the order of the file."""
    text = _PACKAGE.joinpath("lessons.toml").read_text("utf-8")
    return tuple(Lesson.model_validate(entry) for entry in tomllib.loads(text)["lesson"])


@cache
def starting(scope: str = WHOLE) -> tuple[tuple[Probe, ...], tuple[Annotation, ...]]:
    """The packaged pairs, each of the family `starting: DOMAIN`, and what their responses state as annotations."""
    source = _PACKAGE.joinpath("starting.jsonl")
    with as_file(source) as path:
        pairs = read_labelled(path, scope)
    rows = [json.loads(line) for line in source.read_text("utf-8").splitlines()]
    stated = [
        Annotation(
            id=row["problem"],
            question=row["question"],
            facts=[
                Fact(id=f"f{number}", text=fact["text"])
                for number, fact in enumerate(row["facts"], start=1)
                if fact["label"] == "stated"
            ],
        )
        for row in rows
    ]
    return tuple(replace(pair, family=f"starting: {unit_of(pair).split('/')[1]}") for pair in pairs), tuple(stated)


def collect(
    annotations: Iterable[Annotation],
    labelled: Iterable[Probe],
    *,
    most: int,
    held_out: float,
    seed: int,
    cap: int,
    scope: str = WHOLE,
    most_held_out: int = 40,
) -> Data:
    """The same data for the same sources and seed.

    most: statements made of one family; most_held_out: probes of one family for measuring. held_out: the share of the
    problems in [0, 1) that is not taught. cap, scope: what a judge is shown of a response (`observe`).
    """
    pairs, stated = starting(scope)
    known = [*(pair for pair in labelled if pair.family != "doubtful"), *pairs]
    problems = sorted([*annotations, *stated], key=lambda one: one.id)

    def held(problem: str) -> bool:
        digest = blake2b(f"{seed}/{problem}".encode("utf-8", "surrogatepass"), digest_size=8).digest()
        return int.from_bytes(digest) < held_out * 2**64

    taught = [
        *made([one for one in problems if not held(one.id)], most=most, seed=seed, cap=cap, scope=scope),
        *(pair for pair in known if not held(unit_of(pair))),
    ]
    measured = [
        *(pair for pair in known if held(unit_of(pair))),
        *generate([one for one in problems if held(one.id)], most=most_held_out, seed=seed, cap=cap, scope=scope),
    ]
    whole = sorted({one.id: one for one in taught}.values(), key=lambda one: one.id)
    random.Random(f"{seed}/order").shuffle(whole)
    return Data(tuple(whole), tuple({one.id: one for one in measured}.values()))


def made(annotations: Sequence[Annotation], *, most: int, seed: int, cap: int, scope: str = WHOLE) -> Iterator[Probe]:
    """Statements of each family about the annotations' facts, up to `most` of each."""
    count = Counter[str]()
    for probe in generate(annotations, most=most, seed=seed, cap=cap, only=GENERATED, scope=scope):
        # Of the plain ones there are as many as variants of them.
        count[probe.family] += 1
        if count[probe.family] <= most:
            yield probe
    rng = random.Random(f"{seed}/lessons")
    subjects = in_turn(list(subjects_of(annotations, scope)), rng)
    for lesson in lessons():
        yield from written_out(lesson, "generated", lesson.expected, subjects, most, cap, rng)


def counted(probes: Iterable[Probe]) -> Counter[tuple[str, Label]]:
    """How many there are by family and right verdict."""
    return Counter((one.family, one.expected) for one in probes if one.expected is not None)
