"""The third step: a trajectory's visual statements, each atomic, understandable alone, and with the words it rests on.

In three turns: which sentences report what is *seen*; the same without pronouns; and cut into atoms. The words that a
claim rests on are then its sentence, by construction. `direct` asks for all of it in one turn, and for a quotation,
which `check` holds against the response."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Literal

from pydantic import BaseModel, Field

from perception_reward.annotations.language.sentences import read
from perception_reward.annotations.model import Provenance
from perception_reward.annotations.pipeline.asks import Answer, Ask, Sampling, Steps
from perception_reward.annotations.pipeline.origins import origin_of
from perception_reward.annotations.pipeline.prompts import Prompt
from perception_reward.annotations.pipeline.rows import Sighting, Trajectory
from perception_reward.annotations.pipeline.trajectories import asked
from perception_reward.trainer_client.wire import Origin

Method = Literal["three", "one"]
# Sentences of one ask: a model loses count of more.
SENTENCES = 40
# What a response is cut to: no chain of thought is longer that is worth reading.
MOST_CHARACTERS = 40_000
_TAGS = re.compile(r"</?(?:think|answer|thinking|reasoning)>")
_STATED = ("asserted", "retracted")


class _Selected(BaseModel):
    number: int
    origin: Literal["seen", "given", "derived", "none"]


class Selection(BaseModel):
    """Of each sentence, where its content is known from."""

    sentences: list[_Selected]


class _Standing(BaseModel):
    number: int
    text: str


class Standing(BaseModel):
    """Sentences that can be understood alone."""

    sentences: list[_Standing]


class _Atom(BaseModel):
    number: int
    statement: str
    kind: str = "statement"
    elements: list[str] = Field(default_factory=list)
    origin: Origin = "seen"


class Atoms(BaseModel):
    """Atomic facts, by the number of their sentence."""

    facts: list[_Atom]


class _Direct(BaseModel):
    # First, so that what is written next rests on it.
    quote: str = ""
    statement: str
    kind: str = "statement"
    elements: list[str] = Field(default_factory=list)
    origin: Origin = "seen"


class DirectFacts(BaseModel):
    """Atomic facts with their quotations."""

    facts: list[_Direct]


@dataclass(slots=True)
class Found:
    """The claims of one trajectory. why: why there are none, where the model is to blame."""

    claims: list[Sighting] = field(default_factory=list[Sighting])
    why: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Extracting:
    """How claims are found. prompts: by their names, those that the method needs."""

    method: Method
    prompts: dict[str, Prompt]
    sampling: Sampling
    began: str

    def step(self, trajectory: Trajectory) -> Steps[Found]:
        """The claims of a trajectory."""
        steps = self._three if self.method == "three" else self._one
        return steps(trajectory)

    @property
    def provenance(self) -> Provenance:
        versions = " ".join(prompt.version for prompt in self.prompts.values())
        return Provenance(
            method=f"extract {self.method}",
            model=self.sampling.model,
            created=self.began,
            prompt=versions,
            settings=self.sampling.said,
        )

    def _three(self, trajectory: Trajectory) -> Steps[Found]:
        sentences = sentences_of(trajectory.response)
        question = asked(trajectory)
        numbered = dict(enumerate(sentences, start=1))
        parts = [dict(list(numbered.items())[at : at + SENTENCES]) for at in range(0, len(numbered), SENTENCES)]
        answers = yield [self._ask("select", Selection, part, question=question) for part in parts]
        if (failed := _failed(answers)) is not None:
            return failed
        seen = [
            {number: part[number] for number in _seen(answer) if number in part}
            for part, answer in zip(parts, answers, strict=True)
        ]
        seen = [part for part in seen if part]
        if not seen:
            return Found()
        response = trajectory.response[:MOST_CHARACTERS]
        answers = yield [self._ask("standalone", Standing, part, question=question, response=response) for part in seen]
        if (failed := _failed(answers)) is not None:
            return failed
        alone = [
            {one.number: one.text for one in _standing(answer) if one.number in part and one.text.strip()}
            for part, answer in zip(seen, answers, strict=True)
        ]
        alone = [part for part in alone if part]
        if not alone:
            return Found()
        answers = yield [self._ask("cut", Atoms, part, question=question) for part in alone]
        if (failed := _failed(answers)) is not None:
            return failed
        atoms = chain.from_iterable(
            [atom for atom in _atoms(answer) if atom.number in part]
            for part, answer in zip(alone, answers, strict=True)
        )
        return Found(
            [
                _claim(atom.statement, atom.kind, atom.elements, numbered[atom.number], atom.origin, question)
                for atom in atoms
                if _says(atom.statement)
            ]
        )

    def _one(self, trajectory: Trajectory) -> Steps[Found]:
        question = asked(trajectory)
        prompt = self.prompts["direct"]
        text = prompt.filled(question=question, response=trajectory.response[:MOST_CHARACTERS])
        [answer] = yield [Ask(prompt.version, text, form=DirectFacts, expected=400, supposed='{"facts":[]}')]
        if (failed := _failed([answer])) is not None:
            return failed
        facts = answer.value.facts if isinstance(answer.value, DirectFacts) else []
        return Found(
            [
                _claim(one.statement, one.kind, one.elements, one.quote, one.origin, question)
                for one in facts
                if _says(one.statement)
            ]
        )

    def _ask(self, name: str, form: type[BaseModel], sentences: dict[int, str], **values: str) -> Ask:
        prompt = self.prompts[name]
        listed = "\n".join(f"{number}. {text}" for number, text in sentences.items())
        text = prompt.filled(sentences=listed, **values)
        return Ask(
            prompt.version, text, form=form, expected=_expected(form, sentences), supposed=_supposed(form, sentences)
        )


PROMPTS: dict[Method, dict[str, tuple[str, ...]]] = {
    "three": {
        "select": ("question", "sentences"),
        "standalone": ("sentences",),
        "cut": ("sentences",),
    },
    "one": {"direct": ("question", "response")},
}


def sentences_of(response: str) -> list[str]:
    """The sentences of a response that state something, in its own words; questions, options and suppositions do
    not."""
    document = read(_TAGS.sub("\n", response[:MOST_CHARACTERS]))
    found: list[str] = []
    for sentence in document.sentences:
        start, end = sentence.source(0, len(sentence.text))
        text = " ".join(document.response[start:end].split())
        if sentence.stance in _STATED and any(character.isalnum() for character in text):
            found.append(text)
    return found


def _claim(statement: str, kind: str, elements: Sequence[str], quote: str, origin: Origin, question: str) -> Sighting:
    statement = " ".join(statement.split())[:2000]
    return Sighting(
        statement=statement,
        kind="_".join(kind.lower().split())[:64] or "statement",
        elements=[" ".join(one.split()) for one in elements if one.strip()],
        quote=quote.strip(),
        origin=origin_of(statement, quote, question, origin),
    )


def _says(statement: str) -> bool:
    """Whether there are words: a model that copies the prompt's example writes dots."""
    return any(character.isalnum() for character in statement)


def _failed(answers: Sequence[Answer]) -> Found | None:
    failed = next((one for one in answers if one.why), None)
    return Found(why=failed.why, detail=failed.detail) if failed is not None else None


def _seen(answer: Answer) -> list[int]:
    chosen = answer.value.sentences if isinstance(answer.value, Selection) else []
    return sorted({one.number for one in chosen if one.origin == "seen"})


def _standing(answer: Answer) -> list[_Standing]:
    return answer.value.sentences if isinstance(answer.value, Standing) else []


def _atoms(answer: Answer) -> list[_Atom]:
    return answer.value.facts if isinstance(answer.value, Atoms) else []


def _expected(form: type[BaseModel], sentences: dict[int, str]) -> int:
    """Tokens of a usual reply."""
    return 12 * len(sentences) if form is Selection else 60 * len(sentences)


def _supposed(form: type[BaseModel], sentences: dict[int, str]) -> str:
    """A reply with which an estimate goes on: a third of the sentences is seen."""
    if form is Selection:
        return Selection(
            sentences=[_Selected(number=one, origin="seen" if one % 3 == 0 else "none") for one in sentences]
        ).model_dump_json()
    if form is Standing:
        return Standing(
            sentences=[_Standing(number=one, text=text) for one, text in sentences.items()]
        ).model_dump_json()
    return Atoms(facts=[]).model_dump_json()
