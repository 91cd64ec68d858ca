"""All probes of an audit, from annotations, labelled responses and the catalogue: the same for the same seed."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence

from perception_reward.annotations.model import Annotation
from perception_reward.annotations.stats import shows_seeing
from perception_reward.service.audit.attacks.catalogue import Family, families, twins
from perception_reward.service.audit.attacks.tries import attacks, twin_probes
from perception_reward.service.audit.falsehoods import falsehoods
from perception_reward.service.audit.probes import Probe
from perception_reward.service.audit.subjects import Subject, in_turn, subjects_of
from perception_reward.service.audit.truths import repeats, together, truths
from perception_reward.service.excerpt import WHOLE
from perception_reward.trainer_client.wire import Fact

GENERATED = (
    *("plain", "paraphrase", "notation", "symmetric", "sentence order", "long"),
    *("omission", "contradiction", "exchange", "wrong element"),
)
FLIPS = ("batch", "order", "repeat")
# Times that each fact is worded anew before a family is left short of probes.
ROUNDS = 12
# Problems that probes are made from, for each probe of a family: more of them show nothing new.
PROBLEMS_PER_PROBE = 2


def all_families(scope: str = WHOLE) -> tuple[str, ...]:
    """The names of every family that is made for a judge of this scope; `human` and `doubtful` come from a labelled
    file."""
    return (*GENERATED, *FLIPS, *(family.name for family in _attacks(scope)), *(twin.family for twin in twins()))


def _attacks(scope: str) -> list[Family]:
    """Nothing is outside the whole response."""
    return [family for family in families() if scope != WHOLE or not family.outside]


def generate(
    annotations: Iterable[Annotation],
    *,
    most: int,
    seed: int,
    cap: int,
    only: Collection[str] = (),
    scope: str = WHOLE,
    pays: Callable[[Fact], bool] = shows_seeing,
) -> list[Probe]:
    """Up to `most` probes of each family, those of one kind of fact as many as of another where there are enough.

    cap: characters of a response that the judge is shown. scope: the part of it that is (`excerpt`). only: the families
    to make, with the probes that they are variants of; none named: all. pays: whether stating a fact earns a reward,
    for the families that copy the problem's text. Raises `ValueError` for a family that does not exist.
    """
    if unknown := sorted(set(only) - set(all_families(scope))):
        raise ValueError(f"no family is called {unknown[0]!r}; there are {', '.join(all_families(scope))}")
    rng = _random(seed, "subjects")
    problems = sorted(annotations, key=lambda annotation: annotation.id)
    drawn = rng.sample(problems, min(len(problems), most * PROBLEMS_PER_PROBE))
    subjects = in_turn(list(subjects_of(drawn, scope, pays)), rng)
    made: dict[str, Probe] = {}
    for found in (
        _statements(subjects, most, seed),
        *(attacks(family, subjects, most, cap, _random(seed, family.name)) for family in _attacks(scope)),
        *(twin_probes(twin, subjects, most, cap, _random(seed, twin.family)) for twin in twins()),
    ):
        made.update((probe.id, probe) for probe in found)
    return _chosen(made, only)


def _statements(subjects: Sequence[Subject], most: int, seed: int) -> Iterator[Probe]:
    """Generated statements, and the flips of some of them."""
    made = list(_up_to(most, subjects, lambda subject, rng: (*truths(subject, rng), *falsehoods(subject, rng)), seed))
    by_fact = {(subject.problem, subject.fact.id): subject for subject in subjects}
    alone = _random(seed, "flips").sample(made, min(most, len(made)))
    rng = _random(seed, "together")
    yield from made
    for probe in alone:
        yield from together(by_fact[probe.problem or "", probe.fact.id], probe, rng)
    yield from repeats(alone)


def _up_to(
    most: int, subjects: Sequence[Subject], make: Callable[[Subject, random.Random], Iterable[Probe]], seed: int
) -> Iterator[Probe]:
    """Rounds over the subjects until every family has `most` different probes, or nothing new comes."""
    counts: Counter[str] = Counter()
    seen: set[str] = set()
    for number in range(ROUNDS):
        before = len(seen)
        for subject in subjects:
            if all(counts[family] >= most for family in GENERATED):
                return
            made = make(subject, _random(seed, f"{number}/{subject.problem}/{subject.fact.id}"))
            fresh = {probe.id: probe for probe in made if probe.id not in seen}
            wanted = {probe.id for probe in fresh.values() if counts[probe.family] < most}
            bases = {fresh[one].base for one in wanted}
            for probe in fresh.values():
                if probe.id in wanted or probe.id in bases:
                    seen.add(probe.id)
                    counts[probe.family] += 1
                    yield probe
        if len(seen) == before:
            return


def _chosen(made: dict[str, Probe], only: Collection[str]) -> list[Probe]:
    """The families asked for and what they are variants of."""
    if not only:
        return list(made.values())
    wanted: set[str] = set()
    for probe in made.values():
        if probe.family in only:
            step: Probe | None = probe
            while step is not None:
                wanted.add(step.id)
                step = made.get(step.base) if step.base else None
    return [probe for identity, probe in made.items() if identity in wanted]


def _random(seed: int, name: str) -> random.Random:
    """A stream of its own for each part: more of one leaves the others as they were."""
    return random.Random(f"{seed}/{name}")
