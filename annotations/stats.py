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
from perception_reward.annotations.pipeline.picture import bars
from perception_reward.trainer_client.wire import Fact, Origin

# Bars for the number of facts of a problem.
MOST_BARS = 20
ORIGINS: tuple[Origin, ...] = get_args(Origin)


@dataclass(slots=True)
class Stats:
    """Counts over annotations. A fact without weight counts, but shows no seeing.

    kinds: present facts by kind and origin. covered: annotations with a present fact of the kind. sizes: annotations by
    their number of present facts. confidence: present facts that have one, by its tenth, 9 for 0.9 and above.
    without_seen: annotations without a present, seen fact of any weight.
    """

    annotations: int = 0
    distractors: int = 0
    sizes: Counter[int] = field(default_factory=Counter[int])
    kinds: defaultdict[str, Counter[Origin]] = field(default_factory=lambda: defaultdict(Counter[Origin]))
    covered: Counter[str] = field(default_factory=Counter[str])
    confidence: Counter[int] = field(default_factory=Counter[int])
    without_facts: int = 0
    without_seen: int = 0
    without_question: int = 0
    without_answer: int = 0
    without_image: int = 0

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
            if fact.confidence is not None:
                self.confidence[min(9, int(10 * fact.confidence + 1e-9))] += 1
        self.covered.update({fact.kind for fact in present})
        self.annotations += 1
        self.sizes[len(present)] += 1
        self.distractors += len(annotation.facts) - len(present)
        self.without_facts += not present
        self.without_seen += not any(map(shows_seeing, present))
        self.without_question += not (annotation.question or "").strip()
        self.without_answer += annotation.answer is None
        self.without_image += not annotation.images

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
            f"{self.without_answer} without an answer, {self.without_image} without an image"
        )
        width = max(map(len, self.kinds), default=0)
        if width:
            yield f"  {'':{width}}" + "".join(f"{origin:>9}" for origin in ORIGINS) + "  of the problems"
        for kind, counts in self._by_frequency():
            share = f"{self.covered[kind] / self.annotations:.1%}"
            yield f"  {kind:{width}}" + "".join(f"{counts[origin]:9}" for origin in ORIGINS) + f"{share:>17}"
        if self.confidence:
            said = ", ".join(f"{count} {name}" for name, count in self._confidence() if count)
            yield f"confidence of {self.confidence.total()} facts: {said}"

    def picture(self) -> str:
        """The same as an SVG: origins, facts of a problem, kinds and how many problems have them, confidence."""
        kinds = self._by_frequency()
        most = max(self.sizes, default=0)
        step = max(1, -(-(most + 1) // MOST_BARS))
        groups = range(0, most + 1, step)
        spread = Counter({at: sum(self.sizes[size] for size in range(at, at + step)) for at in groups})
        lacking = [
            ("without any fact", self.without_facts),
            ("without a seen fact", self.without_seen),
            ("without a question", self.without_question),
            ("without an answer", self.without_answer),
            ("without an image", self.without_image),
        ]
        parts: list[tuple[str, list[tuple[str, int]]]] = [
            ("facts", [*((origin, self.origins[origin]) for origin in ORIGINS), ("distractors", self.distractors)]),
            ("facts by kind", [(kind, counts.total()) for kind, counts in kinds]),
            (
                f"problems, of {self.annotations:,}, with a fact of the kind",
                [(kind, self.covered[kind]) for kind, _ in kinds],
            ),
            ("problems by their number of facts", [(_range(at, step), spread[at]) for at in groups]),
            (f"problems, of {self.annotations:,}, that lack something", lacking),
        ]
        if self.confidence:
            parts.append(("facts by confidence", list(self._confidence())))
        return bars(parts, f"What {self.annotations:,} annotations hold")

    def _by_frequency(self) -> list[tuple[str, Counter[Origin]]]:
        return sorted(self.kinds.items(), key=lambda item: -item[1].total())

    def _confidence(self) -> Iterator[tuple[str, int]]:
        return ((f"{at / 10:.1f} to {at / 10 + 0.1:.1f}", self.confidence[at]) for at in range(10))


def _range(low: int, step: int) -> str:
    return str(low) if step == 1 else f"{low} to {low + step - 1}"


def shows_seeing(fact: Fact) -> bool:
    """Whether stating it shows that the image was seen: a present fact with weight that is known from the image."""
    return fact.polarity == "present" and fact.origin == "seen" and fact.weight > 0
