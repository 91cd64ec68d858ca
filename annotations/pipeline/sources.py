"""Problems and chains of thought as others keep them: JSON Lines, JSON, CSV, Parquet, folders of the `datasets`
library.

    for place, row in read_problems(Path("geometry3k"), LAYOUTS["geometry3k"], Columns({"answer": "solution"})):
        ...                                                 # "row 1", Problem(…) or Unusable(why, detail)

A layout names, for each of our fields, the columns that may hold it, in order. A conversation (`messages`,
`conversations`) holds the question in its first turn of a user and the response in its last of an assistant. The marker
`<image>` is no part of a question.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from pydantic import ValidationError

from perception_reward.annotations.faults import LineError, Record, RecordFileError, printable
from perception_reward.annotations.importers.model import texts_in
from perception_reward.annotations.importers.sources import files_of
from perception_reward.annotations.model import Provenance
from perception_reward.annotations.pipeline.rows import Problem, Trajectory
from perception_reward.annotations.records import open_records
from perception_reward.annotations.tables import data_files

P = TypeVar("P", bound=Problem)

FIELDS = ("id", "question", "answer", "choices", "images", "response", "model", "sample", "source")
TURNS = ("messages", "conversations", "conversation")
_NESTED = ("choices", "options", "images", *TURNS)
_USERS, _ASSISTANTS = ("user", "human"), ("assistant", "gpt", "model")
_MARK = re.compile(r"\s*<image>\s*")
_COMMON: Mapping[str, tuple[str, ...]] = {
    "id": ("id", "annotation_id", "pid", "problem_id", "question_id", "qid", "uid"),
    "question": ("question", "problem", "query", "prompt"),
    "answer": ("answer", "ground_truth", "gt_answer", "label"),
    "choices": ("choices", "options"),
    "images": ("images", "image", "image_path", "image_paths", "img_path", "img"),
    "response": ("response", "trajectory", "cot", "chain_of_thought", "output", "completion", "prediction"),
    "model": ("model", "model_name"),
    "sample": ("sample", "sample_index"),
    "source": ("source", "dataset"),
}


class WrongColumns(RecordFileError):
    """No row can be used, because a column is missing; the message names those that are there."""


@dataclass(frozen=True, slots=True)
class Unusable:
    """A row that is left out: why, in words that can be counted, and which."""

    why: str
    detail: str


@dataclass(frozen=True, slots=True)
class Layout:
    """A way to keep problems. reads: what it is, in a line. columns: by our fields, those that may hold it, in
    order."""

    name: str
    reads: str
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, "tuple[str, ...]"])

    def names(self, name: str, mapped: Mapping[str, str]) -> tuple[str, ...]:
        """The columns that may hold our field `name`; one that a user named is the only one."""
        if name in mapped:
            return (mapped[name],)
        return self.columns.get(name, _COMMON[name])


LAYOUTS = {
    layout.name: layout
    for layout in (
        Layout("plain", "columns by their usual names: id, question, answer, choices, images, response, model, sample"),
        Layout(
            "perception-r1",
            "Perception-R1's: problem, answer, images, and the chain of thought as solution, cot or response",
            {
                "id": ("annotation_id", "id"),
                "question": ("problem", "question"),
                "response": ("response", "cot", "trajectory", "solution"),
            },
        ),
        Layout(
            "geometry3k",
            "Geometry3K's: problem_text or problem, choices, answer, images or image",
            {
                "id": ("id", "data_id", "problem_id"),
                "question": ("annotat_text", "problem_text", "problem", "question"),
                "choices": ("choices", "compact_choices"),
                "response": ("response", "solution", "rationale", "cot"),
            },
        ),
        Layout(
            "r1",
            "R1-style multimodal sets: problem and solution, original_question and original_answer, or conversations",
            {
                "question": ("original_question", "problem", "question", "query", "prompt"),
                "answer": ("original_answer", "answer", "ground_truth", "gt_answer"),
                "response": ("response", "cot", "thinking", "solution", "completion", "output", "reasoning"),
            },
        ),
    )
}


def read_problems(
    path: Path, layout: Layout, mapped: Mapping[str, str], images: Path | None = None
) -> Iterator[tuple[str, Problem | Unusable]]:
    """The problems at `path`, each with its place.

    images: the folder into which images that stand in the rows as bytes are written, under the digest of their content;
    None: they are left out. Raises `WrongColumns`, `RecordFileError`, `OSError`.
    """
    for place, fields in _rows(path, layout, mapped, ("question",), images):
        yield place, fields if isinstance(fields, Unusable) else _made(Problem, fields, ())


def read_chains(
    path: Path, layout: Layout, mapped: Mapping[str, str], images: Path | None = None
) -> Iterator[tuple[str, Trajectory | Unusable]]:
    """The chains of thought at `path`, each with its place. A problem's chains of one model are numbered as they come.

    Raises as `read_problems`.
    """
    counts: dict[tuple[str, str], int] = {}
    for place, fields in _rows(path, layout, mapped, ("question", "response"), images):
        if isinstance(fields, Unusable):
            yield place, fields
            continue
        name, model = str(fields["id"]), str(fields.pop("model", None) or "")
        number = counts[name, model] = counts.get((name, model), -1) + 1
        sample = fields.get("sample")
        fields["sample"] = sample if isinstance(sample, int) and not isinstance(sample, bool) else number
        fields["provenance"] = Provenance(source=fields["source"], method="read", model=model or None)
        yield place, _made(Trajectory, fields, ("response", "sample", "provenance"))


def _made(model: type[P], fields: dict[str, Any], more: Sequence[str]) -> P | Unusable:
    known = {name: fields[name] for name in (*Problem.model_fields, *more) if fields.get(name) is not None}
    try:
        return model(**known)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        return Unusable(f"has a wrong {printable(first['loc'][0])}", first["msg"])


def _rows(
    path: Path, layout: Layout, mapped: Mapping[str, str], needed: Sequence[str], images: Path | None
) -> Iterator[tuple[str, dict[str, Any] | Unusable]]:
    candidates = {name: layout.names(name, mapped) for name in FIELDS}
    known = sorted({column for columns in candidates.values() for column in columns} | set(TURNS))
    used = 0
    lacking: tuple[str, tuple[str, ...]] | None = None
    for file in _files(path):
        records = open_records(file, known=known, nested=_NESTED)
        place_of = f"{file.name} " if path.is_dir() else ""
        for number, record in records:
            place = f"{place_of}{records.unit} {number}"
            if isinstance(record, LineError):
                yield place, Unusable("cannot be read", record.message)
                continue
            fields = _fields(record, candidates, partial(_saved, images))
            fields.setdefault("id", f"{file.stem}-{number}")
            fields.setdefault("source", path.name)
            if (missing := next((name for name in needed if not _text(fields.get(name))), None)) is not None:
                lacking = lacking or (missing, (*record, *records.left_out))
                if not used and number > PATIENCE:
                    break
                yield place, Unusable(f"has no {missing}", "")
                continue
            used += 1
            yield place, fields
    if not used and lacking is not None:
        raise WrongColumns(path, [LineError(0, lacking[0], _advice(lacking, candidates))])


# Rows that may lack what is needed before it is clear that none has it.
PATIENCE = 1000


def _advice(lacking: tuple[str, tuple[str, ...]], candidates: Mapping[str, tuple[str, ...]]) -> str:
    name, columns = lacking
    there = ", ".join(map(printable, columns)) or "none"
    return (
        f"has no {name}: looked for {', '.join(candidates[name])}; there are {there}; name the column with "
        f"--map {name}=COLUMN"
    )


def _files(path: Path) -> list[Path]:
    """Of a folder of the `datasets` library its tables; of any other folder, its files of records."""
    if not path.is_dir():
        return [path]
    found = data_files(path)
    return list(found) if found and found[0] != path else files_of(path, (".json", ".jsonl", ".csv", ".parquet", ".gz"))


def _fields(
    record: Record, candidates: Mapping[str, tuple[str, ...]], save: Callable[[bytes], str | None]
) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name, columns in candidates.items():
        found = next((record[column] for column in columns if record.get(column) not in (None, "", [])), None)
        if found is not None:
            fields[name] = found
    if isinstance(fields.get("question"), list):
        record = {**record, TURNS[0]: fields.pop("question")}
    question, response = _turns(record)
    fields.setdefault("question", question)
    fields.setdefault("response", response)
    for name in ("id", "source"):
        if name in fields:
            fields[name] = str(fields[name])
    if isinstance(fields.get("question"), str):
        fields["question"] = _MARK.sub(" ", fields["question"]).strip()
    if "images" in fields:
        fields["images"] = _references(fields["images"], save)
    return {name: value for name, value in fields.items() if value is not None}


def _references(value: object, save: Callable[[bytes], str | None]) -> list[str]:
    """Names of images; those that are bytes get one."""
    entries = cast("list[object]", value) if isinstance(value, list) else [value]
    found: list[object] = []
    for one in entries:
        if isinstance(one, dict):
            image = cast("dict[str, object]", one)
            content = image.get("bytes")
            one = save(content) if isinstance(content, bytes) else image.get("path")
        found.append(one)
    return texts_in(found)


_ENDS = ((b"\x89PNG", ".png"), (b"\xff\xd8\xff", ".jpg"), (b"RIFF", ".webp"), (b"GIF8", ".gif"))


def _saved(folder: Path | None, content: bytes) -> str | None:
    """The name that an image gets in `folder`, where it is written once."""
    if folder is None:
        return None
    end = next((end for magic, end in _ENDS if content.startswith(magic)), ".img")
    path = folder / f"{hashlib.blake2b(content, digest_size=16).hexdigest()}{end}"
    if not path.exists():
        folder.mkdir(exist_ok=True)
        part = path.with_suffix(".part")
        part.write_bytes(content)
        part.replace(path)
    return path.name


def _turns(record: Record) -> tuple[str | None, str | None]:
    """The question and the response in a conversation."""
    turns = next((record[name] for name in TURNS if isinstance(record.get(name), list)), None)
    said = [one for one in map(_turn, cast("list[object]", turns or [])) if one is not None]
    question = next((text for role, text in said if role in _USERS), None)
    response = next((text for role, text in reversed(said) if role in _ASSISTANTS), None)
    return question, response


def _turn(turn: object) -> tuple[str, str] | None:
    if not isinstance(turn, dict):
        return None
    one = cast("dict[str, Any]", turn)
    content = one.get("content", one.get("value"))
    if isinstance(content, list):
        parts = (cast("dict[str, Any]", part) for part in cast("list[object]", content) if isinstance(part, dict))
        content = "\n".join(str(part["text"]) for part in parts if isinstance(part.get("text"), str))
    return (str(one.get("role", one.get("from", ""))).lower(), content) if isinstance(content, str) else None


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""
