"""Annotations as rows of a trainer's data set: for each trainer the columns that it reads, and no others.

A row carries what the reward needs wherever that trainer hands it on: columns (TRL, ms-swift), `extra_info`
(verl), JSON in the answer or label (EasyR1, OpenRLHF, slime), `verifier_metadata` (NeMo Gym). The facts stay in the
annotation store: only the annotation's id travels.
"""

from __future__ import annotations

import base64
import json
import mimetypes
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from perception_reward.annotations.copies import listed
from perception_reward.annotations.model import Annotation
from perception_reward.trainer_client.reference import Answer, texts_of

# The tags that the format reward looks for, on lines of their own as the paper's reference code wants them.
_FORM = """\
Then reason from them to the answer. Write exactly in this form:
<think>
what you see, and your reasoning
</think>
<answer>
\\boxed{the result alone}
</answer>"""
SYSTEM_PROMPT = f"""\
Look at the image before you reason. Say which of the things it shows matter for the question: labels, lengths, \
angles, relations, counts, values. {_FORM}"""
TEXT_PROMPT = f"""\
Read the problem before you reason. Say which of the things it gives matter for the question: labels, lengths, \
angles, relations, counts, values. {_FORM.replace("you see", "is given")}"""
PLACE = "<image>"

Row: TypeAlias = dict[str, Any]


class Incomplete(ValueError):
    """An annotation lacks what a row needs; the message names the annotation and what is missing.

    lacks: that in a word or two each, such as `answer` or `image file`.
    """

    def __init__(self, message: str, *lacks: str) -> None:
        super().__init__(message)
        self.lacks = lacks


@dataclass(frozen=True, slots=True)
class Picture:
    """An image: how a row names it, what it holds where that travels in the row, and where it is if that is known."""

    reference: str
    content: bytes | None = None
    file: Path | None = None

    @property
    def is_url(self) -> bool:
        return urlsplit(self.reference).scheme in ("http", "https", "file", "data")

    def as_path(self) -> str:
        """The reference, or the content as a `data:` URL."""
        if self.content is None:
            return self.reference
        kind = mimetypes.guess_type(self.reference)[0] or "image/png"
        return f"data:{kind};base64,{base64.b64encode(self.content).decode()}"

    def as_url(self) -> str:
        path = self.as_path()
        return path if self.content is not None or self.is_url else (self.file or Path(path)).resolve().as_uri()

    def as_struct(self) -> Row:
        """What the `datasets` library decodes as an image."""
        return {"bytes": self.content, "path": self.reference}

    def as_bytes(self) -> Row | str:
        """Only the content, or only the reference: verl and EasyR1 take a struct for content."""
        return {"bytes": self.content} if self.content is not None else self.reference


@dataclass(frozen=True, slots=True)
class Problem:
    """An annotation that has all that a row needs."""

    id: str
    question: str
    reference: Answer
    pictures: tuple[Picture, ...]
    facts: tuple[str, ...]
    system: str

    @property
    def answer(self) -> str:
        """The reference as one column holds it: text; alternatives as a JSON object with a list."""
        if isinstance(self.reference, list):
            return json.dumps({"answer": self.reference}, ensure_ascii=False)
        return texts_of(self.reference)[0]

    @property
    def asked(self) -> str:
        """The question, with a place for each image."""
        return self.question if PLACE in self.question else PLACE * len(self.pictures) + self.question

    @property
    def messages(self) -> list[Row]:
        system = [{"role": "system", "content": self.system}] if self.system else []
        return [*system, {"role": "user", "content": self.asked}]

    @property
    def label(self) -> str:
        return json.dumps({"annotation_id": self.id, "answer": self.reference}, ensure_ascii=False)


def problem_of(
    annotation: Annotation, pictures: Sequence[Picture], system: str = SYSTEM_PROMPT, *, text_only: bool = False
) -> Problem:
    """The problem of an annotation. Raises `Incomplete`. text_only: it needs no image, and has none."""
    question = annotation.question or ""
    if text_only:
        question, pictures = question.replace(PLACE, "").strip(), ()
    reference = annotation.answer if annotation.answer is not None else ""
    if not any(text.strip() for text in texts_of(reference)):
        reference = ""
    lacking = [
        name
        for name, there in (
            ("question", question.strip()),
            ("answer", reference != ""),
            ("image", pictures or text_only),
            ("facts", annotation.facts),
        )
        if not there
    ]
    if lacking:
        raise Incomplete(f"annotation {annotation.id!r} has no {', no '.join(lacking)}", *lacking)
    places = question.count(PLACE)
    if places not in (0, len(pictures)):
        raise Incomplete(
            f"annotation {annotation.id!r} has {places} {PLACE} in its question and {len(pictures)} images",
            "place for each image",
        )
    options = listed(annotation.choices)
    facts = tuple(fact.claim for fact in annotation.facts if fact.polarity == "present")
    return Problem(annotation.id, "\n".join([question, *options]), reference, tuple(pictures), facts, system)


def _trl(problem: Problem, index: int) -> Row:
    # TRL puts the images in front of the question itself.
    messages = [*problem.messages[:-1], {"role": "user", "content": problem.question.replace(PLACE, "").strip()}]
    images = [picture.as_struct() for picture in problem.pictures]
    return {"prompt": messages, "images": images, "annotation_id": problem.id, "answer": problem.answer}


def _verl(problem: Problem, index: int) -> Row:
    return {
        "data_source": "perception-reward",
        "prompt": problem.messages,
        "images": [picture.as_bytes() for picture in problem.pictures],
        "ability": "perception",
        "reward_model": {"style": "rule", "ground_truth": problem.answer},
        "extra_info": {"index": index, "annotation_id": problem.id, "answer": problem.answer},
    }


def _easyr1(problem: Problem, index: int) -> Row:
    # EasyR1 has no system message: the user's turn opens with the instruction, and the reward sees the answer alone.
    asked = f"{problem.system}\n\n{problem.asked}" if problem.system else problem.asked
    images = [picture.as_bytes() for picture in problem.pictures]
    return {"problem": asked, "answer": problem.label, "images": images}


def _fork(problem: Problem, index: int) -> Row:
    facts = "\n".join(f"<info{n}>{fact}</info{n}>" for n, fact in enumerate(problem.facts, start=1))
    row = _easyr1(problem, index)
    # That code compares with one text.
    return {**row, "answer": texts_of(problem.reference)[0], "visual_key_info": facts, "annotation_id": problem.id}


def _openrlhf(problem: Problem, index: int) -> Row:
    return {"input": problem.messages, "label": problem.label, "images": _paths(problem)}


def _ms_swift(problem: Problem, index: int) -> Row:
    known = {"annotation_id": problem.id, "answer": problem.answer, "solution": problem.answer}
    return {"messages": problem.messages, "images": _paths(problem), **known}


def _slime(problem: Problem, index: int) -> Row:
    metadata = {"annotation_id": problem.id, "answer": problem.answer}
    return {"prompt": problem.messages, "images": _paths(problem), "label": problem.label, "metadata": metadata}


def _nemo_gym(problem: Problem, index: int) -> Row:
    parts: list[Row] = [{"type": "input_image", "image_url": picture.as_url()} for picture in problem.pictures]
    parts.append({"type": "input_text", "text": problem.question.replace(PLACE, "").strip()})
    asked = [*problem.messages[:-1], {"role": "user", "content": parts}]
    known = {"annotation_id": problem.id, "answer": problem.answer}
    return {"responses_create_params": {"input": asked}, "verifier_metadata": known}


def _paths(problem: Problem) -> list[str]:
    return [picture.as_path() for picture in problem.pictures]


@dataclass(frozen=True, slots=True)
class Layout:
    """How one trainer's rows look, and what its configuration has to say for them to be read.

    images: what it has to say besides where there are images. folder: how it is told the folder that their paths start
    from; empty for one that starts them from the folder in which it runs.
    """

    columns: Callable[[Problem, int], Row]
    form: Literal["parquet", "jsonl"]
    reads: str
    images: str = ""
    folder: str = ""

    def row(self, problem: Problem, index: int) -> Row:
        """A problem's row; without images there is no column for them."""
        columns = self.columns(problem, index)
        return columns if problem.pictures else {name: value for name, value in columns.items() if name != "images"}


LAYOUTS: Mapping[str, Layout] = {
    "trl": Layout(_trl, "parquet", "dataset_name: the folder of the file"),
    "verl": Layout(_verl, "parquet", "data.train_files=FILE data.prompt_key=prompt", "data.image_key=images"),
    "easyr1": Layout(
        _easyr1,
        "parquet",
        "data.train_files=FILE data.prompt_key=problem data.answer_key=answer",
        folder="data.image_dir=FOLDER",
    ),
    "perception-r1": Layout(_fork, "parquet", "data.train_files=FILE@train data.format_prompt=''"),
    "openrlhf": Layout(
        _openrlhf,
        "jsonl",
        "--data.prompt_dataset FILE --data.input_key input --data.label_key label --data.apply_chat_template",
        "--data.image_key images",
    ),
    "ms-swift": Layout(_ms_swift, "jsonl", "--dataset FILE", folder="ROOT_IMAGE_DIR=FOLDER, a variable"),
    "slime": Layout(
        _slime,
        "jsonl",
        "--prompt-data FILE --input-key prompt --label-key label --apply-chat-template",
        """--multimodal-keys '{"image": "images"}'""",
    ),
    "nemo-gym": Layout(_nemo_gym, "jsonl", "a jsonl_fpath of the environment's datasets"),
}
