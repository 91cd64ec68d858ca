"""What probes are made from: each fact of the annotations with what it says and what else its problem's facts say."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from perception_reward.annotations.model import Annotation
from perception_reward.annotations.stats import shows_seeing
from perception_reward.service.audit.statements import Statement, all_independent, independent, read_statement
from perception_reward.service.audit.wordings import Page, page
from perception_reward.service.excerpt import WHOLE
from perception_reward.trainer_client.reference import texts_of
from perception_reward.trainer_client.wire import Fact

# Bystanders in one response: more, and the statement is one of a list.
MOST_BYSTANDERS = 3


@dataclass(frozen=True, slots=True)
class Subject:
    """A fact to make probes about.

    place: its number among its annotation's facts, from 0.
    neighbours: the other true facts' statements; bystanders: those that say nothing about this fact, nor it of them.
    scope: the part of a response that the judge reads (`excerpt`), and in which the probes speak of the fact.
    paid: whether stating it earns a reward.
    """

    annotation: Annotation
    place: int
    fact: Fact
    statement: Statement
    neighbours: tuple[Statement, ...]
    bystanders: tuple[Statement, ...]
    scope: str = WHOLE
    paid: bool = True

    @property
    def problem(self) -> str:
        return self.annotation.id

    @property
    def answer(self) -> str | None:
        """Its problem's reference answer, the first of several."""
        answer = self.annotation.answer
        return None if answer is None else texts_of(answer)[0]

    def page(self, rng: random.Random) -> Page:
        """For responses to its problem."""
        return page(rng, self.answer, self.scope)

    def draw_bystanders(self, rng: random.Random, least: int = 0) -> list[Statement]:
        """Some of them that say nothing about one another either: what a response may hold besides."""
        drawn: list[Statement] = []
        most = rng.randint(least, max(least, MOST_BYSTANDERS))
        for statement in rng.sample(self.bystanders, len(self.bystanders)):
            if len(drawn) < most and all_independent(statement, drawn):
                drawn.append(statement)
        return drawn


def subjects_of(
    annotations: Iterable[Annotation], scope: str = WHOLE, pays: Callable[[Fact], bool] = shows_seeing
) -> Iterator[Subject]:
    """Every fact of the annotations, distractors too."""
    for annotation in annotations:
        statements = [read_statement(fact) for fact in annotation.facts]
        for place, (fact, statement) in enumerate(zip(annotation.facts, statements, strict=True)):
            neighbours = tuple(
                other
                for at, other in enumerate(statements)
                if at != place and annotation.facts[at].polarity == "present" and other != statement
            )
            bystanders = tuple(other for other in neighbours if independent(statement, other))
            yield Subject(annotation, place, fact, statement, neighbours, bystanders, scope, pays(fact))


def in_turn(subjects: Sequence[Subject], rng: random.Random) -> list[Subject]:
    """Shuffled, one of each kind of fact after the other, so that a few subjects show all kinds."""
    by_kind: dict[str, list[Subject]] = defaultdict(list)
    for subject in rng.sample(subjects, len(subjects)):
        by_kind[subject.fact.kind].append(subject)
    rounds = zip_longest(*(by_kind[kind] for kind in sorted(by_kind)))
    return [subject for one_of_each in rounds for subject in one_of_each if subject is not None]
