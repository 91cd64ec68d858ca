"""What annotations hold: how many facts of each kind, where they are known from, and what is lacking.

stats = Stats.of(read_annotations(path).values())
str(stats)  # "3002 annotations with 17442 seen, 257 derived and 9136 given facts, 0 distractors; …"
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import get_args

from typing_extensions import Self

from perception_reward.annotations.model import Annotation
from perception_reward.trainer_client.wire import Fact, Origin

ORIGINS: tuple[Origin, ...] = get_args(Origin)


@dataclass(slots=True)
class Stats:
    """Counts over annotations. A fact without weight counts, but shows no seeing.

    kinds: present facts by kind and origin. sizes: annotations by their number of present facts. without_seen:
    annotations without a present, seen fact of any weight.
    """

    annotations: int = 0
    distractors: int = 0
    sizes: Counter[int] = field(default_factory=Counter[int])
    kinds: defaultdict[str, Counter[Origin]] = field(default_factory=lambda: defaultdict(Counter[Origin]))
    without_facts: int = 0
    without_seen: int = 0
    without_question: int = 0
    without_answer: int = 0

    @classmethod
    def of(cls, annotations: Iterable[Annotation]) -> Self:
        """Of all `annotations`."""
        stats = cls()
        for annotation in annotations:
            stats.add(annotation)
        return stats

    def add(self, annotation: Annotation) -> None:
        """Count one more."""
        present = [fact for fact in annotation.facts if fact.polarity == "present"]
        for fact in present:
            self.kinds[fact.kind][fact.origin] += 1
        self.annotations += 1
        self.sizes[len(present)] += 1
        self.distractors += len(annotation.facts) - len(present)
        self.without_facts += not present
        self.without_seen += not any(map(shows_seeing, present))
        self.without_question += not (annotation.question or "").strip()
        self.without_answer += annotation.answer is None

    @property
    def origins(self) -> Counter[Origin]:
        """Present facts by where they are known from."""
        return sum(self.kinds.values(), Counter[Origin]())

    def __str__(self) -> str:
        facts = [f"{self.origins[origin]} {origin}" for origin in ORIGINS]
        return (
            f"{self.annotations} annotations with {', '.join(facts[:-1])} and {facts[-1]} facts, {self.distractors} "
            f"distractors; without a seen fact, and so without perception: {self.without_seen} annotations"
        )

    @property
    def spread(self) -> str:
        """The facts of a problem, for people; empty without any annotation."""
        if not self.annotations:
            return ""
        mean = sum(size * count for size, count in self.sizes.items()) / self.annotations
        return f"facts of a problem: {mean:.1f} in the mean, {self._middle()} in the middle, {max(self.sizes)} at most"

    def _middle(self) -> int:
        """The lower median of the problems' numbers of facts."""
        before = 0
        for size, count in sorted(self.sizes.items()):
            before += count
            if 2 * before >= self.annotations:
                return size
        return 0

    def lines(self) -> Iterator[str]:
        """The same for people, with a table of the kinds and what else is lacking."""
        yield str(self)
        yield f"{self.without_facts} without any fact, {self.without_question} without a question, " + (
            f"{self.without_answer} without an answer"
        )
        width = max(map(len, self.kinds), default=0)
        if width:
            yield f"  {'':{width}}" + "".join(f"{origin:>9}" for origin in ORIGINS)
        for kind, counts in sorted(self.kinds.items(), key=lambda item: -item[1].total()):
            yield f"  {kind:{width}}" + "".join(f"{counts[origin]:9}" for origin in ORIGINS)


def shows_seeing(fact: Fact) -> bool:
    """Whether stating it shows that the image was seen: a present fact with weight that is known from the image."""
    return fact.polarity == "present" and fact.origin == "seen" and fact.weight > 0
