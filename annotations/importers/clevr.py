"""CLEVR's scenes: objects with size, colour, material and shape, and who is beside, in front of or behind whom.

An object is named by all its attributes. Those of which there is only one take part in relations; of the two ways to
say a relation (left and right, in front and behind) one is imported.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, cast

from perception_reward.annotations.faults import Record
from perception_reward.annotations.importers.model import Draft, Importer, Problem, Refused, optional, records_in
from perception_reward.annotations.importers.sources import records
from perception_reward.annotations.language.numbers import in_words

ATTRIBUTES = ("size", "color", "material", "shape")
RELATIONS = {"left": "to the left of", "front": "in front of"}
LARGEST_IN_WORDS = 10
COLUMNS = ("image_filename", "image_index", "objects", "relationships", "split")


def make(row: Record) -> Problem:
    """What a scene shows: how many objects, which, of each colour, shape and material how many, and where."""
    objects = records_in(row.get("objects"))
    if not objects:
        raise Refused("has no objects")
    names = [_name(one) for one in objects]
    image = optional(row, "image_filename")
    problem = Problem(id=(image or str(row.get("id") or row.get("file"))).rpartition(".")[0] or str(row["file"]))
    problem.images = [image] if image else []
    problem.drafts.append(Draft(_there("object", len(objects)), "count"))
    problem.drafts += (Draft(_there(name, count), "object") for name, count in Counter(names).items())
    for attribute in ("color", "material", "shape"):
        counts = Counter(str(one[attribute]) for one in objects)
        problem.drafts += (Draft(_there(_noun(attribute, value), count), "count") for value, count in counts.items())
    problem.drafts += _relations(names, row.get("relationships"), problem)
    return problem


def _name(one: dict[str, Any]) -> str:
    if missing := [name for name in ATTRIBUTES if not isinstance(one.get(name), str)]:
        raise Refused(f"has an object without {missing[0]}")
    return " ".join(str(one[name]) for name in ATTRIBUTES)


def _noun(attribute: str, value: str) -> str:
    return value if attribute == "shape" else f"{value} object"


def _there(name: str, count: int) -> str:
    number = in_words(count) if count <= LARGEST_IN_WORDS else str(count)
    return f"There is {number} {name}." if count == 1 else f"There are {number} {name}s."


def _relations(names: Sequence[str], relations: object, problem: Problem) -> Iterator[Draft]:
    known = cast("dict[str, Any]", relations) if isinstance(relations, dict) else {}
    alone = {name for name, count in Counter(names).items() if count == 1}
    for relation, words in RELATIONS.items():
        # The entry of an object lists those that are left of it, or in front of it.
        for place, others in enumerate(cast("list[object]", known.get(relation) or [])):
            for other in cast("list[object]", others) if isinstance(others, list) else []:
                if not isinstance(other, int) or not (0 <= other < len(names) and place < len(names)):
                    problem.refused.append(Refused("relates an object that is not there", f"{relation}: {other}"))
                elif names[other] in alone and names[place] in alone:
                    yield Draft(f"The {names[other]} is {words} the {names[place]}.", "relation")


CLEVR = Importer(
    "clevr",
    "CLEVR's scenes: its JSON document, a folder of a scene each, or a scene a line",
    ("count", "object", "relation"),
    records(*COLUMNS, nested=("objects", "relationships"), lists=("scenes",)),
    make,
)
