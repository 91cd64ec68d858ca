"""The page on which a person looks at facts, one after another: served by a command, or one file that has all of it.

    review = Review(items, Path("images"), told)
    review.page(served=True, reviewer="ann")                # asks for each problem when it is looked at
    review.page(served=False)                               # has all of it inside

Facts and chains of thought were written by models: they are put in as text only, and the page's own policy
(Content-Security-Policy) runs its one script, by its hash. Images are read from files below one folder and from nowhere
else."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from perception_reward.annotations.decisions import Decision, Key
from perception_reward.annotations.pipeline.rows import Extracted
from perception_reward.annotations.review import Item, in_force, quoted
from perception_reward.service.report.page import as_json, asset
from perception_reward.trainer_client.reference import options_of, texts_of

# Bytes of an image: more is no picture for a page.
LARGEST = 32 << 20
# What browsers draw, by how it begins. SVG is none of it: it is a document that can hold a script.
FORMS = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg", b"GIF8": "image/gif", b"BM": "image/bmp"}
# Characters of a chain of thought.
MOST_CHARACTERS = 40_000
MOST_TRAJECTORIES = 16


class ImageRefused(ValueError):
    """An image that is not shown, and why."""


class Review:
    """What is under review. images: the folder that holds them. told: chains of thought by problem."""

    def __init__(
        self, items: Sequence[Item], images: Path, told: Mapping[str, Sequence[Extracted]] | None = None
    ) -> None:
        self.items = items
        self._images = images
        self._told = told or {}
        groups: dict[str, list[Item]] = {}
        for item in items:
            groups.setdefault(item.annotation.id, []).append(item)
        self._groups = list(groups.values())

    @property
    def problems(self) -> int:
        """How many have a fact under review; they count from 0."""
        return len(self._groups)

    def page(self, *, served: bool, reviewer: str = "", decisions: Mapping[Key, Decision] | None = None) -> str:
        """The page. decisions: the reviewer's, so far."""
        from jinja2 import Environment, StrictUndefined

        script, style = asset("review.js"), asset("report.css") + asset("review.css")
        names = [group[0].annotation.id for group in self._groups]
        places = {name: place for place, name in enumerate(names)}
        rows = [_row(item, places[item.annotation.id]) for item in self.items]
        said = {item.key: [found.decision, found.edited] for item, found in in_force(self.items, decisions or {})}
        inside = [] if served else [self.problem(place, inside=True) for place in range(len(names))]
        environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        return environment.from_string(asset("review.html")).render(
            style=style,
            script=script,
            policy=policy(served=served),
            facts=len(rows),
            data=as_json(
                {
                    "served": served,
                    "reviewer": reviewer,
                    "facts": rows,
                    "decisions": [said.get(item.key) for item in self.items],
                    "problems": names,
                    "inside": inside,
                    "name": self._name(),
                }
            ),
        )

    def problem(self, place: int, *, inside: bool = False) -> dict[str, Any]:
        """What is shown beside the facts of the problem at `place`. inside: with the images themselves."""
        group = self._groups[place]
        annotation = group[0].annotation
        rows = list(self._told.get(annotation.id, ()))[:MOST_TRAJECTORIES]
        choices = options_of(annotation.choices) if annotation.choices is not None else ()
        return {
            "question": annotation.question,
            "choices": [f"{label}. {text}" for label, text in choices],
            "answer": ", ".join(texts_of(annotation.answer)) if annotation.answer is not None else None,
            "images": [self._shown(place, at, inside) for at in range(len(annotation.images))],
            "trajectories": [_trajectory(row, group) for row in rows],
        }

    def _name(self) -> str:
        """Of what is under review: under it a browser keeps the decisions of a page that is a file."""
        what = repr([(item.key, item.fact.text) for item in self.items])
        return hashlib.sha256(what.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    def _shown(self, place: int, at: int, inside: bool) -> dict[str, Any]:
        reference = self._groups[place][0].annotation.images[at]
        try:
            kind, content = self.image(place, at)
        except ImageRefused as error:
            return {"name": reference[:200], "why": str(error)}
        if inside:
            return {"name": reference, "url": f"data:{kind};base64,{base64.b64encode(content).decode()}"}
        return {"name": reference, "url": f"/problems/{place}/images/{at}"}

    def image(self, place: int, at: int) -> tuple[str, bytes]:
        """Media type and bytes of an image. Raises `ImageRefused`: a URL, a file outside the folder, no picture."""
        reference = self._groups[place][0].annotation.images[at]
        if "://" in reference or reference.startswith("data:"):
            raise ImageRefused("it is a URL, and only files are shown")
        root = self._images.resolve()
        try:
            path = (root / reference).resolve()
            if not path.is_relative_to(root):
                raise ImageRefused(f"it lies outside {root}; --images names the folder")
            if not path.is_file():
                raise ImageRefused(f"there is no such file in {root}; --images names the folder")
            if path.stat().st_size > LARGEST:
                raise ImageRefused(f"it is larger than {LARGEST >> 20} MB")
            content = path.read_bytes()
        except (OSError, ValueError) as error:
            if isinstance(error, ImageRefused):
                raise
            raise ImageRefused(f"it cannot be read: {getattr(error, 'strerror', None) or error}") from None
        if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
            return "image/webp", content
        for start, kind in FORMS.items():
            if content.startswith(start):
                return kind, content
        raise ImageRefused("it is no PNG, JPEG, GIF, WebP or BMP")


def policy(*, served: bool) -> str:
    """The page's Content-Security-Policy."""
    hashed = base64.b64encode(hashlib.sha256(asset("review.js").encode()).digest()).decode()
    sources = "img-src 'self' data:; connect-src 'self'" if served else "img-src data:"
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-{hashed}'; {sources}; "
        "base-uri 'none'; form-action 'none'"
    )


def _row(item: Item, problem: int) -> list[Any]:
    fact = item.fact
    where = fact.claim.removesuffix(fact.text).strip() if fact.claim != fact.text else ""
    return [problem, fact.id, fact.text, item.kind, fact.origin, item.source, fact.polarity, where, fact.confidence]


def _trajectory(row: Extracted, items: Sequence[Item]) -> dict[str, Any]:
    quotes = {item.fact.id: found for item in items if (found := quoted(item.fact, row)) is not None}
    by = row.provenance.model or row.provenance.source or row.source
    return {
        "title": f"Trajectory {row.sample + 1}" + (f", {by}" if by else ""),
        "response": row.response[:MOST_CHARACTERS],
        "quotes": {name: [found.words, *(found.span or (None, None))] for name, found in quotes.items()},
    }
