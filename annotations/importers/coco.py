"""COCO's instances and captions: how many of each kind of thing an image shows, and what people said of it.

The annotations of an image are not beside one another in COCO's document, so its counts are gathered first: memory
grows with the number of images, by some hundred bytes each, and never holds a polygon.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from perception_reward.annotations.faults import LineError, Record
from perception_reward.annotations.importers.model import Draft, Importer, Options, Problem, Refused, Row
from perception_reward.annotations.importers.sources import files_of, unreadable
from perception_reward.annotations.record_json import json_members

PARTS = ("images", "annotations", "categories")
IRREGULAR = {
    "person": "people",
    "mouse": "mice",
    "sheep": "sheep",
    "knife": "knives",
    "skis": "pairs of skis",
    "scissors": "pairs of scissors",
    "broccoli": "pieces of broccoli",
}


@dataclass(slots=True)
class _Image:
    name: str = ""
    counts: Counter[int] = field(default_factory=Counter[int])
    crowds: set[int] = field(default_factory=set[int])
    captions: list[str] = field(default_factory=list[str])


def rows(source: Path, options: Options) -> Iterator[Row]:
    """A row for each image of the document, or of a folder's documents together: instances and captions are apart."""
    images: defaultdict[int, _Image] = defaultdict(_Image)
    categories: dict[int, str] = {}
    faults: list[LineError] = []
    for path in files_of(source, (".json",)):
        try:
            with path.open(encoding="utf-8-sig", errors="replace") as stream:
                for place, (part, _, entry) in enumerate(json_members(stream, PARTS), start=1):
                    try:
                        _take(part, cast("dict[str, Any]", entry), images, categories)
                    except (KeyError, TypeError, ValueError) as error:
                        faults.append(LineError(place, "", f"entry {place} of {path.name} lacks {error}"))
        except (ValueError, RecursionError) as error:
            raise unreadable(path, f"is no COCO document: {error}") from None
    for key, image in images.items():
        yield f"image {key}", {"id": key, "image": image, "categories": categories}
    yield from (("the document", fault) for fault in faults)


def _take(part: str, entry: dict[str, Any], images: defaultdict[int, _Image], categories: dict[int, str]) -> None:
    if part == "categories":
        categories[int(entry["id"])] = str(entry["name"])
    elif part == "images":
        images[int(entry["id"])].name = str(entry["file_name"])
    elif "caption" in entry:
        images[int(entry["image_id"])].captions.append(str(entry["caption"]))
    elif entry.get("iscrowd"):
        images[int(entry["image_id"])].crowds.add(int(entry["category_id"]))
    else:
        images[int(entry["image_id"])].counts[int(entry["category_id"])] += 1


def make(row: Record) -> Problem:
    """The counts and captions of an image."""
    image, categories = cast(_Image, row["image"]), cast("dict[int, str]", row["categories"])
    if not image.name:
        raise Refused("is annotated, and not among the images", row["id"])
    problem = Problem(id=f"coco-{row['id']}", images=[image.name])
    for category in sorted({*image.counts, *image.crowds}):
        name = categories.get(category)
        if name is None:
            problem.refused.append(Refused("is of a category without a name", category))
        elif category in image.crowds:
            problem.refused.append(Refused("is of a crowd, which is not counted", name))
            problem.drafts.append(Draft(f"There are several {plural(name)} in the image.", "object"))
        else:
            problem.drafts.append(Draft(_there(name, image.counts[category]), "count"))
    problem.drafts += (Draft(caption, "caption") for caption in image.captions if caption.strip())
    return problem


def _there(name: str, count: int) -> str:
    if count > 1:
        return f"There are {count} {plural(name)} in the image."
    one = IRREGULAR.get(name, "").partition(" of ")[0].replace("pairs", "pair of").replace("pieces", "piece of")
    return f"There is one {f'{one} {name}' if ' of' in one else name} in the image."


def plural(name: str) -> str:
    """Of an English noun, such as COCO's categories: several dogs, buses, knives, pairs of skis."""
    head, space, last = name.rpartition(" ")
    if last in IRREGULAR:
        many = IRREGULAR[last]
    elif re.search(r"(?:s|x|z|ch|sh)$", last):
        many = f"{last}es"
    elif re.search(r"[^aeiou]y$", last):
        many = f"{last[:-1]}ies"
    else:
        many = f"{last}s"
    return f"{head}{space}{many}"


COCO = Importer(
    "coco",
    "COCO's documents of instances or captions (images, annotations, categories)",
    ("count", "object", "caption"),
    rows,
    make,
)
