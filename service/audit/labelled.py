"""Responses that people labelled: one response and one or several facts a record.

    {"response": "…", "fact": "Segment AB has length 5.", "label": "stated", "problem": "p1"}
    {"response": "…", "facts": [{"text": "…", "kind": "length", "label": "absent", "doubtful": true}]}

README.md says what each field means. All other fields are let be, so that a file may keep what else it knows. A fault
names its place and field.
"""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Self

from pydantic import AliasChoices, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from perception_reward.annotations.faults import LineError, RecordFileError, first_fault
from perception_reward.annotations.records import RecordFile, open_records
from perception_reward.service.audit.probes import Probe, probe
from perception_reward.service.excerpt import WHOLE, excerpt
from perception_reward.trainer_client.wire import Fact, Label


class LabelledFact(BaseModel):
    """A fact and, where the line gives none, its label."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    text: str = Field(min_length=1, max_length=2000, pattern=r"\S")
    kind: str = Field(default="statement", min_length=1, max_length=64)
    label: Label | None = None
    doubtful: bool = False


def _worded(value: object) -> object:
    return {"text": value} if isinstance(value, str) else value


_Fact = Annotated[LabelledFact, BeforeValidator(_worded)]


class LabelledRow(BaseModel):
    """One line of the file."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    response: str = Field(validation_alias=AliasChoices("response", "text"))
    fact: _Fact | None = None
    facts: tuple[_Fact, ...] = ()
    label: Label | None = None
    problem: str | None = Field(default=None, min_length=1)
    doubtful: bool = False

    @model_validator(mode="after")
    def _every_fact_has_a_label(self) -> Self:
        if (self.fact is None) == (not self.facts):
            raise ValueError("give `fact` (one) or `facts` (several)")
        for number, fact in enumerate(self._asked(), start=1):
            if (fact.label or self.label) is None:
                raise ValueError(f"fact {number} has no label: stated, contradicted or absent")
        return self

    def _asked(self) -> tuple[LabelledFact, ...]:
        return (self.fact,) if self.fact is not None else self.facts

    def probes(self, scope: str = WHOLE) -> Iterator[Probe]:
        """A probe for each fact."""
        response = self.response if excerpt(self.response, scope) else f"<{scope}>\n{self.response}\n</{scope}>"
        problem = self.problem or sha256(self.response.encode("utf-8", "surrogatepass")).hexdigest()[:16]
        for number, fact in enumerate(self._asked(), start=1):
            family = "doubtful" if fact.doubtful or self.doubtful else "human"
            asked = Fact(id=f"f{number}", text=fact.text, kind=fact.kind)
            yield probe("labelled", family, asked, response, fact.label or self.label, problem=problem)


def read_labelled(path: Path, scope: str = WHOLE) -> list[Probe]:
    """The file's probes, for a judge that reads the part `scope` of a response (`excerpt`).

    `RecordFileError` tells all faults with their lines, `OSError` that there is no file.
    """
    file = open_records(path, known=(*LabelledRow.model_fields, "text"), nested=("facts",))
    found = list(_rows(file))
    if faults := [row for row in found if isinstance(row, LineError)]:
        raise RecordFileError(path, faults, file.unit)
    rows = [row for row in found if isinstance(row, LabelledRow)]
    if not rows:
        raise RecordFileError(path, [LineError(0, "", "holds no labelled response")])
    return list({made.id: made for row in rows for made in row.probes(scope)}.values())


def _rows(file: RecordFile) -> Iterator[LabelledRow | LineError]:
    for number, record in file:
        if isinstance(record, LineError):
            yield record
            continue
        try:
            yield LabelledRow.model_validate(record)
        except ValidationError as error:
            field, message = first_fault(error)
            yield LineError(number, field, f"{field}: {message}" if field else message)
