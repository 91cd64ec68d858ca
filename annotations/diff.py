"""What distinguishes two stores: annotations that one of them lacks, and facts that were added, taken out or changed.

report = diff(read_annotations(old).values(), read_annotations(new).values())
report.same, list(report.lines())
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from perception_reward.annotations.model import Annotation
from perception_reward.annotations.version import Version
from perception_reward.trainer_client.wire import Fact

# Fields of an annotation besides its id and facts.
FIELDS = ("question", "answer", "choices", "images", "provenance")


@dataclass(slots=True)
class Diff:
    """old, new: the versions. added, removed: ids. changed: by id, what is another in words.

    facts: of annotations that are in both, by what happened (`added`, `removed`, `changed`) and the kind of fact.
    """

    old: Version
    new: Version
    added: list[str] = field(default_factory=list[str])
    removed: list[str] = field(default_factory=list[str])
    changed: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    facts: dict[str, Counter[str]] = field(
        default_factory=lambda: {name: Counter[str]() for name in ("added", "removed", "changed")}
    )

    @property
    def same(self) -> bool:
        """Whether there is no difference at all."""
        return not (self.added or self.removed or self.changed)

    def lines(self) -> Iterator[str]:
        """The differences for people: the counts first, then each annotation."""
        yield f"{self.old} ({self.old.count} annotations) and {self.new} ({self.new.count} annotations)"
        if self.same:
            yield "no difference"
            return
        yield f"{len(self.added)} annotations added, {len(self.removed)} removed, {len(self.changed)} changed"
        for name, counts in self.facts.items():
            if counts:
                kinds = ", ".join(f"{kind} {count}" for kind, count in counts.most_common())
                yield f"{counts.total()} facts {name} in them: {kinds}"
        yield from (f"+ {one}" for one in self.added)
        yield from (f"- {one}" for one in self.removed)
        for one, changes in self.changed.items():
            yield f"~ {one}"
            yield from (f"    {change}" for change in changes)


def diff(old: Iterable[Annotation], new: Iterable[Annotation]) -> Diff:
    """Compare two stores. Both are held in memory; ids are distinct in each."""
    before = {annotation.id: annotation for annotation in old}
    after = {annotation.id: annotation for annotation in new}
    report = Diff(Version.of(before.values()), Version.of(after.values()))
    report.added = [one for one in after if one not in before]
    report.removed = [one for one in before if one not in after]
    for one, annotation in before.items():
        if one in after and annotation != after[one]:
            report.changed[one] = list(_changes(annotation, after[one], report))
    return report


def _changes(old: Annotation, new: Annotation, report: Diff) -> Iterator[str]:
    for name in FIELDS:
        if getattr(old, name) != getattr(new, name):
            yield f"{name}: {_said(getattr(old, name))} is now {_said(getattr(new, name))}"
    before, after = ({fact.id: fact for fact in annotation.facts} for annotation in (old, new))
    for one, fact in after.items():
        if one not in before:
            report.facts["added"][fact.kind] += 1
            yield f"+ {one} {_told(fact)}"
        elif before[one] != fact:
            report.facts["changed"][fact.kind] += 1
            yield f"~ {one} {_told(before[one])} is now {_told(fact)}"
    for one, fact in before.items():
        if one not in after:
            report.facts["removed"][fact.kind] += 1
            yield f"- {one} {_told(fact)}"
    if before == after and [*before] != [*after]:
        yield "the facts stand in another order"


def _told(fact: Fact) -> str:
    """A fact with what of it is not as usual, so that no change of one looks like none."""
    unusual = {
        name: value
        for name, value in fact.model_dump(exclude_defaults=True, exclude={"id", "text"}).items()
        if name != "kind" or value != "statement"
    }
    return f"{fact.text!r}" + "".join(f" {name}={value}" for name, value in unusual.items())


def _said(value: object) -> str:
    shown = repr(value)
    return shown if len(shown) <= 200 else f"{shown[:200]}…"
