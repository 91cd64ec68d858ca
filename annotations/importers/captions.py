"""Captions with foils: a true caption of an image, and its minimal contradiction as the distractor."""

from __future__ import annotations

from perception_reward.annotations.faults import Record
from perception_reward.annotations.importers.model import Draft, Importer, Problem, Refused, optional, text
from perception_reward.annotations.importers.sources import records

COLUMNS = ("id", "caption", "foil", "negative_caption", "type", "image", "filename", "image_file")


def make(row: Record) -> Problem:
    """A caption as a present fact, its foil as a distractor of the kind that the pair's type ends with."""
    caption, foil = text(row, "caption"), text(row, "foil", "negative_caption")
    if caption.casefold() == foil.casefold():
        raise Refused("has a foil that says the same as its caption", caption)
    if "?" in caption:
        raise Refused("has a question with its answer in place of a caption", caption)
    image = optional(row, "image", "filename", "image_file")
    kind = (optional(row, "type") or "").rpartition("/")[2] or "caption"
    return Problem(
        id=text(row, "id", "image", "filename"),
        drafts=[Draft(caption, kind), Draft(foil, kind, polarity="distractor")],
        images=[image] if image else [],
        source=optional(row, "type") or "",
    )


CAPTIONS = Importer(
    "captions",
    "pairs of a caption and its foil: caption, foil (or negative_caption), type, image; SugarCrepe's and VALSE's files",
    ("the pair's type, such as replace_att", "caption"),
    records(*COLUMNS),
    make,
    COLUMNS,
)
