"""Scene graphs: Visual Genome's and GQA's objects, attributes and relations.

"The" names a thing of which the image has one of that name, "a" one of several: an attribute of one cup contradicts no
other cup.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

from perception_reward.annotations.faults import Record
from perception_reward.annotations.importers.model import (
    Draft,
    Importer,
    Problem,
    Refused,
    optional,
    records_in,
    texts_in,
)
from perception_reward.annotations.importers.sources import records
from perception_reward.annotations.language.word_lists import words

COLUMNS = ("image_id", "objects", "attributes", "relationships", "image_url", "url")
# Predicates that need a verb before them.
PREPOSITIONS = words("""
    on in at of by near behind beside under above below over with to from inside along across around against
    between beneath atop onto off for next left right front top outside through toward towards
""")
# Words that a picture shows as a state, spelt as Visual Genome has them.
VERBS = frozenset({"has", "have", "is", "are"})


@dataclass(slots=True)
class _Thing:
    name: str
    attributes: list[str] = field(default_factory=list[str])


def make(row: Record) -> Problem:
    """What a scene graph says. Raises `Refused` for one without objects."""
    problem = Problem(id=text_id(row))
    url = optional(row, "image_url", "url")
    problem.images = [url] if url else []
    things = dict(_things(row, problem))
    relations = list(_relations(row, things))
    if not things:
        raise Refused("has no objects with a name")
    counts = Counter(thing.name for thing in things.values())
    problem.drafts += (Draft(f"There is {_a(name)} {name}.", "object") for name in counts)
    for thing in things.values():
        problem.drafts += (
            Draft(f"{_the(thing.name, counts)} is {attribute}.", "attribute") for attribute in thing.attributes
        )
    for subject, predicate, other in relations:
        one, two = things.get(subject), things.get(other)
        if one is None or two is None or not predicate or subject == other:
            problem.refused.append(Refused("relates an object that is not named, or to itself", predicate))
        else:
            words = _predicate(predicate)
            said = f"{_the(one.name, counts)} {words} {_the(two.name, counts).lower()}."
            problem.drafts.append(Draft(said, "relation"))
    return problem


def text_id(row: Record) -> str:
    found = optional(row, "image_id", "id")
    if found is None:
        raise Refused("has no image_id")
    return found


def _things(row: Record, problem: Problem) -> Iterator[tuple[str, _Thing]]:
    """The objects by their ids: a list with ids in Visual Genome, an object by ids in GQA."""
    entries = [*records_in(row.get("objects")), *records_in(row.get("attributes"))]
    by_id = row.get("objects")
    if isinstance(by_id, dict):
        entries += [
            {"object_id": key, **cast("dict[str, Any]", one)}
            for key, one in cast("dict[str, Any]", by_id).items()
            if isinstance(one, dict)
        ]
    for relation in records_in(row.get("relationships")):
        entries += [one for one in (relation.get("subject"), relation.get("object")) if isinstance(one, dict)]
    known: dict[str, _Thing] = {}
    for entry in entries:
        key, name = str(entry.get("object_id")), _name(entry)
        if name is None:
            problem.refused.append(Refused("is an object without a name", key))
            continue
        thing = known.setdefault(key, _Thing(name))
        thing.attributes += [one.lower() for one in texts_in(entry.get("attributes") or [])]
    yield from known.items()


def _name(entry: dict[str, Any]) -> str | None:
    names = texts_in(entry.get("names") or entry.get("name") or [])
    return " ".join(names[0].lower().split()) if names else None


def _relations(row: Record, things: dict[str, _Thing]) -> Iterator[tuple[str, str, str]]:
    for relation in records_in(row.get("relationships")):
        yield _end(relation, "subject"), str(relation.get("predicate") or ""), _end(relation, "object")
    by_id = row.get("objects")
    if isinstance(by_id, dict):
        for key, one in cast("dict[str, Any]", by_id).items():
            relations = cast("dict[str, Any]", one).get("relations") if isinstance(one, dict) else None
            for relation in records_in(relations):
                yield key, str(relation.get("name") or ""), str(relation.get("object"))


def _end(relation: dict[str, Any], which: str) -> str:
    inner = relation.get(which)
    named = cast("dict[str, Any]", inner).get("object_id") if isinstance(inner, dict) else None
    return str(relation.get(f"{which}_id") if named is None else named)


def _predicate(words: str) -> str:
    first = (words := " ".join(words.lower().split())).partition(" ")[0]
    if first in VERBS:
        return words
    return f"is {words}" if first in PREPOSITIONS or first.endswith(("ing", "ed")) else words


def _the(name: str, counts: Counter[str]) -> str:
    return f"The {name}" if counts[name] == 1 else f"{_a(name).capitalize()} {name}"


def _a(name: str) -> str:
    return "an" if name[:1] in "aeiou" else "a"


VISUAL_GENOME = Importer(
    "visual-genome",
    "scene graphs of Visual Genome (objects, attributes, relationships) or GQA, an image each",
    ("object", "attribute", "relation"),
    records(*COLUMNS, nested=("objects", "attributes", "relationships")),
    make,
)
